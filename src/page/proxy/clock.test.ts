import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "./clock.ts";

test("the clock of the server goes on between messages, and late messages do not set it back", () => {
  let now = 100;
  const clock = new ServerClock(() => now);
  clock.heard(5000);
  assert.equal(clock.now(), 5000);
  now = 350;
  assert.equal(clock.now(), 5250);
  // This one was 40 ms under way.
  clock.heard(5210);
  assert.ok(Math.abs(clock.now() - 5250) < 0.1);
  now = 600;
  clock.heard(5505);
  assert.equal(clock.now(), 5505);
});
