import assert from "node:assert/strict";
import { test } from "node:test";
import { Keepalive } from "./keepalive.ts";

test("a peer is asked after one heartbeat of silence, and given up after another and a last look", () => {
  const keepalive = new Keepalive(1000, 0);
  assert.equal(keepalive.deadline, 1000);
  assert.equal(keepalive.check(999), "fine");
  assert.equal(keepalive.check(1000), "ask");
  assert.equal(keepalive.check(2000), "fine");
  assert.equal(keepalive.deadline, 2250);
  assert.equal(keepalive.check(2250), "dead");
});

test("any byte is a sign of life", () => {
  const keepalive = new Keepalive(1000, 0);
  keepalive.heard(700);
  assert.equal(keepalive.check(1000), "fine");
  assert.equal(keepalive.deadline, 1700);
  assert.equal(keepalive.check(1700), "ask");
  keepalive.heard(2700);
  assert.equal(keepalive.check(2700), "fine");
  assert.equal(keepalive.deadline, 3700);
});

test("the last look is taken however late the timer is", () => {
  const keepalive = new Keepalive(1000, 0);
  assert.equal(keepalive.check(50_000), "ask");
  assert.equal(keepalive.check(90_000), "fine");
  keepalive.heard(90_001);
  assert.equal(keepalive.check(90_250), "fine");
});

test("a peer in the middle of a frame is asked seven times before it is given up", () => {
  const keepalive = new Keepalive(1000, 0);
  const verdicts = Array.from({ length: 8 }, (_, index) => keepalive.check((index + 1) * 1000, true));
  assert.deepEqual(verdicts, ["ask", "ask", "ask", "ask", "ask", "ask", "ask", "fine"]);
  assert.equal(keepalive.check(8250, true), "dead");
});

test("a peer that was given more time in a frame has no more than others behind it", () => {
  const keepalive = new Keepalive(1000, 0);
  for (let at = 1000; at <= 3000; at += 1000) assert.equal(keepalive.check(at, true), "ask");
  assert.equal(keepalive.check(4000, false), "fine");
  assert.equal(keepalive.check(4250, false), "dead");
});
