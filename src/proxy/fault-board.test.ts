import assert from "node:assert/strict";
import { test } from "node:test";
import { type BoardFault, ConnectionFaults, FaultBoard } from "./fault-board.ts";
import type { ProxyFault } from "./fault.ts";

const SLOW: ProxyFault = { kind: "latency", from: "client", to: "server", latency: 5, when: { chance: 0.5 } };

/** Keeps what it is told, as a connection does. */
class Watcher {
  calls = 0;
  /** Faults that it was told of. */
  told = 0;
  acting = new Set<BoardFault>();

  boardChanged(began: readonly BoardFault[], ended: ReadonlySet<BoardFault>): void {
    this.calls += 1;
    this.told += began.length + ended.size;
    for (const one of began) this.acting.add(one);
    for (const one of ended) assert.ok(this.acting.delete(one));
  }
}

function boardFor(most: number): FaultBoard {
  return new FaultBoard(1, "a", most, () => undefined);
}

test("each connection is told of each fault once, however many act, and once for all of a turn", async () => {
  const board = boardFor(Infinity);
  const watchers = Array.from({ length: 40 }, () => new Watcher());
  for (const watcher of watchers) board.watch(watcher);
  const guards = Array.from({ length: 2_000 }, () => board.inflict(SLOW));
  assert.equal(board.faults.length, 2_000);
  await Promise.resolve();
  for (const { calls, told, acting } of watchers) assert.deepEqual([calls, told, acting.size], [2, 2_000, 2_000]);
  for (const guard of guards) guard.heal();
  await Promise.resolve();
  for (const { calls, told, acting } of watchers) assert.deepEqual([calls, told, acting.size], [3, 4_000, 0]);
  // One in each turn.
  for (let count = 0; count < 100; count += 1) {
    board.inflict(SLOW);
    await Promise.resolve();
  }
  for (const { calls, told } of watchers) assert.deepEqual([calls, told], [103, 4_100]);
});

test("who comes in the middle of a turn has the faults of now, and is told of none twice", async () => {
  const board = boardFor(10);
  const [early, late] = [new Watcher(), new Watcher()];
  board.watch(early);
  const guard = board.inflict(SLOW);
  board.watch(late);
  assert.deepEqual([early.told, late.told], [1, 1]);
  board.inflict(SLOW);
  guard.heal();
  // It begins and ends in one turn.
  board.inflict(SLOW).heal();
  await Promise.resolve();
  assert.deepEqual([early.told, late.told], [3, 3]);
  board.unwatch(late);
  board.inflict(SLOW);
  await Promise.resolve();
  assert.deepEqual([early.told, late.told], [4, 3]);
  assert.deepEqual([...early.acting], board.faults);
});

test("a fault is hit or not, the same in both directions and whenever it is looked at", () => {
  const board = boardFor(100);
  for (let count = 0; count < 100; count += 1)
    board.inflict({ kind: "reset", from: "*", to: "*", when: { chance: 0.5 } });
  const hits = new ConnectionFaults(board, 3).among(board.faults, "toServer");
  assert.ok(hits.length > 20 && hits.length < 80);
  assert.deepEqual(new ConnectionFaults(board, 3).among(board.faults, "toClient"), hits);
  const [last] = board.faults.slice(-1) as [BoardFault];
  assert.deepEqual(new ConnectionFaults(board, 3).among([last], "toClient"), hits.includes(last) ? [last] : []);
  assert.notDeepEqual(new ConnectionFaults(board, 4).among(board.faults, "toServer"), hits);
});

test("places are taken by faults and by schedules, and are free again when they end", () => {
  const board = boardFor(3);
  const guard = board.inflict(SLOW);
  board.reserve(2);
  assert.equal(board.room, 0);
  const message = /"a" has room for 0 more faults, not for 1: limits.maxFaults is 3/;
  assert.throws(() => board.refuseFull("inflict"), { code: "OPTION_INVALID", message });
  board.inflict(SLOW, false).heal();
  assert.equal(board.room, 0);
  guard.heal();
  guard.heal();
  assert.equal(board.room, 1);
  board.reserve(-2);
  board.refuseFull("inflict", 3);
  assert.throws(() => board.refuseFull("inflict", 4), { code: "OPTION_INVALID" });
});

test("faults are replaced at the limit, and when there is no place for the new ones nothing changes", async () => {
  const board = boardFor(2);
  const watcher = new Watcher();
  board.watch(watcher);
  const other: ProxyFault = { ...SLOW, latency: 9 };
  for (const latency of [1, 2]) board.inflict({ ...SLOW, latency });
  const [first, second] = board.faults.map(({ fault }) => fault);
  assert.ok(first !== undefined && second !== undefined);
  // One that is named twice gives one place.
  assert.throws(() => board.replace([first, first], [other, other]), { code: "OPTION_INVALID" });
  assert.deepEqual(
    board.faults.map(({ fault }) => fault),
    [first, second],
  );
  const [copy] = board.replace([first], [other]);
  assert.deepEqual(copy, other);
  assert.notEqual(copy, other);
  assert.deepEqual([board.faults.map(({ fault }) => fault), board.room], [[second, copy], 0]);
  await Promise.resolve();
  assert.deepEqual([...watcher.acting], board.faults);
  // What has ended gives none, and neither does what a schedule has begun: its place is kept for it.
  assert.throws(() => board.replace([first], [other]), { code: "OPTION_INVALID" });
  assert.deepEqual(board.replace([second], []), []);
  board.reserve(1);
  board.inflict(SLOW, false);
  const scheduled = board.faults.at(-1)?.fault as ProxyFault;
  assert.throws(() => board.replace([scheduled], [other]), { code: "OPTION_INVALID" });
  assert.equal(board.faults.at(-1)?.fault, scheduled);
});
