/** A peer that sends as many and as small messages as it can keeps nobody waiting (docs/semantics.md, rule C4). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type FramedStream, pair } from "../../src/index.ts";
import { chain, type Codec, cobs, delimiter, json, lines, type OnSkipped, slip, text } from "../../src/framing.ts";

/** Most messages between two turns of the event loop: two budgets, since one may end where the other begins. */
const MOST_IN_A_TURN = 2 * 2048;
const COUNT = 30_000;

/** Counts what happens between two turns of the event loop. */
class Turns implements Disposable {
  most = 0;
  total = 0;
  #now = 0;
  #over = false;
  readonly count = (): void => {
    this.total += 1;
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
  };

  constructor() {
    const next = (): void => {
      this.#now = 0;
      if (!this.#over) setImmediate(next);
    };
    next();
  }

  [Symbol.dispose](): void {
    this.#over = true;
  }
}

/** Ways to receive everything. */
const ways: Readonly<Record<string, (framed: FramedStream<never, unknown>, count: () => void) => Promise<void>>> = {
  async receive(framed, count) {
    while ((await framed.receive()) !== null) count();
  },
  async iteration(framed, count) {
    for await (const message of framed) if (message !== undefined) count();
  },
  async batches(framed, count) {
    for await (const batch of framed.batches()) batch.forEach(count);
  },
  onMessages: (framed, count) => framed.onMessages(count),
  onFrames: (framed, count) => framed.onFrames(count),
  async "onMessages that pauses"(framed, count) {
    let told = 0;
    await framed.onMessages(() => {
      count();
      told += 1;
      if (told % 1000 !== 0) return;
      framed.pause();
      setImmediate(() => framed.resume());
    });
  },
};

async function flood(
  codec: Codec<never, unknown>,
  wire: Buffer,
  receive: (framed: FramedStream<never, unknown>) => Promise<void>,
): Promise<void> {
  const [left, right] = pair();
  const sent = left.write(wire).then(() => left.end());
  await receive(right.framed(codec));
  await right.close();
  await sent;
}

for (const [name, receive] of Object.entries(ways)) {
  test(`${name}: empty messages without end leave others their turn, and none is lost`, async () => {
    using turns = new Turns();
    await flood(lines(), Buffer.alloc(COUNT, "\n"), (framed) => receive(framed, turns.count));
    assert.equal(turns.total, COUNT);
    assert.ok(turns.most <= MOST_IN_A_TURN, `${turns.most} in one turn`);
  });
}

type Skipping = readonly [
  make: (resynchronise: OnSkipped) => Codec<never, unknown>,
  wrong: Buffer,
  isBoundarys: boolean,
];

/** Codecs that skip, the shortest messages that they skip, and whether it is the boundary that finds them wrong. */
const skipping: Readonly<Record<string, Skipping>> = {
  "lines and json": [(resynchronise) => chain(lines({ resynchronise }), json()), Buffer.from("x\n"), false],
  "lines that are not UTF-8": [(resynchronise) => lines({ resynchronise }), Buffer.from([0xff, 0x0a]), false],
  "lines with LF alone": [(resynchronise) => lines({ ending: "crlf", resynchronise }), Buffer.from("\n"), true],
  "lines that are too long": [(resynchronise) => lines({ maxLineBytes: 1, resynchronise }), Buffer.from("abc\n"), true],
  cobs: [(resynchronise) => cobs({ resynchronise }), Buffer.from([9, 1, 0]), true],
  slip: [(resynchronise) => slip({ resynchronise }), Buffer.from([0xdb, 0xc0]), true],
  "delimiter and text": [
    (resynchronise) => chain(delimiter(";", { resynchronise }), text()),
    Buffer.from([0xff, 0x3b]),
    false,
  ],
};

for (const [name, [make, wrong, isBoundarys]] of Object.entries(skipping)) {
  test(`${name}: wrong messages without end leave others their turn, and each is reported`, async () => {
    for (const [way, receive] of Object.entries(ways)) {
      // It does not decode, so no format finds anything wrong.
      if (way === "onFrames" && !isBoundarys) continue;
      using turns = new Turns();
      const wire = Buffer.concat(Array.from({ length: COUNT / 3 }, () => wrong));
      await flood(make(turns.count), wire, (framed) => receive(framed, () => assert.fail("none is right")));
      assert.equal(turns.total, COUNT / 3, way);
      assert.ok(turns.most <= MOST_IN_A_TURN, `${way}: ${turns.most} in one turn`);
    }
  });
}

test("detach between two turns gives back what was not decoded", async () => {
  const [left, right] = pair();
  await left.write(`${"\n".repeat(5000)}rest`);
  const framed = right.framed(lines());
  for (let count = 0; count < 256; count += 1) assert.equal(await framed.receive(), "");
  const waiting = framed.receive();
  waiting.catch(() => undefined);
  const socket = framed.detach();
  await assert.rejects(waiting, { code: "CLOSED" });
  assert.equal(String(await socket.readExactly(5000 - 256 + 4)), `${"\n".repeat(5000 - 256)}rest`);
  socket.abort();
  left.abort();
});
