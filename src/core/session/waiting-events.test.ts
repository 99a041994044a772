import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type OverflowPolicy, WaitingEvents } from "./waiting-events.ts";

/** Offers the numbers from 1 on, and answers what was said, what was dropped and what waits. */
function offerAll(
  policy: OverflowPolicy,
  sizes: readonly number[],
): readonly [string, readonly number[], readonly number[]] {
  const queue = new WaitingEvents<number>(policy, { maxEvents: 2, maxBytes: 100 });
  const dropped: number[] = [];
  const said = sizes.map((bytes, index) => queue.offer(index + 1, bytes, (item) => dropped.push(item))[0]);
  const waiting: number[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) waiting.push(item);
  return [said.join(""), dropped, waiting];
}

test("D.2 drop policies act before a number is given", () => {
  const sizes = [10, 10, 10];
  assert.deepEqual(offerAll("block", sizes), ["wwf", [], [1, 2]]);
  assert.deepEqual(offerAll("strict", sizes), ["wwf", [], [1, 2]]);
  assert.deepEqual(offerAll("drop-newest", sizes), ["wwd", [], [1, 2]]);
  assert.deepEqual(offerAll("drop-oldest", sizes), ["www", [1], [2, 3]]);
});

test("bytes are bounded as well as events, and one event that is too large drops nobody else", () => {
  assert.deepEqual(offerAll("drop-oldest", [60, 60]), ["ww", [1], [2]]);
  assert.deepEqual(offerAll("drop-oldest", [60, 101]), ["wd", [], [1]]);
  assert.deepEqual(offerAll("strict", [60, 60]), ["wf", [], [1]]);
});

test("the order is kept, the bounds hold and every event is accounted for", () => {
  const policy = fc.constantFrom<OverflowPolicy>("block", "strict", "drop-oldest", "drop-newest");
  fc.assert(
    fc.property(policy, fc.array(fc.oneof(fc.nat(60), fc.constant("take" as const))), (chosen, steps) => {
      const queue = new WaitingEvents<number>(chosen, { maxEvents: 3, maxBytes: 100 });
      let offered = 0;
      let full = 0;
      const taken: number[] = [];
      for (const step of steps) {
        if (step === "take") {
          const { first } = queue;
          const item = queue.shift();
          assert.equal(item, first);
          if (item !== undefined) taken.push(item);
        } else {
          offered += 1;
          if (queue.offer(offered, step, () => undefined) === "full") full += 1;
        }
        assert.ok(queue.size <= 3 && queue.bytes <= 100);
      }
      assert.deepEqual(
        taken,
        [...taken].sort((a, b) => a - b),
      );
      assert.equal(taken.length + queue.size + queue.dropped + full, offered);
    }),
  );
});
