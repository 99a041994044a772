import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runInScope, type Scope } from "../guard/scope.ts";
import { RealWork } from "./real-work.ts";
import { Scheduler, type SchedulerLimits } from "./scheduler.ts";

const file = fileURLToPath(import.meta.url);

/** Runs `main` on a scheduler of its own until it settles. */
async function run(
  main: (scheduler: Scheduler) => Promise<void>,
  limits: Partial<SchedulerLimits> = {},
): Promise<{ scheduler: Scheduler; frozen: string[] }> {
  const scope: Scope = {
    place: "test",
    seed: 1,
    world: {},
    now: () => 0,
    leaked: (error) => assert.fail(error),
    unhandled: (reason) => assert.fail(String(reason)),
  };
  const frozen: string[] = [];
  const work = new RealWork(scope.world);
  const scheduler = new Scheduler({ livelockEvents: 1000, limitUs: 1e12, permutation: undefined, ...limits }, work, {
    deadlock: () => new Error("deadlock"),
    livelock: (events) => new Error(`livelock after ${events}`),
    tooLong: () => new Error("too long"),
    frozen: (kinds) => void frozen.push(kinds.join(" ")),
  });
  let done = false;
  const running = runInScope(scope, () => main(scheduler));
  running.then(
    () => (done = true),
    () => (done = true),
  );
  try {
    await scheduler.run(() => done);
    await running;
  } finally {
    work.stop();
  }
  return { scheduler, frozen };
}

const sleep = (scheduler: Scheduler, us: number): Promise<void> =>
  new Promise((resolve) => {
    scheduler.at(scheduler.nowUs + us, 0, () => {
      scheduler.woke();
      resolve();
    });
  });

test("time moves only when no task can run, however long the chain of microtasks and ticks", async () => {
  const times: number[] = [];
  await run(async (scheduler) => {
    const other = sleep(scheduler, 5);
    for (let round = 0; round < 20; round += 1) {
      await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      await Promise.resolve().then(() => new Promise<void>((resolve) => process.nextTick(resolve)));
    }
    times.push(scheduler.nowUs);
    await other;
    for (let round = 0; round < 20; round += 1) await new Promise<void>((resolve) => process.nextTick(resolve));
    times.push(scheduler.nowUs);
    await sleep(scheduler, 1_000_000);
    times.push(scheduler.nowUs);
  });
  assert.deepEqual(times, [0, 5, 1_000_005]);
});

test("virtual time is frozen while real work is pending, and that is recorded", async () => {
  const { frozen } = await run(async (scheduler) => {
    let fired = false;
    const timer = sleep(scheduler, 1).then(() => (fired = true));
    await fs.promises.readFile(file);
    assert.equal(fired, false);
    assert.equal(scheduler.nowUs, 0);
    await timer;
  });
  assert.match(String(frozen), /FSREQ(?:PROMISE|CALLBACK) \d/);
});

test("a program that waits for ever, and one that never lets time go on, come to an end", async () => {
  await assert.rejects(
    run(() => new Promise(() => undefined)),
    { message: "deadlock" },
  );
  const spin = async (scheduler: Scheduler): Promise<void> => {
    for (;;) await new Promise<void>((resolve) => scheduler.last(() => (scheduler.woke(), resolve())));
  };
  await assert.rejects(run(spin), { message: "livelock after 1001" });
  // As a loop with a timer of 0 ms does: time moves, but would take a real day for a virtual one.
  const crawl = async (scheduler: Scheduler): Promise<void> => {
    for (;;) await sleep(scheduler, 1);
  };
  await assert.rejects(run(crawl), { message: "livelock after 1001" });
  const pause = async (scheduler: Scheduler): Promise<void> => {
    for (let step = 0; step < 5000; step += 1) await sleep(scheduler, step % 500 === 0 ? 2 : 1);
  };
  await run(pause);
  const tick = async (scheduler: Scheduler): Promise<void> => {
    for (;;) await sleep(scheduler, 10);
  };
  await assert.rejects(run(tick, { limitUs: 1000 }), { message: "too long" });
});

test("an error in an event ends the run", async () => {
  const main = async (scheduler: Scheduler): Promise<void> => {
    scheduler.at(5, 0, () => {
      throw new Error("of an event");
    });
    await sleep(scheduler, 10);
  };
  await assert.rejects(run(main), { message: "of an event" });
});

// The rules are those of docs/semantics.md.
test("rule E5: events of one moment are permuted by the seed, never within one flow; last means last", async () => {
  const orders = new Set<string>();
  for (let permutation = 0; permutation < 20; permutation += 1) {
    const seen: string[] = [];
    const main = async (scheduler: Scheduler): Promise<void> => {
      scheduler.at(10, 0, () => void scheduler.last(() => seen.push("last")));
      for (const flow of [1, 2, 3]) for (const part of "ab") scheduler.at(10, flow, () => seen.push(flow + part));
      await sleep(scheduler, 20);
    };
    await run(main, { permutation });
    assert.equal(seen.pop(), "last");
    for (const flow of [1, 2, 3]) assert.ok(seen.indexOf(`${flow}a`) < seen.indexOf(`${flow}b`));
    orders.add(seen.join());
  }
  assert.ok(orders.size > 3);
});
