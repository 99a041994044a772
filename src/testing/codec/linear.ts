/** The codec suite: the work is linear, counted in bytes that were looked at. */

import assert from "node:assert/strict";
import type { Codec } from "../../core/framing/codec.ts";
import { FrameCodec } from "../../core/framing/frame-codec.ts";
import { type CodecCheck, encoded } from "./check.ts";
import { countedBytes, type LookCount } from "./counted-bytes.ts";

/** The smaller of two messages; the other one has twice the size. */
const SIZE_BYTES = 1024;
/** Twice the bytes may take so much more work. */
const MOST_GROWTH = 2.2;
/** Work that does not depend on the size. */
const FREE_LOOKS = 200;

/** Counted work. */
export const linearChecks: readonly CodecCheck[] = [
  {
    title: "a message of twice the size takes at most 2.2 times the looks at its bytes, in pieces of 1, 3 and 16",
    run(create, options) {
      for (const pieceBytes of [1, 3, 16]) {
        const once = looksAtOne(create(), options.sized(SIZE_BYTES), pieceBytes);
        const twice = looksAtOne(create(), options.sized(2 * SIZE_BYTES), pieceBytes);
        const most = MOST_GROWTH * once + FREE_LOOKS;
        assert.ok(twice <= most, `pieces of ${pieceBytes}: ${once} looks, and ${twice} for twice the bytes`);
      }
    },
  },
];

/** How many bytes the framer looks at until it has found the end of the message, which comes piece by piece. */
function looksAtOne<In>(codec: Codec<In, unknown>, message: In, pieceBytes: number): number {
  // Only codecs made of a boundary and a format show their search.
  if (!(codec instanceof FrameCodec)) return 0;
  const wire = encoded(codec, [message]);
  const framer = codec.boundary.createFramer();
  const count: LookCount = { looks: 0 };
  const bytes = countedBytes(wire, count);
  const span = { seen: 0, limit: codec.maxFrameBytes, from: 0, to: 0, source: undefined };
  let needed = 1;
  for (let held = Math.min(pieceBytes, wire.length); ; held = Math.min(held + pieceBytes, wire.length)) {
    if (held >= needed) {
      const answer = framer.find(bytes, 0, held, span);
      if (answer > 0) break;
      assert.ok(-answer > held, "the framer asks for no more than there is");
      needed = -answer;
      span.seen = held;
    }
    assert.ok(held < wire.length, "the end of the message was not found");
  }
  return count.looks;
}
