/** Boundaries that know where a message ends from the message alone. */

import type { ByteWriter } from "../bytes/byte-writer.ts";
import type { Boundary, Framer, FrameSpan } from "./codec.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "./frame-limit.ts";

/** A boundary that keeps nothing between two messages, so it is the framer of all streams. */
export abstract class StatelessBoundary implements Boundary, Framer {
  readonly name: string;
  readonly maxFrameBytes: number;

  constructor(name: string, maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES) {
    this.name = name;
    this.maxFrameBytes = maxFrameBytes;
  }

  createFramer(): Framer {
    return this;
  }

  abstract find(bytes: Buffer, start: number, end: number, span: FrameSpan): number;
  abstract frame(bytes: Uint8Array, start: number, end: number, writer: ByteWriter): void;
}
