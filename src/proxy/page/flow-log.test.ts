import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChunkEvent, type DatagramEvent, keyOf } from "../watch.ts";
import { FlowLog } from "./flow-log.ts";

type Draw = DatagramEvent["draws"][number];

const OF = { proxy: "a", number: 1, atMs: 10 } as const;

function chunk(bytes: number, more: Partial<ChunkEvent> = {}): ChunkEvent {
  const pieces = [{ start: 0, end: bytes, leavesAtMs: 15, losses: 0, draws: [] }];
  const content = { direction: "toServer", bytes: new Uint8Array(bytes).fill(65), faults: [], pieces } as const;
  return { ...OF, type: "chunk", ...content, isHeld: false, outcome: "goes on", draws: [], ...more };
}

test("of a chunk the first bytes are told, and how it was passed on", () => {
  const { row } = new FlowLog().add(chunk(500));
  assert.deepEqual(Buffer.from(row.bytes ?? "", "base64"), Buffer.alloc(64, 65));
  assert.deepEqual([row.size, row.way, row.outcome, row.morePieces], [500, "toServer", undefined, undefined]);
  assert.deepEqual(JSON.parse(JSON.stringify(row.pieces)), [{ bytes: 500, leavesAtMs: 15 }]);
});

test("bytes behind the last piece are a piece that does not go on", () => {
  const { row } = new FlowLog().add(
    chunk(100, {
      pieces: [{ start: 0, end: 40, leavesAtMs: 12, losses: 2, lostTo: "loss", draws: [] }],
      outcome: "cut",
    }),
  );
  assert.deepEqual(JSON.parse(JSON.stringify(row.pieces)), [
    { bytes: 40, leavesAtMs: 12, losses: 2, lostTo: "loss" },
    { bytes: 60 },
  ]);
  assert.equal(row.outcome, "cut");
});

test("what silence holds back says so", () => {
  assert.equal(new FlowLog().add(chunk(5)).row.isHeld, undefined);
  assert.equal(new FlowLog().add(chunk(5, { isHeld: true })).row.isHeld, true);
  const end = { ...OF, type: "end", direction: "toServer", leavesAtMs: 10, isHeld: true, draws: [] } as const;
  assert.equal(new FlowLog().add(end).row.isHeld, true);
});

test("a chunk in a thousand pieces shows some of them", () => {
  const pieces = Array.from({ length: 1000 }, (_, at) => {
    return { start: at, end: at + 1, leavesAtMs: at, losses: 0, draws: [] };
  });
  const { row } = new FlowLog().add(chunk(1000, { pieces }));
  assert.deepEqual([row.pieces?.length, row.morePieces], [16, 984]);
});

test("what was drawn is told, as far as a page shows it", () => {
  const drawn: Draw = { of: "loss", drawn: 0.012345678, below: 0.05 };
  const draws: readonly Draw[] = Array.from({ length: 50 }, () => drawn);
  const piece = { start: 0, end: 9, leavesAtMs: 10, losses: 0, draws };
  const chance: Draw = { of: "chance", fault: "latency", drawn: 0.42, below: 0.5 };
  const { row } = new FlowLog().add(chunk(9, { pieces: [piece], draws: [chance] }));
  assert.deepEqual(row.draws, [chance]);
  assert.equal(row.pieces?.[0]?.draws?.length, 8);
  assert.deepEqual(row.pieces?.[0]?.draws?.[0], { of: "loss", drawn: 0.0123457, below: 0.05 });
});

test("a datagram is lost, or passed on once or twice", () => {
  const datagram = (more: Partial<DatagramEvent>): unknown => {
    const event = {
      ...OF,
      type: "datagram",
      direction: "toClient",
      bytes: new Uint8Array(9),
      faults: [],
      draws: [],
    } as const;
    const { row } = new FlowLog().add({ ...event, leavesAtMs: [], ...more });
    return JSON.parse(JSON.stringify(row.pieces));
  };
  assert.deepEqual(datagram({ lostTo: "loss" }), [{ bytes: 9, lostTo: "loss" }]);
  assert.deepEqual(datagram({ leavesAtMs: [3], flippedBit: 7 }), [{ bytes: 9, leavesAtMs: 3, flippedBit: 7 }]);
  assert.equal((datagram({ leavesAtMs: [3, 9] }) as readonly unknown[]).length, 2);
});

test("the log keeps the last things of all connections, and tells those of one", () => {
  const log = new FlowLog();
  for (let number = 1; number <= 50_000; number += 1) log.add({ ...chunk(1), number: 1 + (number % 2) });
  const [one, other] = [1, 2].map((number) => log.of(keyOf({ proxy: "a", number })));
  assert.ok(one !== undefined && other !== undefined);
  assert.ok(one.length + other.length < 4096);
  assert.equal(one.at(-1)?.id, 50_000);
  assert.equal(other.at(-1)?.id, 49_999);
  assert.deepEqual(log.of(keyOf({ proxy: "b", number: 1 })), []);
  log.clear(0);
  assert.deepEqual(log.of(keyOf({ proxy: "a", number: 1 })), []);
});
