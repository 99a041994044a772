import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Draw } from "./draw.ts";
import type { Fault } from "./fault.ts";
import { RandomStream } from "./random-stream.ts";
import { NO_STREAM_FAULTS, type StreamFault, withStreamFault } from "./stream-fault.ts";
import { StreamPlan } from "./stream-plan.ts";

const WAY = { from: "client", to: "server" } as const;
type Without<T> = T extends unknown ? Omit<T, "from" | "to"> : never;

function planOf(
  seed: number,
  ...faults: readonly Without<(Fault & { readonly from: string }) | StreamFault>[]
): StreamPlan {
  const plan = new StreamPlan((kind) => new RandomStream(seed, `proxy/1/client/${kind}`));
  let conditions = NO_STREAM_FAULTS;
  for (const fault of faults) conditions = withStreamFault(conditions, { ...fault, ...WAY });
  plan.conditions = conditions;
  return plan;
}

const some = fc.constantFrom<Without<(Fault & { readonly from: string }) | StreamFault>>(
  { kind: "latency", latency: { kind: "uniform", fromMs: 1, toMs: 40 } },
  { kind: "loss", chance: 0.2 },
  { kind: "burst-loss", enter: 0.1, leave: 0.5 },
  { kind: "reordering", chance: 0.3, delayMs: 9 },
  { kind: "corruption", chance: 0.2 },
  { kind: "duplication", chance: 0.5 },
  { kind: "bandwidth", bitsPerSecond: 800_000 },
  { kind: "slicing", averageBytes: 700, variationBytes: 650, delayMs: 2 },
);

test("bytes that come leave, once and in order, whatever the faults are; the same seed gives the same plan", () => {
  const chunk = fc.record({ count: fc.integer({ min: 1, max: 20_000 }), gapUs: fc.integer({ min: 0, max: 90_000 }) });
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(some, { maxLength: 4 }),
      fc.array(chunk, { maxLength: 12 }),
      (seed, faults, chunks) => {
        const run = (): readonly (readonly number[])[] => {
          const plan = planOf(seed, ...faults);
          let nowUs = 1000;
          let lastUs = 0;
          const leaves: number[][] = [];
          for (const { count, gapUs } of chunks) {
            nowUs += gapUs;
            const { pieces, outcome } = plan.take(count, nowUs);
            assert.equal(outcome, "goes on");
            let at = 0;
            for (const { start, end, dueUs, flippedBit } of pieces) {
              assert.equal(start, at);
              assert.ok(end > start && dueUs >= nowUs && dueUs >= lastUs);
              // The checksum of TCP finds a flipped bit.
              assert.equal(flippedBit, undefined);
              leaves.push([count, start, end, dueUs]);
              at = end;
              lastUs = dueUs;
            }
            assert.equal(at, count);
          }
          assert.ok((plan.end(nowUs) ?? 0) >= lastUs);
          return leaves;
        };
        assert.deepEqual(run(), run());
      },
    ),
  );
});

test("without faults a chunk leaves whole and at once", () => {
  const plan = planOf(1);
  assert.deepEqual(plan.take(65_536, 7), {
    pieces: [{ start: 0, end: 65_536, dueUs: 7, losses: 0, lostTo: undefined, flippedBit: undefined, draws: [] }],
    outcome: "goes on",
    draws: [],
  });
  assert.equal(plan.end(9), 9);
});

test("what is drawn is told to who wants to know, and is the same for who does not", () => {
  const make = (): StreamPlan =>
    planOf(
      7,
      { kind: "loss", chance: 0.5 },
      { kind: "latency", latency: { kind: "uniform", fromMs: 10, toMs: 30 } },
      { kind: "slicing", averageBytes: 50, variationBytes: 20 },
    );
  const [plan, unwatched] = [make(), make()];
  plan.isWatched = true;
  const { pieces } = plan.take(2000, 0);
  const others = unwatched.take(2000, 0).pieces;
  assert.deepEqual(
    pieces.map((piece) => ({ ...piece, draws: [] })),
    others,
  );
  for (const { start, end, losses, draws } of pieces) {
    const of = (kind: string): readonly Draw[] => draws.filter((draw) => draw.of === kind);
    if (end < 2000) assert.deepEqual(of("slicing"), [{ of: "slicing", drawn: end - start }]);
    assert.equal(of("loss").filter(({ drawn, below = 0 }) => drawn < below).length, losses);
    assert.equal(of("loss").length, losses + 1);
    assert.ok(of("latency").every(({ drawn }) => drawn >= 10 && drawn <= 30));
    assert.equal(of("latency").length, 1);
  }
});

test("loss is delay: a time-out that doubles, and what is behind waits; a sender gives up after 15 repetitions", () => {
  const plan = planOf(3, { kind: "loss", chance: 0.5 });
  const delays = new Set<number>();
  for (let index = 0; index < 200; index += 1) {
    const nowUs = index * 1_000_000_000_000;
    const [piece] = plan.take(100, nowUs).pieces;
    const { dueUs = 0, losses = 0 } = piece ?? {};
    assert.equal(dueUs - nowUs, 200_000 * (2 ** losses - 1));
    delays.add(losses);
  }
  assert.ok(delays.has(0) && delays.has(1) && delays.has(3));
  const first = planOf(5, { kind: "loss", chance: 0.5 });
  const due = [...Array(40).keys()].map((index) => first.take(10, index).pieces[0]?.dueUs ?? 0);
  assert.deepEqual(
    due,
    due.toSorted((a, b) => a - b),
  );
  assert.deepEqual(planOf(1, { kind: "loss", chance: 1 }).take(10, 0), { pieces: [], outcome: "timed out", draws: [] });
  assert.equal(planOf(1, { kind: "loss", chance: 1 }).end(0), undefined);
});

test("bandwidth: bytes leave as fast as they may, and none is lost for want of room", () => {
  const plan = planOf(1, { kind: "bandwidth", bitsPerSecond: 8_000_000 });
  let lastUs = 0;
  for (let index = 0; index < 100; index += 1) lastUs = plan.take(100_000, 0).pieces.at(-1)?.dueUs ?? 0;
  assert.equal(Math.round(lastUs / 1000), 10_000);
  assert.equal(plan.carriedBytes, 10_000_000);
});

test("slicing: sizes within their bounds, each slice behind the one before, across chunks", () => {
  const plan = planOf(1, { kind: "slicing", averageBytes: 10, variationBytes: 4, delayMs: 2 });
  const sizes: number[] = [];
  const dues: number[] = [];
  for (const nowUs of [0, 1000]) {
    const { pieces } = plan.take(200, nowUs);
    sizes.push(...pieces.slice(0, -1).map(({ start, end }) => end - start));
    dues.push(...pieces.map(({ dueUs }) => dueUs));
  }
  assert.ok(sizes.every((size) => size >= 6 && size <= 14) && new Set(sizes).size > 3);
  assert.deepEqual(
    dues,
    dues.map((_, index) => index * 2000),
  );
});

test("a cut lets through so many bytes, and says that the connection closes", () => {
  const plan = planOf(1, { kind: "cut", bytes: 150 });
  assert.equal(plan.take(100, 0).outcome, "goes on");
  const { pieces, outcome } = plan.take(100, 1);
  assert.deepEqual([pieces.map(({ end }) => end), outcome, plan.carriedBytes], [[50], "cut", 150]);
  assert.deepEqual(plan.take(1, 2), { pieces: [], outcome: "cut", draws: [] });
  assert.deepEqual(planOf(1, { kind: "cut", bytes: 0 }).take(1, 2), { pieces: [], outcome: "cut", draws: [] });
});

test("linger holds the end back, behind bytes that are under way", () => {
  const plan = planOf(1, { kind: "linger", delayMs: 30 }, { kind: "latency", latency: 100 });
  plan.take(10, 0);
  assert.equal(plan.end(50_000), 180_000);
});

test("a middlebox lets flipped bits through, in their place", () => {
  const plan = planOf(2, { kind: "corruption", chance: 1 });
  plan.conditions = { ...plan.conditions, middlebox: true };
  const { pieces } = plan.take(4000, 0);
  assert.deepEqual(
    pieces.map(({ start, end }) => [start, end]),
    [
      [0, 1460],
      [1460, 2920],
      [2920, 4000],
    ],
  );
  for (const { start, end, flippedBit = -1 } of pieces) assert.ok(flippedBit >= start * 8 && flippedBit < end * 8);
});

test("conditions may change at any time, and order is kept", () => {
  const plan = planOf(1, { kind: "latency", latency: 500 });
  plan.take(10, 0);
  plan.conditions = NO_STREAM_FAULTS;
  assert.equal(plan.take(10, 1000).pieces[0]?.dueUs, 500_000);
  assert.equal(plan.take(10, 600_000).pieces[0]?.dueUs, 600_000);
});
