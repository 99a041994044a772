/** Messages that all have the same size. */

import type { ByteWriter } from "../../bytes/byte-writer.ts";
import { bytes as bytesFormat } from "../formats/bytes.ts";
import type { FrameSpan } from "../codec.ts";
import { FrameCodec, StatelessBoundary } from "../frame-codec.ts";
import { messageInvalid } from "../frame-error.ts";
import { checkedLimit } from "../frame-limit.ts";

const NAME = "fixedSize";

/**
 * Messages of exactly `bytes` bytes each, with nothing between them. Sending any other size is `FRAME_INVALID` with side
 * `local`. The size is the limit; changing the limit of a decoder changes nothing.
 *
 * @param bytes - Size of each message, from 1 byte to just below 512 MiB.
 * @throws UsageError `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { fixedSize } from "zocalo/framing";
 * const samples: number[] = [];
 * fixedSize(2).createDecoder().decode(Buffer.from([0, 1, 0, 2]), 0, 4, (pair) => samples.push(pair[1] ?? 0));
 * console.log(samples); // [ 1, 2 ]
 * ```
 */
export function fixedSize(bytes: number): FrameCodec<Uint8Array, Buffer> {
  return new FrameCodec(new FixedSizeBoundary(checkedLimit(NAME, "bytes", bytes)), bytesFormat());
}

class FixedSizeBoundary extends StatelessBoundary {
  constructor(bytes: number) {
    super(NAME, bytes);
  }

  override find(_bytes: Buffer, start: number, end: number, span: FrameSpan): number {
    const next = start + this.maxFrameBytes;
    if (next > end) return -this.maxFrameBytes;
    span.from = start;
    span.to = next;
    return next;
  }

  override frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void {
    if (end - start !== this.maxFrameBytes) {
      throw messageInvalid(NAME, `a message must have ${this.maxFrameBytes} bytes; it has ${end - start}`);
    }
    writer.append(bytes, start, end);
  }
}
