/** Messages that are text. */

import { decodeUtf8 } from "../../bytes/utf8.ts";
import { checkOptions, oneOf, type RulesOf } from "../../options/check-options.ts";
import type { MessageFormat } from "../codec.ts";
import { InvalidContent, messageInvalid, validContent } from "../frame-error.ts";

/** Options of {@link text}. */
export interface TextOptions {
  /**
   * `utf8` (the default, RFC 3629) or `latin1` (ISO 8859-1: each byte is the character of that number), for old protocols
   * and for text whose encoding is not known.
   */
  readonly encoding?: "utf8" | "latin1" | undefined;
  /**
   * What to do with received bytes that are not valid UTF-8: `error` (the default, `FRAME_INVALID`), because text that was
   * changed on the way is a fault to find, or `replace`, which puts U+FFFD in their place.
   */
  readonly invalid?: "error" | "replace" | undefined;
}

const NAME = "text";

/** What {@link TextOptions} must look like. */
export const TEXT_RULES: RulesOf<TextOptions> = {
  encoding: oneOf("utf8", "latin1"),
  invalid: oneOf("error", "replace"),
};

/**
 * Messages that are text. A text is always decoded whole, so a character may be cut anywhere on the way. A byte order
 * mark is kept.
 *
 * Sending half of a surrogate pair, or with `latin1` a character above U+00FF, is `FRAME_INVALID` with side `local`.
 *
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { chain, lengthPrefix, text } from "zocalo/framing";
 * const codec = chain(lengthPrefix({ bytes: 1 }), text());
 * const wire = Buffer.from("\x07ñandú"); // seven bytes, five letters
 * codec.createDecoder().decode(wire, 0, wire.length, (word) => console.log(word)); // ñandú
 * ```
 */
export function text(options: TextOptions = {}): MessageFormat<string> {
  const { encoding = "utf8", invalid = "error" } = checkOptions({ op: NAME }, options, TEXT_RULES);
  if (encoding === "latin1") return LATIN1;
  return invalid === "error" ? STRICT_UTF8 : LOOSE_UTF8;
}

function checkedText(message: string): string {
  if (typeof message === "string") return message;
  throw messageInvalid(NAME, `a message must be a string; got ${typeof message}`);
}

const NOT_UTF8 = new InvalidContent("the bytes are not valid UTF-8");

const STRICT_UTF8: MessageFormat<string> = {
  name: NAME,
  decode: (bytes, start, end) => validContent(NAME, decodeUtf8(bytes, start, end) ?? NOT_UTF8),
  tryDecode: (bytes, start, end) => decodeUtf8(bytes, start, end) ?? NOT_UTF8,
  encode: checkedText,
};

const LOOSE_UTF8: MessageFormat<string> = {
  name: NAME,
  decode: (bytes, start, end) => bytes.toString("utf8", start, end),
  encode: checkedText,
};

const LATIN1: MessageFormat<string> = {
  name: NAME,
  decode: (bytes, start, end) => bytes.toString("latin1", start, end),
  encode(message: string): Uint8Array {
    if (/[^\u0000-\u00ff]/.test(checkedText(message))) {
      throw messageInvalid(NAME, "the text has a character above U+00FF, which latin1 has not");
    }
    return Buffer.from(message, "latin1");
  },
};
