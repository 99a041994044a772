import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../../test/repository-root.ts";
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

test("an exception that nobody catches ends the run, and not the process", async () => {
  const places: Readonly<Record<string, (fail: () => void) => void>> = {
    "a tick": (fail) => process.nextTick(fail),
    "the callback of a file": (fail) => fs.stat(repositoryRoot, fail),
  };
  for (const [name, place] of Object.entries(places)) {
    for (const on of ["world", "host"]) {
      const fail = (): never => {
        throw new Error("nobody catches this");
      };
      const main = async (world: World): Promise<void> => {
        if (on === "host") world.host("a", () => place(fail));
        else place(fail);
        await world.sleep(100);
      };
      await assert.rejects(check({ seed: 1 }, main), { message: "nobody catches this" }, `${name}, ${on}`);
    }
  }
  await check({ seed: 2 }, (world) => world.sleep(100));
});

test("exceptions outside go where they went: to listeners, or to the end of the process", () => {
  const entry = JSON.stringify(join(repositoryRoot, "dist/sim.js"));
  const program = (listener: string): string => `
    import { check } from ${entry};
    ${listener}
    const run = check({}, async (world) => { for (let n = 0; n < 5000; n += 1) await world.sleep(1); });
    process.nextTick(() => { throw new Error("outside"); });
    await run;
    console.log("done", process.listenerCount("uncaughtException"));`;
  const end = (listener: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ["--input-type=module", "-e", program(listener)], { encoding: "utf8" });
  const told = end('process.on("uncaughtException", (error) => console.log("told", error.message));');
  assert.deepEqual([told.status, String(told.stdout)], [0, "told outside\ndone 1\n"]);
  const dies = end("");
  assert.equal(dies.status, 1);
  assert.match(String(dies.stderr), /Error: outside/);
});

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

test("rejections outside go where they went: to listeners, or to the end of the process", () => {
  const entry = JSON.stringify(join(repositoryRoot, "dist/sim.js"));
  const program = (listener: string): string => `
    import { check } from ${entry};
    ${listener}
    const run = check({}, async (world) => { for (let n = 0; n < 5000; n += 1) await world.sleep(1); });
    setImmediate(() => void Promise.reject(new Error("outside")));
    await run;
    console.log("done", process.listenerCount("unhandledRejection"));`;
  const end = (listener: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ["--input-type=module", "-e", program(listener)], { encoding: "utf8" });
  const told = end('process.on("unhandledRejection", (error) => console.log("told", error.message));');
  assert.deepEqual([told.status, String(told.stdout)], [0, "told outside\ndone 1\n"]);
  const dies = end("");
  assert.equal(dies.status, 1);
  assert.match(String(dies.stderr), /Error: outside/);
});
