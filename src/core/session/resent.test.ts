import assert from "node:assert/strict";
import { test } from "node:test";
import { body, Pair } from "../../../test/fixtures/session-pair.ts";

const MIB = 1_048_576;
const LENGTH = 100_000;
/** Length, type and method of an event stand before its body. */
const EVENT_BYTES = LENGTH + 7;
const text = "x".repeat(LENGTH);

/** The frame of an event of method 3. */
function event(): Buffer {
  const frame = Buffer.alloc(EVENT_BYTES, "x");
  frame.writeUInt32BE(EVENT_BYTES - 4);
  frame.writeUInt8(0x40, 4);
  frame.writeUInt16BE(3, 5);
  return frame;
}

/** A credit that no window asks for: what the server has handled, of which it has kept nothing. */
const credit = Buffer.from(`0000000d1100000000${(8 * MIB).toString(16).padStart(16, "0")}`, "hex");

/** A pair whose client has sent so many events, of which nothing has arrived, and whose server is another process now. */
function moved(events: number): Pair {
  const pair = new Pair({ replay: { maxBytes: 4 * MIB } });
  pair.client.attach(0, 0);
  pair.deliver("client", credit);
  for (let count = 0; count < events; count += 1) assert.ok(pair.client.sendEvent(3, body(text), 0));
  while (pair.client.output(0).length > 0);
  pair.client.detach(0);
  const { sent } = pair.client.resumePoint;
  assert.equal(sent, events);
  pair.handling = false;
  assert.ok(pair.server.attach(0, 0, sent));
  assert.ok(pair.client.attach(0, 0, 0));
  return pair;
}

/** So many events the client can send now, before the server has handled any. */
function sendAll(pair: Pair): number {
  let sent = 0;
  while (pair.client.sendEvent(3, body(text), 0)) sent += 1;
  return sent;
}

test("what a client says it had sent is outside of the window up to a mebibyte; then the window counts", () => {
  const pair = new Pair();
  pair.handling = false;
  // No client can have sent so much.
  assert.ok(pair.server.attach(0, 0, Number.MAX_SAFE_INTEGER));
  let bytes = 0;
  while (pair.server.state === "attached" && bytes < 8 * MIB) {
    pair.deliver("server", event());
    bytes += EVENT_BYTES;
  }
  assert.equal(pair.told("server").at(-1)?.slice(0, 30), "ended LIMIT_EXCEEDED");
  assert.ok(bytes > 2 * MIB && bytes <= 2 * MIB + 3 * EVENT_BYTES, `${bytes} bytes`);
});

test("a client counts what it sends again as the server does, so that neither ends the session", () => {
  for (const [again, fits] of [
    [5, 11],
    [11, 11],
    [15, 7],
    [21, 1],
    [22, 0],
  ] as const) {
    const pair = moved(again);
    assert.equal(sendAll(pair), fits, `${again} again`);
    pair.run();
    assert.equal(pair.told("server").filter((what) => what.startsWith("event")).length, again + fits);
    // All of it is handled: the client goes on.
    for (let count = 0; count < again + fits; count += 1) pair.server.eventHandled(EVENT_BYTES);
    pair.run();
    assert.equal(sendAll(pair), 11, `${again} again, and then`);
    pair.run();
    assert.equal(pair.server.state, "attached");
  }
});

test("while more is not acknowledged than another process takes again, requests wait for that", () => {
  const pair = new Pair({ replay: { maxBytes: 8 * MIB }, moves: ["client", "server"] });
  pair.client.attach(0, 0);
  pair.deliver("client", credit);
  const sent = sendAll(pair);
  assert.ok(sent * EVENT_BYTES >= 2 * MIB && (sent - 1) * EVENT_BYTES < 2 * MIB, `${sent} events`);
  while (pair.client.output(0).length > 0);
  assert.deepEqual(pair.told("client"), []);
  pair.deliver("client", Buffer.from("00000009100000000000000005", "hex"));
  assert.deepEqual(pair.told("client"), ["writable"]);
  assert.equal(sendAll(pair), 5);
});
