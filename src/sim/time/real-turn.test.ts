import assert from "node:assert/strict";
import { test } from "node:test";
import { RealSteps } from "./real-turn.ts";

/** A chain of microtasks and ticks, each queued by the one before. */
async function chain(links: number): Promise<void> {
  for (let link = 0; link < links; link += 1) {
    await Promise.resolve();
    if (link % 3 === 0) await new Promise<void>((resolve) => process.nextTick(resolve));
    if (link % 5 === 0) await new Promise<void>((resolve) => queueMicrotask(resolve));
  }
}

test("between two steps all microtasks and ticks run, however many rows of steps it takes", async () => {
  const wanted = 5000;
  let finished = 0;
  await new Promise<void>((resolve, reject) => {
    let begun = 0;
    const steps = new RealSteps(() => {
      if (finished !== begun) reject(new Error(`${begun - finished} chains were not run to their end`));
      if (begun === wanted) resolve();
      else {
        begun += 1;
        void chain(begun % 20).then(() => (finished += 1));
        steps.next();
      }
    });
    steps.next();
  });
  assert.equal(finished, wanted);
});

test("a step that is asked for twice comes once, and one that nobody asks for never", async () => {
  let came = 0;
  const steps = new RealSteps(() => (came += 1));
  steps.next();
  steps.next();
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(came, 1);
});

test("the code outside has its turn, however many steps there are", async () => {
  let steps = 0;
  let over = false;
  const row = new RealSteps(() => {
    steps += 1;
    if (!over) row.next();
  });
  row.next();
  // A timer is of another phase of the event loop than the steps; the first one may come before any of them.
  for (let timers = 0; timers < 2; timers += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  over = true;
  assert.ok(steps > 0);
});
