import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DatagramFaults, type DatagramFaultReport } from "./datagram-faults.ts";
import { Tally, type TallyReport } from "./tally.ts";

/** Sends the numbers 1 to `total` through the faults of `seed`. */
function through(seed: number, total: number): { faults: DatagramFaultReport; tally: TallyReport; order: string[] } {
  const faults = new DatagramFaults(seed);
  const tally = new Tally(total);
  const order: string[] = [];
  for (let number = 1; number <= total; number += 1) {
    order.push(...faults.take(Buffer.from(String(number))).map(String));
  }
  order.push(...faults.flush().map(String));
  for (const text of order) tally.add(text);
  return { faults: faults.report(), tally: tally.report(), order };
}

test("what arrives is what the report says, for every seed and every length", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(500), (seed, total) => {
      const { faults, tally } = through(seed, total);
      assert.equal(faults.taken, total);
      assert.equal(tally.received, faults.forwarded);
      assert.equal(tally.lost, faults.dropped);
      assert.equal(tally.twice, faults.doubled);
      assert.equal(tally.outOfOrder, faults.reordered);
      assert.equal(tally.damaged, 0);
    }),
  );
});

test("the same seed does the same", () => {
  assert.deepEqual(through(42, 2000).order, through(42, 2000).order);
});

test("about 5 % are dropped, 1 % doubled, 2 % reordered", () => {
  const { dropped, doubled, reordered } = through(1, 100_000).faults;
  assert.ok(dropped > 4_700 && dropped < 5_300, String(dropped));
  assert.ok(doubled > 850 && doubled < 1_150, String(doubled));
  assert.ok(reordered > 1_750 && reordered < 2_250, String(reordered));
});
