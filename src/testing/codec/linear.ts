/** The codec suite: the work that a message takes, counted and not timed (docs/semantics.md, rule C5). */

import assert from "node:assert/strict";
import type { Codec } from "../../core/framing/codec.ts";
import { FrameCodec } from "../../core/framing/frame-codec.ts";
import { type CodecChecks, encoded } from "./check.ts";

/** The smaller of two messages; the other one has twice the size. */
const SIZE_BYTES = 1024;
/** Twice the bytes may take so much more work. */
const MOST_GROWTH = 2.2;
/** Work that does not depend on the size. */
const FREE_LOOKS = 200;

/** Work that is linear in the bytes. */
export const linearChecks: CodecChecks = {
  "a message of twice the size takes at most 2.2 times the looks at its bytes"(create, options) {
    for (const pieceBytes of [1, 3, 16]) {
      const once = looksAtOne(create(), options.sized(SIZE_BYTES), pieceBytes);
      const twice = looksAtOne(create(), options.sized(2 * SIZE_BYTES), pieceBytes);
      const most = MOST_GROWTH * once + FREE_LOOKS;
      assert.ok(twice <= most, `pieces of ${pieceBytes}: ${once} looks, and ${twice} for twice the bytes`);
    }
  },
};

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

/** How many bytes were looked at. */
export interface LookCount {
  looks: number;
}

/** Methods written in the engine, which look at bytes where a proxy cannot see it; counted as a look at every byte. */
const NATIVE: ReadonlySet<PropertyKey> = new Set<keyof Buffer>([
  "compare",
  "copy",
  "equals",
  "fill",
  "includes",
  "indexOf",
  "join",
  "lastIndexOf",
  "set",
  "slice",
  "subarray",
  "toString",
]);

/**
 * The same bytes, except that `count.looks` grows with each byte that is read by index or by a method of `Buffer`. What is
 * read through `buffer`, the memory beneath, is not seen.
 */
export function countedBytes(bytes: Buffer, count: LookCount): Buffer {
  return new Proxy(bytes, {
    get(target, key, receiver: Buffer): unknown {
      if (typeof key === "string" && /^\d/.test(key)) count.looks += 1;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const method = value as (...input: unknown[]) => unknown;
      // The others are written in JavaScript, and read by index from the proxy.
      if (!NATIVE.has(key)) return method.bind(receiver);
      return (...input: unknown[]): unknown => {
        count.looks += target.length;
        return method.apply(target, input);
      };
    },
  });
}
