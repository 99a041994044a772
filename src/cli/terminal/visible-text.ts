/** Text and bytes that a peer may have written, for a terminal. */

/** Takes the control characters out, so that nothing in it gives orders to a terminal. */
export function visibleText(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** `1 byte`, `2 bytes`, `0 replies`. */
export function quantity(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

const LF = 0x0a;

/** The message on a line of its own: with a line end, if it has none. */
export function asLine(message: Buffer): Buffer {
  return message.at(-1) === LF ? message : Buffer.concat([message, Buffer.of(LF)]);
}

const BYTES_IN_LINE = 16;

/**
 * Makes a dump of piece after piece. Each piece begins a new line, so that what arrives is shown at once; the offset at the
 * beginning of a line counts all bytes so far.
 *
 * `00000000  68 6f 6c 61 0a                                    |hola.|`
 */
export function toHexDump(): (bytes: Uint8Array) => string {
  let offset = 0;
  return (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += BYTES_IN_LINE) {
      text += dumpLine(offset + at, bytes.subarray(at, at + BYTES_IN_LINE));
    }
    offset += bytes.length;
    return text;
  };
}

function dumpLine(offset: number, bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const left = hex.slice(0, BYTES_IN_LINE / 2).join(" ");
  const right = hex.slice(BYTES_IN_LINE / 2).join(" ");
  const text = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
  return `${offset.toString(16).padStart(8, "0")}  ${left.padEnd(23)}  ${right.padEnd(23)}  |${text}|\n`;
}
