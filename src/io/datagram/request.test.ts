import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { canBeRequest, ReplyBudget } from "./request.ts";

const local = Address.parse("udp://192.0.2.1:7000");

test("questions come from programs, not from services, groups or oneself", () => {
  for (const from of ["192.0.2.9:40000", "127.0.0.1:1024", "[2001:db8::1]:65535"]) {
    assert.equal(canBeRequest(Address.parse(`udp://${from}`), local), true, from);
  }
  const services = ["192.0.2.9:7", "192.0.2.9:19", "192.0.2.9:53", "192.0.2.9:1023", "192.0.2.9:0"];
  const impossible = ["239.1.2.3:40000", "255.255.255.255:40000", "0.0.0.0:40000", "[ff02::1]:40000"];
  for (const from of [...services, ...impossible, "192.0.2.1:7000", "192.0.2.9:7000"]) {
    assert.equal(canBeRequest(Address.parse(`udp://${from}`), local), false, from);
  }
});

const source = (last: number): Address => Address.parse(`udp://192.0.2.${last % 250}:${10_000 + last}`);

test("a source has its replies, a second of silence, and its replies again; others are not concerned", async () => {
  const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
  const budget = new ReplyBudget(clock, 3);
  const ask = (from: Address): boolean => {
    const allowed = budget.allows(from);
    if (allowed) budget.spent(from);
    return allowed;
  };
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => ask(source(1))),
      [true, true, true, false, false],
    );
    assert.equal(ask(source(2 + round)), true);
    await clock.advance(999);
    assert.equal(ask(source(1)), false);
    await clock.advance(1);
  }
});

test("who pauses for a minute begins anew; replies that were under way at once are not counted below nothing", async () => {
  const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
  const budget = new ReplyBudget(clock, 3);
  for (const count of [1, 2]) {
    assert.equal(budget.allows(source(1)), true, `round ${count}`);
    budget.spent(source(1));
    budget.spent(source(1));
    await clock.advance(60_000);
  }
  for (let count = 0; count < 10; count += 1) budget.spent(source(1));
  assert.equal(budget.allows(source(1)), false);
  await clock.advance(1000);
  assert.equal(budget.allows(source(1)), true);
});

test("what is remembered is bounded: the source that is known for the longest time is forgotten", () => {
  const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
  const budget = new ReplyBudget(clock, 1);
  for (let count = 0; count < 10_001; count += 1) budget.spent(source(count));
  assert.equal(budget.allows(source(0)), true);
  assert.equal(budget.allows(source(1)), false);
  assert.equal(budget.allows(source(10_000)), false);
});
