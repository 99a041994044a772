import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { OverflowPolicy } from "../options/check-options.ts";
import { makeRoom } from "./waiting-events.ts";

class Queue {
  readonly sizes: number[] = [];
  dropped = 0;

  get size(): number {
    return this.sizes.length;
  }
  get bytes(): number {
    return this.sizes.reduce((sum, bytes) => sum + bytes, 0);
  }
  dropOldest(): void {
    this.sizes.shift();
    this.dropped += 1;
  }
}

/** Offers events; answers which were taken, how many others were dropped, and what waits. */
function offerAll(policy: OverflowPolicy, sizes: readonly number[]): readonly [string, number, readonly number[]] {
  const queue = new Queue();
  const said = sizes.map((bytes) => {
    const taken = makeRoom(queue, { maxEvents: 2, maxBytes: 100 }, policy, bytes);
    if (taken) queue.sizes.push(bytes);
    return taken ? "+" : "-";
  });
  return [said.join(""), queue.dropped, queue.sizes];
}

// The rules are those of docs/semantics.md.
test("rule D2: only drop-oldest lets others make room", () => {
  for (const policy of ["block", "strict", "drop-newest"] as const)
    assert.deepEqual(offerAll(policy, [10, 11, 12]), ["++-", 0, [10, 11]]);
  assert.deepEqual(offerAll("drop-oldest", [10, 11, 12]), ["+++", 1, [11, 12]]);
});

test("bytes are bounded as well as events, and one event that is too large drops nobody else", () => {
  assert.deepEqual(offerAll("drop-oldest", [60, 61]), ["++", 1, [61]]);
  assert.deepEqual(offerAll("drop-oldest", [60, 101]), ["+-", 0, [60]]);
  assert.deepEqual(offerAll("strict", [60, 60]), ["+-", 0, [60]]);
});

test("what the owner may hold counts as well: older events make room for the newest, or none is dropped in vain", () => {
  const bounds = { maxEvents: 100, maxBytes: 1000 };
  const queue = new Queue();
  let others = 0;
  const mayHold = (more: number): boolean => others + queue.bytes + more <= 50;
  const offer = (policy: OverflowPolicy, bytes: number): boolean => {
    const taken = makeRoom(queue, bounds, policy, bytes, mayHold);
    if (taken) queue.sizes.push(bytes);
    return taken;
  };
  for (const bytes of [20, 21, 22]) assert.equal(offer("drop-oldest", bytes), true);
  assert.deepEqual([queue.sizes, queue.dropped], [[21, 22], 1]);
  assert.equal(offer("drop-newest", 10), false);
  others = 45;
  assert.equal(offer("drop-oldest", 10), false);
  assert.deepEqual([queue.sizes, queue.dropped], [[21, 22], 1]);
  assert.equal(offer("drop-oldest", 5), true);
  assert.deepEqual([queue.sizes, queue.dropped], [[5], 3]);
});

test("the bounds hold and every event is accounted for", () => {
  const policy = fc.constantFrom<OverflowPolicy>("block", "strict", "drop-oldest", "drop-newest");
  fc.assert(
    fc.property(policy, fc.array(fc.oneof(fc.nat(120), fc.constant("take" as const))), (chosen, steps) => {
      const queue = new Queue();
      let [offered, refused, taken] = [0, 0, 0];
      for (const step of steps) {
        if (step === "take") {
          if (queue.sizes.shift() !== undefined) taken += 1;
        } else {
          offered += 1;
          if (makeRoom(queue, { maxEvents: 3, maxBytes: 100 }, chosen, step)) queue.sizes.push(step);
          else refused += 1;
        }
        assert.ok(queue.size <= 3 && queue.bytes <= 100);
      }
      assert.equal(taken + queue.size + queue.dropped + refused, offered);
    }),
  );
});
