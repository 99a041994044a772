/** UTF-8 (RFC 3629) with errors told apart from the replacement character U+FFFD, which is a valid one. */

const REPLACEMENT = "\ufffd";

/** The text in `bytes[start, end)`; undefined when it is not valid UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString("utf8", start, end);
  // The decoder puts U+FFFD for what is not valid. Only where the bytes themselves said U+FFFD does encoding give them back.
  return text.includes(REPLACEMENT) && !encodesTo(text, bytes, start, end) ? undefined : text;
}

/** Whether a string can be encoded: it has no half of a surrogate pair alone (RFC 3629 section 3). */
export function isEncodable(text: string): boolean {
  // Part of ES2024; Node has it since version 20.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

function encodesTo(text: string, bytes: Buffer, start: number, end: number): boolean {
  const encoded = Buffer.from(text, "utf8");
  return encoded.length === end - start && bytes.compare(encoded, 0, encoded.length, start, end) === 0;
}
