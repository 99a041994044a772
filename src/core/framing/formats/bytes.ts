/** Messages that are bytes. */

import { viewBytes } from "../../bytes/byte-range.ts";
import { lastingCopy } from "../../bytes/own-bytes.ts";
import type { MessageFormat } from "../codec.ts";
import { messageInvalid } from "../frame-error.ts";

const NAME = "bytes";

/** The format of messages that are bytes; there is one, because it has no options. */
const FORMAT: MessageFormat<Uint8Array, Buffer> = {
  name: NAME,
  decode: viewBytes,
  encode(message: Uint8Array): Uint8Array {
    // A proxy, and what only has the prototype, are of the class and have no bytes.
    if (message instanceof Uint8Array && ArrayBuffer.isView(message)) return message;
    throw messageInvalid(NAME, `a message must be a Uint8Array; got ${typeof message}`);
  },
  own(message: Buffer, lasting: boolean): Buffer {
    if (!lasting) return lastingCopy(message);
    return Buffer.from(message.buffer, message.byteOffset, message.length);
  },
};

/**
 * Messages as they are: bytes. The format of `lengthPrefix()`, `delimiter()` and the other codecs of bytes; needed by name
 * only to see the bytes of a codec that has another one, as in `chain(lines(), bytes())`.
 *
 * Any `Uint8Array` can be sent. What is received is a `Buffer`: a view of the bytes that arrived, valid only in the callback,
 * unless whoever delivers it says otherwise.
 *
 * @example
 * ```ts
 * import { bytes, chain, lines } from "zocalo/framing";
 * const codec = chain(lines(), bytes());
 * codec.createDecoder().decode(Buffer.from("hola\n"), 0, 5, (line) => console.log(line.length)); // 4
 * ```
 */
export function bytes(): MessageFormat<Uint8Array, Buffer> {
  return FORMAT;
}
