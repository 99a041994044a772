import assert from "node:assert/strict";
import { test } from "node:test";
import { body, Pair } from "../../../test/fixtures/session-pair.ts";

const BOTH = ["client", "server"] as const;

test("an event that may be lost goes both ways, without a number", () => {
  const pair = new Pair({ moves: BOTH }).join().run();
  for (const side of BOTH) assert.ok(pair[side].sayVolatile(3, body(`from ${side}`)));
  pair.run();
  assert.deepEqual([pair.told("client"), pair.told("server")], [["event m3 from server"], ["event m3 from client"]]);
  for (const side of BOTH) {
    assert.equal(pair[side].unacknowledged, 0);
    assert.deepEqual(pair[side].resumePoint, { received: 0, acknowledged: 0, sent: 0 });
  }
});

test("without a connection, and while too much waits for it, it is dropped; what was lost with a connection stays lost", () => {
  const pair = new Pair({ moves: BOTH });
  assert.equal(pair.client.sayVolatile(3, body("early")), false);
  pair.join().run();
  let said = 0;
  while (pair.client.sayVolatile(3, body("x".repeat(1_000)))) said += 1;
  assert.ok(said >= 16 && said <= 18, `${said} wait`);
  pair.cut();
  assert.equal(pair.client.sayVolatile(3, body("away")), false);
  assert.ok(pair.client.sendEvent(3, body("kept"), 0));
  pair.join().run();
  assert.deepEqual(pair.told("server"), ["event m3 kept"]);
});

test("it needs no credit, and takes none from the others", () => {
  const pair = new Pair({ moves: BOTH, limits: { windowBytes: 1_000 } }).join().run();
  pair.handling = false;
  for (let count = 0; count < 100; count += 1) {
    assert.ok(pair.client.sayVolatile(3, body("x".repeat(100))));
    pair.run();
  }
  assert.equal(pair.told("server").length, 100);
  assert.ok(pair.client.sendEvent(3, body("counted"), 0));
  pair.run();
  assert.deepEqual(pair.told("server"), ["event m3 counted"]);
});

test("one that is too long is refused, and a side that has not agreed to it is sent none", () => {
  const pair = new Pair({ moves: BOTH, limits: { maxMessageBytes: 1_024 } }).join().run();
  assert.throws(() => pair.client.sayVolatile(3, body("x".repeat(1_024 - 10))), { code: "FRAME_TOO_LONG" });
  assert.ok(pair.client.sayVolatile(3, body("x".repeat(1_024 - 11))));
  assert.equal(new Pair().join().run().client.sayVolatile(3, body("x")), false);
  const odd = new Pair({ moves: ["client"] }).join().run();
  assert.ok(odd.client.sayVolatile(3, body("x")));
  odd.run();
  assert.match(odd.told("server").at(-1) ?? "", /^ended (FRAME_INVALID|PROTOCOL)/);
});
