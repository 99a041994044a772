import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../world/check.ts";

test("timers fire in order, after at least their delay, and cancelled ones never", async () => {
  await check({ seed: 1 }, async (world) => {
    const { clock } = world.host("a").network;
    const fired: string[] = [];
    const set = (name: string, delayMs: number) =>
      clock.setTimer(() => void fired.push(`${name} ${clock.now()}`), delayMs);
    set("b", 2);
    set("a", 0.5);
    set("zero", 0);
    set("never", Number.POSITIVE_INFINITY);
    set("cancelled", 1).cancel();
    clock.defer(() => void fired.push("deferred"));
    await world.sleep(10);
    assert.deepEqual(fired, ["deferred", "zero 0.001", "a 0.5", "b 2"]);
  });
});

test("randomness is the host's own: another host that draws moves nothing", async () => {
  const draw = async (others: number): Promise<number> => {
    const { value } = await check({ seed: 1 }, async (world) => {
      const a = world.host("a");
      const b = world.host("b");
      for (let count = 0; count < others; count += 1) b.network.random.next();
      return a.network.random.next();
    });
    return value;
  };
  assert.equal(await draw(0), await draw(5));
});
