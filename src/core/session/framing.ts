/** How the frames of a session are found. */

import { lengthPrefix } from "../framing/boundaries/length-prefix.ts";
import type { Framer } from "../framing/codec.ts";
import type { FrameCodec } from "../framing/frame-codec.ts";

/** How frames are found. The framer keeps nothing between two of them. */
export type Framing = { readonly codec: FrameCodec<Uint8Array, Buffer>; readonly framer: Framer };

/** The one that was used last: all sessions of a server have the same limits. */
let lastFraming: Framing | undefined;

export function framingOf(maxFrameBytes: number): Framing {
  if (lastFraming?.codec.maxFrameBytes !== maxFrameBytes) {
    const codec = lengthPrefix({ maxFrameBytes });
    lastFraming = { codec, framer: codec.boundary.createFramer() };
  }
  return lastFraming;
}
