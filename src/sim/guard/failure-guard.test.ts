import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import crypto from "node:crypto";
import { EventEmitter } from "node:events";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import zlib from "node:zlib";
import { repositoryRoot } from "../../../test/fixtures/repository-root.ts";
import { check } from "../world/check.ts";
import type { World } from "../world/world-contract.ts";

test("a rejection that nobody handles ends the run, wherever it happens", async () => {
  const places: readonly ((world: World, fail: () => Promise<void>) => void)[] = [
    (_world, fail) => void fail(),
    (world, fail) => void world.host("a", () => void fail()),
    (world, fail) => world.at(5, () => void fail()),
  ];
  for (const place of places) {
    const main = async (world: World): Promise<void> => {
      const fail = async (): Promise<void> => {
        await world.sleep(1);
        throw new Error("nobody handles this");
      };
      place(world, fail);
      await world.sleep(100);
    };
    await assert.rejects(check({ seed: 1 }, main), { message: "nobody handles this" });
  }
});

/** Taken before any guard goes up, as other modules may have it. */
const early = { setImmediate };

/** Where a callback of a program can run, each with what makes it run there. */
const PLACES: Readonly<Record<string, (action: () => void, world: World) => void>> = {
  "a tick": (action) => process.nextTick(action),
  "a microtask": (action) => queueMicrotask(action),
  "a promise": (action) => void Promise.resolve().then(action),
  "a timer": (action, world) => void world.clock.setTimer(action, 5),
  "the end of a turn": (action, world) => world.clock.defer(action),
  "a moment of the world": (action, world) => world.at(3, action),
  "an immediate of the runtime": (action) => void early.setImmediate(action),
  "the callback of a file": (action) => fs.stat(repositoryRoot, action),
  "a stream of a file": (action) => void fs.createReadStream(join(repositoryRoot, "LICENSE")).once("data", action),
  "the callback of cryptography": (action) => crypto.pbkdf2("a", "b", 1, 8, "sha1", action),
  "the callback of compression": (action) => zlib.gzip("x", action),
  "a listener of an emitter": (action) => {
    const emitter = new EventEmitter().on("told", action);
    process.nextTick(() => emitter.emit("told"));
  },
  "a listener of a target": (action) => {
    const target = new EventTarget();
    target.addEventListener("told", action);
    target.dispatchEvent(new Event("told"));
  },
  "a listener of a signal": (action, world) => {
    const stop = new AbortController();
    stop.signal.addEventListener("abort", action);
    world.at(1, () => stop.abort());
  },
};

/** What goes wrong there: an error of the program, and one of the guard. */
const FAILURES: Readonly<Record<string, readonly [fail: () => void, expected: object]>> = {
  "an error": [
    () => {
      throw new Error("nobody catches this");
    },
    { message: "nobody catches this" },
  ],
  "a leak": [() => void Math.random(), { code: "SIM_CLOCK_LEAK" }],
};

for (const [place, run] of Object.entries(PLACES)) {
  for (const [failure, [fail, expected]] of Object.entries(FAILURES)) {
    test(`an exception that nobody catches ends the run, and not the process: ${failure} in ${place}`, async () => {
      for (const on of ["world", "host"]) {
        const main = async (world: World): Promise<void> => {
          if (on === "host") world.host("a", () => run(fail, world));
          else run(fail, world);
          await world.sleep(100);
        };
        await assert.rejects(check({ seed: 1 }, main), expected, on);
      }
      await check({ seed: 2 }, (world) => world.sleep(100));
    });
  }
}

const outside = {
  uncaughtException: 'process.nextTick(() => { throw new Error("outside"); })',
  unhandledRejection: 'setImmediate(() => void Promise.reject(new Error("outside")))',
};

for (const [event, fail] of Object.entries(outside)) {
  test(`${event} outside goes where it went: to listeners, or to the end of the process`, () => {
    const program = (listener: string): string => `
      import { check } from ${JSON.stringify(join(repositoryRoot, "dist/sim.js"))};
      ${listener}
      const run = check({}, async (world) => { for (let n = 0; n < 5000; n += 1) await world.sleep(1); });
      ${fail};
      await run;
      console.log("done", process.listenerCount("${event}"));`;
    const end = (listener: string): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, ["--input-type=module", "-e", program(listener)], { encoding: "utf8" });
    const told = end(`process.on("${event}", (error) => console.log("told", error.message));`);
    assert.deepEqual([told.status, String(told.stdout)], [0, "told outside\ndone 1\n"]);
    const dies = end("");
    assert.equal(dies.status, 1);
    assert.match(String(dies.stderr), /Error: outside/);
  });
}

test("an invariant that fails in a task that nobody awaits is told once; earlier lives are not asked", async () => {
  const main = async (world: World): Promise<void> => {
    const task = async (): Promise<void> => world.always("holds", false);
    world.at(1, () => void task());
    await world.sleep(5);
  };
  await assert.rejects(check({ seed: 1 }, main), { code: "SIM_INVARIANT" });
  await check({ seed: 1 }, async (world) => {
    let fail: (() => void) | undefined;
    const host = world.host("a", () => {
      void new Promise<void>((_resolve, reject) => (fail = () => reject(new Error("of a former life"))));
    });
    host.crash();
    fail?.();
    await world.sleep(1);
  });
});

test("listeners of the process are as they were: those for one time, and those that were removed meanwhile", async () => {
  const heard: string[] = [];
  const listeners = ["once", "gone", "always"].map((name) => () => void heard.push(name));
  const [once, gone, always] = listeners as [() => void, () => void, () => void];
  const before = process.rawListeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  try {
    process.once("unhandledRejection", once).on("unhandledRejection", gone).on("unhandledRejection", always);
    await check({ seed: 1 }, async (world) => {
      await world.sleep(1);
      process.off("unhandledRejection", gone);
    });
    assert.deepEqual(process.listeners("unhandledRejection"), [once, always]);
    for (const reason of [1, 2]) process.emit("unhandledRejection", reason, Promise.resolve());
    assert.deepEqual(heard, ["once", "always", "always"]);
    heard.length = 0;
    process.once("unhandledRejection", once);
    const running = check({ seed: 1 }, (world) => world.sleep(1));
    for (const reason of [1, 2]) process.emit("unhandledRejection", reason, Promise.resolve());
    await running;
    assert.deepEqual(heard, ["always", "once", "always"]);
    assert.deepEqual(process.listeners("unhandledRejection"), [always]);
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of before) process.on("unhandledRejection", listener as () => void);
  }
});
