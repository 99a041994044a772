import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS, type HandshakeLimits } from "../handshake/limits.ts";
import { NOTHING, Outgoing } from "./outgoing.ts";
import { Requests } from "./requests.ts";
import { DEFAULT_REPLAY, type ReplayBounds } from "./settings.ts";

const ITEMS = { sends: true, receives: false };

function outgoing(peer: Partial<HandshakeLimits>, replay: Partial<ReplayBounds> = {}): Outgoing {
  const limits = DEFAULT_LIMITS;
  const peerLimits = { ...limits, ...peer };
  const bounds = { ...DEFAULT_REPLAY, ...replay };
  const settings = { role: "client", limits, peerLimits, replay: bounds, keptMs: 1000 } as const;
  return new Outgoing(settings, new Requests(settings));
}

/** Hands everything to a connection, and acknowledges the first `count` of what is not acknowledged. */
function acknowledge(out: Outgoing, count: number): void {
  out.take(Infinity, 0, []);
  out.log.acknowledge(out.log.acknowledged + count);
}

/** Who is told of room, until nobody is; each is given it, and uses it for one item. */
function served(out: Outgoing): number[] {
  const ids: number[] = [];
  for (let told = out.takeRoom(); told !== undefined; told = out.takeRoom()) {
    if (told.type !== "streamWritable") throw new Error(told.type);
    assert.equal(out.item(told.id, NOTHING, 0), true);
    ids.push(told.id);
  }
  return ids;
}

test("room for one message is told to one stream: one acknowledgement costs no walk over all that wait", () => {
  const out = outgoing({}, { maxMessages: 64 });
  const ids = Array.from({ length: 64 }, () => out.open(0, NOTHING, ITEMS, 0));
  for (const id of ids) assert.equal(out.item(id, NOTHING, 0), false);
  assert.equal(out.takeRoom(), undefined);
  const rounds = ids.map(() => {
    acknowledge(out, 1);
    return served(out);
  });
  assert.deepEqual(rounds.flat(), ids, "in the order in which they began to wait");
  assert.ok(rounds.every(({ length }) => length === 1));
  acknowledge(out, 1);
  assert.equal(out.takeRoom(), undefined);
  assert.equal(out.room.waits, false);
});

test("a stream without credit is told by its own credit, not by room", () => {
  const out = outgoing({ streamWindowBytes: 1 }, { maxMessages: 4 });
  const [first = 0, second = 0] = [0, 0].map(() => out.open(0, NOTHING, ITEMS, 0));
  for (const id of [first, second]) {
    assert.equal(out.item(id, NOTHING, 0), true);
    assert.equal(out.item(id, NOTHING, 0), false);
  }
  acknowledge(out, 4);
  assert.equal(out.takeRoom(), undefined);
  out.credited(second, 1);
  assert.equal(out.takeRoom(), undefined, "it allows no more than before");
  out.credited(second, 100);
  assert.deepEqual(out.takeRoom(), { type: "streamWritable", id: second });
  assert.equal(out.takeRoom(), undefined);
});

test("a stream that is over is not told", () => {
  const out = outgoing({}, { maxMessages: 3 });
  const [first = 0, second = 0] = [0, 0].map(() => out.open(0, NOTHING, ITEMS, 0));
  out.item(first, NOTHING, 0);
  assert.deepEqual([out.item(first, NOTHING, 0), out.item(second, NOTHING, 0)], [false, false]);
  out.cancel(first, 0);
  acknowledge(out, 2);
  assert.deepEqual(served(out), [second]);
});

test("requests are told when what they were refused for is over, and not before", () => {
  const out = outgoing({ maxCalls: 1, maxStreams: 1, windowBytes: 25 });
  const call = out.call(0, NOTHING, Infinity, 0);
  assert.equal(out.call(0, NOTHING, Infinity, 0), 0);
  assert.equal(out.takeRoom(), undefined);
  out.cancel(call, 0);
  assert.deepEqual(out.takeRoom(), { type: "writable" });
  assert.equal(out.takeRoom(), undefined);
  assert.ok(out.open(0, NOTHING, ITEMS, 0) > 0);
  assert.equal(out.event(0, NOTHING, 0), false, "the window is used up");
  assert.equal(out.takeRoom(), undefined);
  out.credited(0, 1000);
  assert.deepEqual(out.takeRoom(), { type: "writable" });
  assert.equal(out.open(0, NOTHING, ITEMS, 0), 0);
  assert.equal(out.takeRoom(), undefined);
});

test("nobody is told of room when the session is over", () => {
  const out = outgoing({ maxCalls: 1 });
  out.call(0, NOTHING, Infinity, 0);
  out.call(0, NOTHING, Infinity, 0);
  out.end();
  assert.equal(out.room.waits, false);
});
