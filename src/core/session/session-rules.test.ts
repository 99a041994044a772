import assert from "node:assert/strict";
import { test } from "node:test";
import { body, Pair } from "../../../test/fixtures/session-pair.ts";
import { encodeTakenOver } from "./wire/close-frame.ts";
import { NOTHING } from "./outgoing.ts";

/* The rules of behaviour, part D, that the session keeps. Each test has the name of its rule. */

// The rules are those of docs/semantics.md.
test("rule D1: acknowledged means held by the peer's live session", () => {
  const pair = new Pair().join().run();
  pair.client.sendEvent(0, body("a"), 0);
  pair.run();
  assert.equal(pair.client.unacknowledged, 1);
  pair.wait(100).run();
  assert.equal(pair.client.unacknowledged, 0);
});

test("rule D1: when a session is lost, what was not acknowledged is reported as not-sent or unknown", () => {
  const pair = new Pair().join().run();
  const answered = pair.client.call(0, NOTHING, Infinity, 0);
  pair.run().wait(100).run();
  pair.client.sendEvent(0, body("sent"), 0);
  const call = pair.client.call(0, NOTHING, Infinity, 0);
  pair.client.output(0);
  pair.cut();
  pair.client.sendEvent(0, body("waits"), 0);
  pair.told("client");
  pair.wait(1000);
  assert.deepEqual(pair.told("client"), [
    "lost event #0 unknown",
    `lost call #${call} unknown`,
    "lost event #0 not-sent",
    `lost call #${answered} unknown`,
    "ended SESSION_LOST",
  ]);
  assert.equal(pair.client.state, "ended");
  assert.throws(() => pair.client.sendEvent(0, NOTHING, 0), /SESSION_LOST/);
});

test("rule D2: a full replay buffer takes no more, and says when there is room", () => {
  const pair = new Pair({ replay: { maxMessages: 2 } }).join().run();
  assert.deepEqual(
    [0, 1, 2].map(() => pair.client.sendEvent(0, NOTHING, 0)),
    [true, true, false],
  );
  pair.run().wait(100).run();
  assert.deepEqual(pair.told("client"), ["writable"]);
  assert.equal(pair.client.sendEvent(0, NOTHING, 0), true);
});

test("rule D2: past replayMaxAgeMs the session ends with REPLAY_OVERFLOW", () => {
  const pair = new Pair({ replay: { maxAgeMs: 500 } }).join().run();
  pair.client.sendEvent(0, NOTHING, 0);
  pair.client.output(0);
  pair.wait(500);
  assert.deepEqual(pair.told("client"), ["lost event #0 unknown", "ended REPLAY_OVERFLOW"]);
  pair.run();
  assert.deepEqual(pair.told("server"), ["ended REPLAY_OVERFLOW"]);
});

test("rule D2: a message is not too old while its bytes arrive, or others before it", () => {
  const pair = new Pair({ replay: { maxAgeMs: 500 }, limits: { heartbeatMs: 400 } }).join().run();
  pair.client.sendEvent(0, body("first"), 0);
  pair.client.sendEvent(0, body("second"), 0);
  const bytes = Buffer.concat(pair.client.output(0));
  pair.deliver("server", bytes.subarray(0, 20));
  pair.wait(200);
  pair.deliver("server", bytes.subarray(20, 21));
  pair.carry("server", "client");
  assert.equal(pair.client.unacknowledged, 1, "the first one was acknowledged at 200");
  pair.deliver("server", bytes.subarray(21, 22));
  pair.wait(200);
  pair.carry("server", "client");
  assert.equal(pair.client.arrivedAt, 400, "a sign, with the same number");
  pair.wait(499);
  assert.equal(pair.client.state, "attached");
  pair.wait(1);
  assert.deepEqual(pair.told("client"), ["lost event #0 unknown", "ended REPLAY_OVERFLOW"]);
});

test("rule D2: an acknowledgement of the same number says nothing when nothing is under way", () => {
  const pair = new Pair({ replay: { maxAgeMs: 500 } }).join().run();
  pair.client.sendEvent(0, NOTHING, 0);
  pair.run().wait(100).run();
  pair.wait(200).deliver("client", Buffer.from([0, 0, 0, 9, 0x10, 0, 0, 0, 0, 0, 0, 0, 1]));
  assert.equal(pair.client.arrivedAt, -Infinity);
});

test("rule D2: stream items are numbered messages", () => {
  const pair = new Pair().join();
  const id = pair.client.openStream(0, NOTHING, { sends: true, receives: false }, 0);
  pair.client.sendItem(id, body("1"), 0);
  pair.run();
  pair.client.sendItem(id, body("2"), 0);
  pair.client.output(0);
  pair.cut().join().run();
  assert.deepEqual(pair.told("server"), ["open #1 m0", "item #1 1", "item #1 2"]);
  assert.equal(pair.client.resumePoint.sent, 3);
});

test("rule D3: the newest connection wins at once, and what comes of the old one is discarded", () => {
  const pair = new Pair().join().run();
  pair.client.sendEvent(0, body("once"), 0);
  const old = Buffer.concat(pair.client.output(0));
  const farewell = encodeTakenOver(pair.server.received);
  pair.join().run();
  assert.deepEqual(pair.told("server"), ["event m0 once"]);
  assert.ok(old.length > 0);
  // A client that did not make the newer connection itself learns that it was taken over.
  pair.deliver("client", farewell);
  assert.deepEqual(pair.told("client"), ["ended SESSION_TAKEN_OVER"]);
});

test("rule D5: a counter outside of what was acknowledged and sent is refused", () => {
  const pair = new Pair().join().run();
  pair.client.sendEvent(0, NOTHING, 0);
  pair.run().wait(100).run().cut();
  assert.equal(pair.client.attach(0, 0), false);
  assert.equal(pair.client.attach(2, 0), false);
  assert.equal(pair.client.attach(1, 0), true);
});

test("rule D6: retained messages are charged with the memory that they pin", () => {
  const pair = new Pair().join().run();
  pair.client.sendEvent(0, body("x"), 0);
  // A block, and 16 places for the numbers of messages.
  assert.equal(pair.client.retainedBytes, 1024 + 256);
  pair.client.sendEvent(0, body("x".repeat(5000)), 0);
  assert.ok(pair.client.retainedBytes >= 6000);
  pair.run().wait(100).run().wait(20_000);
  assert.equal(pair.client.retainedBytes, 0);
});

test("rule D7: remaining milliseconds are computed again at each transmission", () => {
  const pair = new Pair().join().run();
  pair.client.call(0, NOTHING, 500, pair.now);
  pair.client.output(pair.now);
  pair.cut();
  pair.now = 300;
  pair.join();
  const bytes = Buffer.concat(pair.client.output(300));
  assert.ok(bytes.includes(Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 200])));
});

test("rule D7: an expired call is replayed as cancelled and keeps its number", () => {
  const pair = new Pair().join().run();
  const id = pair.client.call(0, body("late"), 100, 0);
  pair.client.sendEvent(0, body("after"), 0);
  pair.client.output(0);
  pair.cut().wait(100);
  assert.deepEqual(pair.told("client"), [`timedOut #${id}`]);
  pair.join().run();
  assert.deepEqual(pair.told("server"), ["event m0 after"]);
  assert.equal(pair.server.resumePoint.received, 3);
});

test("rule D7: the handler of a call learns that its time is up", () => {
  const pair = new Pair().join();
  const id = pair.client.call(0, NOTHING, 100, 0);
  pair.run().told("server");
  pair.wait(100);
  assert.deepEqual(pair.told("server"), [`cancelled #${id}`]);
  assert.deepEqual(pair.told("client"), [`timedOut #${id}`]);
});

test("rule D7: after a late timer, what is pending is read before the peer is declared dead", () => {
  const pair = new Pair({ limits: { heartbeatMs: 1000 } }).join().run();
  pair.wait(1000);
  const ping = Buffer.concat(pair.client.output(pair.now));
  pair.now += 100_000;
  pair.client.onDeadline(pair.now);
  pair.drain("client");
  assert.equal(pair.client.state, "attached");
  pair.deliver("server", ping);
  pair.carry("server", "client");
  pair.now += 250;
  pair.client.onDeadline(pair.now);
  pair.drain("client");
  assert.deepEqual(pair.told("client"), []);
  assert.equal(pair.client.state, "attached");
});

test("rule D8: GOAWAY carries the last accepted number, and later calls are not-sent", () => {
  const pair = new Pair().join();
  const accepted = pair.client.call(0, body("1"), Infinity, 0);
  pair.run();
  pair.told("server");
  pair.server.goAway(false, 700);
  const refused = pair.client.call(0, body("2"), Infinity, 0);
  pair.run();
  assert.deepEqual(pair.told("client"), [`lost call #${refused} not-sent`, "goAway false 700"]);
  assert.deepEqual(pair.told("server"), []);
  assert.throws(() => pair.client.call(0, NOTHING, Infinity, 0), /nothing was sent/);
  pair.server.respond(accepted, body("done"), 0);
  pair.run();
  assert.deepEqual(pair.told("client"), ["result #1 done"]);
  assert.equal(pair.server.pending, 0);
  pair.server.close("restarting", 0);
  pair.run();
  assert.deepEqual(pair.told("client"), ["ended in order"]);
});

test("rule D8: when the session survives a GOAWAY, nothing is lost", () => {
  const pair = new Pair().join().run();
  pair.server.goAway(true, 100);
  pair.client.sendEvent(0, body("crossing"), 0);
  pair.run();
  pair.client.sendEvent(0, body("later"), 0);
  assert.deepEqual(pair.client.output(0), []);
  assert.deepEqual(pair.told("server"), []);
  pair.cut().join().run();
  assert.deepEqual(pair.told("server"), ["event m0 crossing", "event m0 later"]);
});

test("rule D9: answers, cancels and control frames never wait for credit or for room", () => {
  const pair = new Pair({ limits: { windowBytes: 10 }, replay: { maxMessages: 3 } }).join();
  pair.handling = false;
  const id = pair.server.call(0, NOTHING, Infinity, 0);
  pair.run();
  while (pair.client.sendEvent(0, body("fills the window"), 0));
  assert.equal(pair.client.respond(id, body("answer"), 0), true);
  pair.run();
  assert.deepEqual(pair.told("server").slice(-1), ["result #2 answer"]);
});

test("rule D9: the lane has credit: a slow handler stops the sender, and no more than a window waits", () => {
  const pair = new Pair({ limits: { windowBytes: 100 } }).join();
  pair.handling = false;
  let sent = 0;
  while (pair.client.sendEvent(0, body("0123456789"), 0)) {
    sent += 1;
    pair.run();
  }
  assert.equal(sent, 6);
  for (let index = 0; index < 3; index += 1) pair.server.eventHandled(18);
  pair.run();
  assert.ok(pair.told("client").includes("writable"));
});

test("rule D8: a GOAWAY that was lost with its connection is said again", () => {
  const pair = new Pair().join().run();
  const id = pair.client.call(0, body("1"), Infinity, 0);
  pair.run().told("server");
  pair.server.goAway(false, 700);
  pair.server.output(0);
  pair.cut().join().run();
  assert.deepEqual(pair.told("client"), ["goAway false 700"]);
  assert.equal(pair.server.respond(id, body("done"), 0), true);
  pair.run();
  assert.deepEqual(pair.told("client"), ["result #1 done"]);
});

test("rule D8: a session that has refused requests is not continued, so that nobody takes them for accepted", () => {
  const pair = new Pair().join().run();
  pair.server.goAway(false, 700);
  pair.server.output(0);
  pair.client.sendEvent(0, body("refused"), 0);
  pair.carry("client", "server");
  assert.deepEqual(pair.told("server"), []);
  pair.cut();
  assert.equal(pair.server.resumable, false);
  assert.equal(pair.server.attach(0, 0), false);
});

test("rule D8: a GOAWAY and the CLOSE behind it are both told when they come at once", () => {
  const pair = new Pair().join().run();
  pair.told("client");
  pair.server.goAway(false, 700);
  pair.server.close("gone", 0);
  pair.carry("server", "client");
  assert.deepEqual(pair.told("client"), ["goAway false 700", "ended in order"]);
});

test("an acknowledgement waits until nothing has come for a while, but not for more than a second", () => {
  const pair = new Pair().join().run();
  let sent = 0;
  do {
    sent += 1;
    pair.client.sendEvent(0, body("x"), pair.now);
    pair.run().wait(50).run();
  } while (pair.client.unacknowledged === sent);
  assert.deepEqual([sent, pair.client.unacknowledged, pair.now], [20, 0, 1000]);
});

test("while nothing can be written, acknowledgements that are due wait in one frame, and no deadline stays in the past", () => {
  const pair = new Pair({ limits: { windowBytes: 1_000_000 } }).join().run();
  const { client, server } = pair;
  for (let round = 1; round <= 3; round += 1) {
    for (let count = 0; count < 5000; count += 1) client.sendEvent(0, body("x"), pair.now);
    pair.deliver("server", Buffer.concat(client.output(pair.now)));
    server.onDeadline(pair.now);
    assert.ok(server.nextDeadline() > pair.now);
  }
  assert.equal(server.received, 15_000);
  const written = Buffer.concat(server.output(pair.now));
  assert.equal(written.toString("hex"), "00000009100000000000003a98");
});
