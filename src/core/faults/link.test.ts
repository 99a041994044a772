import assert from "node:assert/strict";
import { test } from "node:test";
import { type LinkConditions, linkTable } from "./conditions.ts";
import { type Fate, Link } from "./link.ts";
import { RandomStream } from "./random-stream.ts";

const linkOf = (conditions: LinkConditions, seed = 1): Link =>
  new Link((label) => new RandomStream(seed, label), linkTable(conditions));

/** Sends packets of 1000 bytes, one each microsecond. */
function send(link: Link, count: number, payloadBytes = 1000, checked = false): Fate[] {
  return Array.from({ length: count }, (_, index) => link.send({ payloadBytes, headerBytes: 28, checked }, index));
}

const lostShare = (fates: readonly Fate[]): number =>
  fates.filter(({ lost }) => lost !== undefined).length / fates.length;

test("a link without faults delays and nothing else", () => {
  for (const [index, fate] of send(linkOf({ latency: 5 }), 10).entries()) {
    const arrivesAtUs = 5000 + index;
    assert.deepEqual(fate, {
      lost: undefined,
      arrivesAtUs,
      heldBack: false,
      againAtUs: undefined,
      flippedBit: undefined,
    });
  }
});

test("jitter alone never reorders", () => {
  const fates = send(linkOf({ latency: { kind: "exponential", baseMs: 1, meanMs: 20 } }), 1000);
  for (let index = 1; index < fates.length; index += 1) {
    assert.ok((fates[index] as Fate).arrivesAtUs >= (fates[index - 1] as Fate).arrivesAtUs);
  }
});

test("reordering lets packets overtake", () => {
  const fates = send(linkOf({ reordering: { chance: 0.1, delayMs: 3 } }), 1000);
  const late = fates.filter((fate, index) => fate.arrivesAtUs === 1000 + index + 3000).length;
  assert.ok(late > 50 && late < 150, String(late));
  assert.equal(fates.filter(({ heldBack }) => heldBack).length, late);
});

test("independent loss, and loss of fragments", () => {
  assert.ok(Math.abs(lostShare(send(linkOf({ loss: 0.2 }), 5000)) - 0.2) < 0.03);
  // Four fragments: 1 - 0.8^4.
  assert.ok(Math.abs(lostShare(send(linkOf({ loss: 0.2 }), 5000, 5000)) - 0.59) < 0.04);
  assert.equal(lostShare(send(linkOf({ loss: 1 }), 10)), 1);
});

test("with any seed, loss is as likely as it says: three standard deviations, with the exceptions that these have", () => {
  const [packets, seeds] = [2_000, 300];
  for (const chance of [0.01, 0.14, 0.5, 0.9]) {
    const deviation = Math.sqrt(packets * chance * (1 - chance));
    let all = 0;
    let outside = 0;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const lost = lostShare(send(linkOf({ loss: chance }, seed), packets)) * packets;
      all += lost;
      if (Math.abs(lost - packets * chance) > 3 * deviation) outside += 1;
    }
    assert.ok(Math.abs(all - seeds * packets * chance) < 3 * deviation * Math.sqrt(seeds), `${chance}: ${all}`);
    // 0.3 % of a normal distribution lie outside; a binomial one of few losses has a longer tail.
    assert.ok(outside <= seeds * 0.02, `${chance}: ${outside}`);
  }
});

test("bursty loss comes in bursts of the expected length", () => {
  const fates = send(linkOf({ loss: { enter: 0.01, leave: 0.2 } }), 20_000);
  let bursts = 0;
  for (let index = 1; index < fates.length; index += 1) {
    if (fates[index]?.lost !== undefined && fates[index - 1]?.lost === undefined) bursts += 1;
  }
  const lost = fates.filter(({ lost: reason }) => reason !== undefined).length;
  assert.ok(lost / bursts > 4 && lost / bursts < 6, `${lost} in ${bursts}`);
});

test("bandwidth makes packets wait, and its queue overflows", () => {
  // 1028 bytes take 8224 microseconds at a megabit.
  const link = linkOf({ latency: 0, bandwidthBitsPerSecond: 1_000_000, queueBytes: 5000 });
  const fates = send(link, 8);
  assert.deepEqual(
    fates.slice(0, 4).map(({ arrivesAtUs }) => arrivesAtUs),
    [8224, 16_448, 24_672, 32_896],
  );
  assert.equal(fates[7]?.lost, "queue");
});

test("duplicates arrive later, flipped bits lie in the payload, and checked packets are lost instead", () => {
  for (const { arrivesAtUs, againAtUs } of send(linkOf({ duplication: 1 }), 20))
    assert.ok((againAtUs ?? 0) >= arrivesAtUs);
  for (const { flippedBit = -1 } of send(linkOf({ corruption: 1 }), 20))
    assert.ok(flippedBit >= 0 && flippedBit < 8000);
  assert.equal(send(linkOf({ corruption: 1 }), 1, 0)[0]?.flippedBit, undefined);
  for (const { lost } of send(linkOf({ corruption: 1 }), 5, 1000, true)) assert.equal(lost, "corruption");
});

test("another fault does not move the draws of this one", () => {
  const alone = send(linkOf({ loss: 0.3 }), 200).map(({ lost }) => lost);
  const beside = send(linkOf({ loss: 0.3, duplication: 0.5, reordering: 0.5, corruption: 0.1 }), 200).map(
    ({ lost }) => lost,
  );
  assert.deepEqual(beside, alone);
});
