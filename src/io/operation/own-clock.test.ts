import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { Clock, Timer } from "../network/network.ts";
import { OwnClock, ownNetwork } from "./own-clock.ts";

/** A clock that is moved by hand, and remembers which of its timers are in the background. */
class WatchedClock extends ManualClock {
  readonly background: Set<object> = new Set();

  override setTimer(callback: () => void, delayMs: number, background: boolean = false): Timer {
    const inner = super.setTimer(callback, delayMs);
    const timer: Timer = {
      cancel: () => {
        this.background.delete(timer);
        inner.cancel();
      },
    };
    if (background) this.background.add(timer);
    return timer;
  }
}

function scene() {
  const base = new WatchedClock({ defer: (callback) => setImmediate(callback) });
  return { base, clock: new OwnClock(base) };
}

test("it is the time of its base", async () => {
  const { base, clock } = scene();
  await base.advance(7);
  assert.equal(clock.now(), 7);
  await new Promise<void>((resolve) => clock.defer(resolve));
});

test("timers of an object that is unreferenced are in the background, those that run already too", async () => {
  const { base, clock } = scene();
  const fired: string[] = [];
  const at = (name: string) => () => void fired.push(`${name} ${base.now()}`);
  clock.setTimer(at("before"), 100);
  clock.setTimer(at("always"), 70, true);
  await base.advance(40);
  assert.equal(base.background.size, 1);
  clock.setReferenced(false);
  clock.setReferenced(false);
  const cancelled = clock.setTimer(at("after"), 10);
  const last = clock.setTimer(at("last"), 200);
  assert.deepEqual([base.pending, base.background.size], [4, 4]);
  cancelled.cancel();
  clock.setReferenced(true);
  assert.deepEqual([base.pending, base.background.size], [3, 1]);
  await base.advance(100);
  assert.deepEqual(fired, ["always 70", "before 100"]);
  // What has fired is not set again, and what is cancelled neither.
  clock.setReferenced(false);
  assert.equal(base.pending, 1);
  last.cancel();
  clock.setReferenced(true);
  assert.equal(base.pending, 0);
});

test("a network of one's own has the sockets and the randomness of the other", () => {
  const clock: Clock = scene().base;
  const network = { clock, sockets: {}, random: {} } as unknown as Parameters<typeof ownNetwork>[0];
  const own = ownNetwork(network);
  assert.ok(own.clock instanceof OwnClock);
  assert.deepEqual([own.sockets, own.random], [network.sockets, network.random]);
});
