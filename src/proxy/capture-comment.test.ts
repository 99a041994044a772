import assert from "node:assert/strict";
import { test } from "node:test";
import type { Draw } from "../core/faults/draw.ts";
import { chunkComment, datagramComment, endComment } from "./capture-comment.ts";
import type { ChunkEvent, DatagramEvent, EndEvent, WatchedPiece } from "./watch.ts";

const OF = { proxy: "a", number: 1, atMs: 50, direction: "toServer" } as const;

function piece(fields: Partial<WatchedPiece>): WatchedPiece {
  return { start: 0, end: 10, leavesAtMs: 50, losses: 0, draws: [], ...fields };
}

function chunk(pieces: readonly WatchedPiece[], fields: Partial<ChunkEvent> = {}): string | undefined {
  return chunkComment({
    ...OF,
    type: "chunk",
    bytes: Buffer.alloc(10),
    faults: [],
    pieces,
    isHeld: false,
    outcome: "goes on",
    draws: [],
    ...fields,
  });
}

test("a chunk to which nothing was done has no comment; else it names the faults and what they did", () => {
  assert.equal(chunk([piece({})]), undefined);
  assert.equal(chunk([piece({ leavesAtMs: 50.0000001 })], { faults: ["latency"] }), undefined);
  const cases: readonly (readonly [pieces: readonly WatchedPiece[], fields: Partial<ChunkEvent>, text: string])[] = [
    [[piece({ leavesAtMs: 150 })], { faults: ["latency"] }, "latency: passed on 100 ms later"],
    [[], { faults: ["timeout"], lostTo: "timeout" }, "lost: timeout"],
    [[piece({ leavesAtMs: 50.25 })], {}, "behind others: passed on 0.25 ms later"],
    [
      [piece({ end: 4 }), piece({ start: 4, leavesAtMs: 250, losses: 2, lostTo: "loss" })],
      { faults: ["loss", "slicing"] },
      "loss, slicing: lost 2 times (loss) and sent again; passed on in 2 pieces, 0 to 200 ms later",
    ],
    [
      [piece({ losses: 1, lostTo: "corruption" })],
      { faults: ["corruption"] },
      "corruption: lost once (corruption) and sent again",
    ],
    [[piece({ flippedBit: 3 })], { faults: ["corruption"] }, "corruption: bit 3 is flipped"],
    [
      [piece({ end: 4 })],
      { faults: ["cut"], outcome: "cut" },
      "cut: only 4 of 10 bytes are passed on; the connection closes behind them",
    ],
    [[], { faults: ["loss"], outcome: "timed out" }, "loss: only 0 of 10 bytes are passed on; the connection is lost"],
    [[piece({})], { faults: ["loss"], isHeld: true }, "loss: held back until the silence ends"],
  ];
  for (const [pieces, fields, text] of cases) assert.equal(chunk(pieces, fields), text);
});

test("a comment says what was drawn, as far as there is place", () => {
  const draws: readonly Draw[] = [
    { of: "loss", drawn: 0.6000001, below: 0.05 },
    { of: "latency", drawn: 112.4 },
  ];
  const chance: Draw = { of: "chance", fault: "latency", drawn: 0.42, below: 0.5 };
  assert.equal(
    chunk([piece({ leavesAtMs: 162.4, draws })], { faults: ["latency", "loss"], draws: [chance] }),
    "latency, loss: passed on 112.4 ms later; drawn: chance of latency 0.42 < 0.5, loss 0.6 >= 0.05, latency 112.4 ms",
  );
  const many = Array.from({ length: 11 }, (): Draw => ({ of: "slicing", drawn: 7 }));
  assert.match(chunk([piece({ leavesAtMs: 60, draws: many })]) ?? "", /(?:slicing 7 bytes(?:, )?){8} and 3 more$/);
});

test("a datagram says why it was lost, or what became of it; an end when it is passed on", () => {
  const datagram = (fields: Partial<DatagramEvent>): string | undefined =>
    datagramComment({
      ...OF,
      type: "datagram",
      bytes: Buffer.alloc(2),
      faults: [],
      leavesAtMs: [50],
      draws: [],
      ...fields,
    });
  assert.equal(datagram({}), undefined);
  assert.equal(datagram({ lostTo: "queue", leavesAtMs: [], faults: ["bandwidth"] }), "lost: queue");
  assert.equal(
    datagram({ leavesAtMs: [60, 61], faults: ["duplication"] }),
    "duplication: passed on twice, 10 to 11 ms later",
  );
  assert.equal(datagram({ flippedBit: 9, faults: ["corruption"] }), "corruption: bit 9 is flipped");
  const end: EndEvent = { ...OF, type: "end", isHeld: false, draws: [] };
  assert.equal(endComment({ ...end, leavesAtMs: 50 }), undefined);
  assert.equal(endComment({ ...end, leavesAtMs: 60 }), "passed on 10 ms later");
  assert.equal(endComment({ ...end, leavesAtMs: 50, isHeld: true }), "held back until the silence ends");
  assert.equal(endComment(end), "lost: the end is not passed on");
});
