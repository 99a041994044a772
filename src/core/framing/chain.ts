/** Gives a boundary another format. */

import type { MessageFormat } from "./codec.ts";
import { codecOptionInvalid } from "./frame-error.ts";
import { FrameCodec } from "./frame-codec.ts";

/**
 * Joins the boundary of one codec with a format: `chain(lines(), json())` is JSON text, one value a line;
 * `chain(lengthPrefix(), msgpack())` is MessagePack with a length before each message.
 *
 * The limit is that of the boundary, in bytes. When a message is not valid in the format, the decoder fails with
 * `FRAME_INVALID`, unless the boundary was told to resynchronise: then the message is reported and skipped.
 *
 * @param codec - Whose boundary to take: any codec of Zócalo or of `defineCodec()`.
 * @param format - `json()`, `msgpack()`, `text()`, `bytes()`, or an own one.
 *
 * @example
 * ```ts
 * import { ByteWriter, chain, json, lines } from "zocalo/framing";
 * const codec = chain(lines(), json<{ say: string }>());
 * const writer = new ByteWriter();
 * codec.encode({ say: "hola" }, writer);
 * console.log(String(writer.take().chunks[0])); // {"say":"hola"}
 * ```
 */
export function chain<In, Out = In>(
  codec: Pick<FrameCodec<never, unknown>, "boundary">,
  format: MessageFormat<In, Out>,
): FrameCodec<In, Out> {
  if ((codec as Partial<typeof codec> | null)?.boundary === undefined) {
    throw codecOptionInvalid("chain", "the first must be a codec, such as lines()");
  }
  if (typeof (format as MessageFormat<In, Out> | null)?.name !== "string") {
    throw codecOptionInvalid("chain", "the second must be a format, such as json()");
  }
  return new FrameCodec(codec.boundary, format, `${codec.boundary.name}+${format.name}`);
}
