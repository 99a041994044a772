import assert from "node:assert/strict";
import { test } from "node:test";
import { body, Pair } from "../../../test/fixtures/session-pair.ts";
import { encodeClose } from "./wire/close-frame.ts";
import { NOTHING } from "./outgoing.ts";

test("events, calls and answers go both ways, in order", () => {
  const pair = new Pair().join();
  assert.ok(pair.client.sendEvent(3, body("hola"), 0));
  const id = pair.client.call(1, body("who?"), Infinity, 0);
  pair.server.sendEvent(0, body("news"), 0);
  pair.run();
  assert.deepEqual(pair.told("server"), ["event m3 hola", "call #1 m1 who?"]);
  assert.deepEqual(pair.told("client"), ["event m0 news"]);
  assert.equal(pair.server.respond(id, body("ana"), 0), true);
  assert.equal(pair.server.respond(id, body("again"), 0), false);
  pair.run();
  assert.deepEqual(pair.told("client"), ["result #1 ana"]);
  assert.equal(pair.client.pending, 0);
});

test("a call can fail, and be cancelled", () => {
  const pair = new Pair().join();
  const [failing, cancelled] = [pair.client.call(0, NOTHING, Infinity, 0), pair.client.call(0, NOTHING, Infinity, 0)];
  pair.run().told("server");
  pair.server.fail(failing, body('{"code":"NO"}'), 0);
  assert.equal(pair.client.cancel(cancelled, 0), true);
  assert.equal(pair.client.cancel(cancelled, 0), false);
  pair.run();
  assert.deepEqual(pair.told("client"), ['error #1 {"code":"NO"}']);
  assert.deepEqual(pair.told("server"), [`cancelled #${cancelled}`]);
  assert.equal(pair.server.respond(cancelled, NOTHING, 0), false);
});

test("a stream carries items in both directions until both ended", () => {
  const pair = new Pair().join();
  const id = pair.client.openStream(2, body("file"), { sends: true, receives: true }, 0);
  assert.equal(pair.client.sendItem(id, body("up"), 0), true);
  pair.client.endStream(id, 0);
  pair.run();
  assert.deepEqual(pair.told("server"), ["open #1 m2 file", "item #1 up", "itemsEnded #1"]);
  assert.equal(pair.server.sendItem(id, body("down"), 0), true);
  pair.server.endStream(id, 0);
  pair.run();
  assert.deepEqual(pair.told("client"), ["item #1 down", "itemsEnded #1"]);
  assert.deepEqual([pair.client.pending, pair.server.pending], [0, 0]);
  assert.throws(() => pair.server.sendItem(id, NOTHING, 0), /takes no items/);
});

test("a slow stream never holds up another", () => {
  const pair = new Pair({ limits: { streamWindowBytes: 100 } }).join();
  pair.handling = false;
  const slow = pair.client.openStream(0, NOTHING, { sends: true, receives: false }, 0);
  const quick = pair.client.openStream(0, NOTHING, { sends: true, receives: false }, 0);
  while (pair.client.sendItem(slow, body("x".repeat(30)), 0)) pair.run();
  assert.equal(pair.client.sendItem(quick, body("y"), 0), true);
  pair.run();
  assert.equal(pair.told("server").at(-1), `item #${quick} y`);
  for (let item = 0; item < 3; item += 1) pair.server.itemHandled(slow, 39);
  pair.run();
  assert.deepEqual(pair.told("client"), [`streamWritable #${slow}`]);
});

test("a silent peer is asked, and then given up", () => {
  const pair = new Pair({ limits: { heartbeatMs: 1000 } }).join().run();
  pair.wait(1000).run();
  assert.equal(pair.client.link?.roundTripMs, 0);
  for (const ms of [1000, 1000, 250]) {
    pair.now += ms;
    pair.client.onDeadline(pair.now);
    pair.client.output(pair.now);
    pair.drain("client");
  }
  assert.deepEqual(pair.told("client"), ["unresponsive"]);
  assert.equal(pair.client.state, "detached");
});

test("the calls that wait for an answer are bounded by the peer", () => {
  const pair = new Pair({ limits: { maxCalls: 1 } }).join();
  const id = pair.client.call(0, NOTHING, Infinity, 0);
  assert.equal(pair.client.call(0, NOTHING, Infinity, 0), 0);
  pair.run();
  pair.server.respond(id, NOTHING, 0);
  pair.run();
  assert.deepEqual(pair.told("client").slice().sort(), ["result #1", "writable"]);
  assert.notEqual(pair.client.call(0, NOTHING, Infinity, 0), 0);
});

test("a message that the peer does not receive is refused before it has a number", () => {
  const pair = new Pair({ limits: { maxMessageBytes: 64 } }).join();
  assert.throws(() => pair.client.sendEvent(0, body("x".repeat(64)), 0), /FRAME_TOO_LONG/);
  assert.equal(pair.client.resumePoint.sent, 0);
});

test("closing sends what waits, then ends both sides in order: the answer says that it has arrived", () => {
  const pair = new Pair().join().run();
  pair.client.sendEvent(0, body("last words"), 0);
  pair.client.close("bye", 0);
  pair.drain("client");
  assert.deepEqual([pair.told("client"), pair.client.state], [[], "closing"]);
  pair.run();
  assert.deepEqual(pair.told("client"), ["ended in order"]);
  assert.deepEqual(pair.told("server"), ["event m0 last words", "ended in order"]);
});

test("what crosses a CLOSE is neither counted nor told, and its sender learns that it was not", () => {
  const pair = new Pair().join().run();
  pair.client.close("bye", 0);
  pair.server.sendEvent(0, body("too late"), 0);
  pair.carry("server", "client");
  pair.run();
  assert.deepEqual(pair.told("client"), ["ended in order"]);
  assert.deepEqual(pair.told("server"), ["lost event #0 not-sent", "ended in order"]);
});

test("two CLOSE that cross are each the answer to the other, and what came with them is known to be lost", () => {
  const pair = new Pair().join().run();
  for (const side of ["client", "server"] as const) {
    pair[side].sendEvent(0, body("last"), 0);
    pair[side].close(`the ${side} goes`, 0);
  }
  pair.run();
  for (const side of ["client", "server"] as const) {
    assert.deepEqual(pair.told(side), ["lost event #0 not-sent", "ended in order"]);
  }
});

test("a CLOSE that is not answered leaves open what has arrived: its time is up, or the connection is lost", () => {
  const noAnswer: Readonly<Record<string, (pair: Pair) => unknown>> = {
    "its time": (pair) => pair.wait(2000),
    "a lost connection": (pair) => pair.cut(),
    "garbage instead": (pair) => pair.deliver("client", Buffer.from("0000000120", "hex")),
  };
  for (const [name, end] of Object.entries(noAnswer)) {
    const pair = new Pair().join().run();
    pair.client.sendEvent(0, body("perhaps"), 0);
    pair.client.close("bye", 0);
    pair.client.output(0);
    assert.equal(pair.client.resumable, false);
    end(pair);
    pair.drain("client");
    assert.deepEqual(pair.told("client"), ["lost event #0 unknown", "ended in order"], name);
  }
});

test("an answer with a number that cannot be is no answer to what has arrived", () => {
  const pair = new Pair().join().run();
  pair.client.sendEvent(0, body("perhaps"), 0);
  pair.client.close("bye", 0);
  pair.client.output(0);
  pair.deliver("client", encodeClose(7, { code: "", message: "" }));
  assert.deepEqual(pair.told("client"), ["lost event #0 unknown", "ended in order"]);
});

test("nothing gets a number behind a CLOSE", () => {
  const pair = new Pair().join().run();
  const call = pair.client.call(0, NOTHING, Infinity, 0);
  const stream = pair.client.openStream(0, NOTHING, { sends: true, receives: true }, 0);
  pair.run();
  pair.server.close("bye", 0);
  pair.server.respond(call, body("late"), 0);
  assert.throws(() => pair.server.sendItem(stream, NOTHING, 0), { code: "SESSION_LOST", outcome: "none" });
  assert.throws(() => pair.server.sendEvent(0, NOTHING, 0), { code: "SESSION_LOST", outcome: "none" });
  pair.server.fail(stream, NOTHING, 0);
  pair.run();
  assert.equal(pair.server.resumePoint.sent, 0);
  assert.deepEqual(pair.told("client"), [
    `lost call #${call} unknown`,
    `lost open #${stream} unknown`,
    "ended in order",
  ]);
});

test("a side that is in a hurry has everything acknowledged at once", () => {
  const pair = new Pair().join().run();
  for (let count = 0; count < 3; count += 1) pair.client.sendEvent(0, body("x"), 0);
  pair.client.hurry();
  pair.run();
  assert.equal(pair.client.unacknowledged, 0);
  pair.client.sendEvent(0, body("x"), 0);
  pair.client.output(0);
  pair.cut().join().run();
  assert.equal(pair.client.unacknowledged, 0);
});

test("a GOAWAY without a connection is said on the next one, and what was lost with the last one is refused", () => {
  const pair = new Pair().join().run();
  pair.client.sendEvent(0, body("lost"), 0);
  pair.client.output(0);
  pair.cut();
  pair.server.goAway(false, 500);
  pair.join().run();
  assert.deepEqual(pair.told("client"), ["lost event #0 not-sent", "goAway false 500"]);
  assert.deepEqual(pair.told("server"), []);
});

test("the peer's CLOSE tells what has not reached it", () => {
  const pair = new Pair().join().run();
  pair.client.sendEvent(0, body("1"), 0);
  pair.client.sendEvent(0, body("2"), 0);
  pair.client.output(0);
  pair.deliver("client", encodeClose(1, { code: "", message: "" }));
  assert.deepEqual(pair.told("client"), ["lost event #0 not-sent", "ended in order"]);
});

test("a peer that breaks the protocol ends the session with one typed error, and is told", () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["00000000", "FRAME_INVALID"],
    ["ffffffff", "FRAME_TOO_LONG"],
    ["0000000120", "FRAME_INVALID"],
    ["000000017f", "FRAME_INVALID"],
    ["0000000140", "FRAME_INVALID"],
    ["00000009100000000000000005", "FRAME_INVALID"],
    ["0000000b4100000002000000000001", "FRAME_INVALID"],
    ["00000008450000000100000000", "FRAME_INVALID"],
  ];
  for (const [hex, code] of wrong) {
    const pair = new Pair().join().run();
    pair.deliver("server", Buffer.from(hex, "hex"));
    assert.deepEqual(pair.told("server"), [`ended ${code}`], hex);
    pair.carry("server", "client");
    assert.deepEqual(pair.told("client"), [`ended ${code}`], hex);
  }
});

test("a peer that exceeds what it may send ends the session with LIMIT_EXCEEDED", () => {
  const pair = new Pair({ limits: { windowBytes: 20 } }).join().run();
  pair.handling = false;
  pair.deliver("server", Buffer.concat(Array.from({ length: 5 }, () => Buffer.from("00000006400000616263", "hex"))));
  assert.equal(pair.told("server").at(-1), "ended LIMIT_EXCEEDED");
});

test("bytes that come after the end are ignored", () => {
  const pair = new Pair().join().run();
  pair.deliver(
    "client",
    Buffer.concat([encodeClose(0, { code: "", message: "" }), Buffer.from("00000003400000", "hex")]),
  );
  pair.deliver("client", Buffer.from("00000003400000", "hex"));
  assert.deepEqual(pair.told("client"), ["ended in order"]);
  assert.equal(pair.client.nextDeadline(), Infinity);
});

test("whoever receives a part of a frame gives a sign before the sender would ask for one", () => {
  const pair = new Pair({ limits: { heartbeatMs: 1000 } }).join().run();
  pair.client.sendEvent(0, body("x".repeat(1000)), 0);
  const frame = Buffer.concat(pair.client.output(0));
  // A byte each 100 ms. The client hears nothing but signs.
  const signs: number[] = [];
  for (const byte of frame.subarray(0, 40)) {
    pair.deliver("server", Buffer.from([byte]));
    pair.wait(100);
    if (pair.carry("server", "client")) signs.push(pair.now);
    assert.deepEqual(pair.client.output(pair.now), [], "it does not ask");
  }
  assert.deepEqual(signs, [500, 1000, 1500, 2000, 2500, 3000, 3500, 4000]);
  // Nothing comes any more: the next word is a question.
  pair.wait(500);
  assert.equal(pair.carry("server", "client"), false);
  pair.wait(500);
  assert.equal(pair.carry("server", "client"), true);
});

test("of many calls whose time is up one after the other, the peer's are looked at together", () => {
  const pair = new Pair().join();
  for (let call = 0; call < 200; call += 1) pair.client.call(0, NOTHING, 100 + call, 0);
  pair.run().told("server");
  pair.now = 100;
  pair.server.onDeadline(pair.now);
  pair.drain("server");
  assert.deepEqual(pair.told("server"), ["cancelled #1"]);
  assert.equal(pair.server.nextDeadline(), 102, "two milliseconds for 200 calls");
  pair.now = 102;
  pair.server.onDeadline(pair.now);
  pair.drain("server");
  assert.deepEqual(pair.told("server"), ["cancelled #3", "cancelled #5"]);
});
