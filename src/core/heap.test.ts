import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Heap } from "./heap.ts";

test("the first is the one that comes before all others, whatever was placed, changed and removed before", () => {
  const step = fc.record({ one: fc.nat(9), weight: fc.nat(20), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const heap = new Heap<{ heapIndex: number; weight: number }>((one, other) => one.weight > other.weight);
      const members = Array.from({ length: 10 }, () => ({ heapIndex: -1, weight: 0 }));
      const inside = new Set<(typeof members)[number]>();
      for (const { one: index, weight, remove } of steps) {
        const one = members[index] as (typeof members)[number];
        if (remove) {
          heap.remove(one);
          inside.delete(one);
        } else {
          one.weight = weight;
          heap.place(one);
          inside.add(one);
        }
        assert.equal(heap.size, inside.size);
        const most = Math.max(...[...inside].map((each) => each.weight));
        assert.equal(heap.first?.weight, inside.size === 0 ? undefined : most);
        for (const each of members) assert.equal(each.heapIndex >= 0, inside.has(each));
      }
    }),
  );
});

test("each change costs a few comparisons, however many members there are", () => {
  let comparisons = 0;
  const heap = new Heap<{ heapIndex: number; weight: number }>((one, other) => {
    comparisons += 1;
    return one.weight > other.weight;
  });
  const members = Array.from({ length: 65_536 }, (_, index) => ({ heapIndex: -1, weight: (index * 7919) % 65_536 }));
  for (const one of members) heap.place(one);
  for (const [index, one] of members.entries()) {
    comparisons = 0;
    one.weight = (index * 104_729) % 65_536;
    heap.place(one);
    // Two for each of the 16 levels on the way down, one on the way up, and one that stops each way.
    assert.ok(comparisons <= 3 * 16 + 2, `${comparisons} comparisons`);
  }
});
