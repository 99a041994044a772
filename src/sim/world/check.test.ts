import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { joined } from "../../../test/sim/scene.ts";
import type { ZocaloError } from "../../core/errors.ts";
import { check } from "./check.ts";
import { simulate } from "./simulate.ts";
import type { World } from "./world-contract.ts";

test("check stops at the first difference and shows both sides", async () => {
  let runs = 0;
  const main = async (world: World): Promise<void> => {
    runs += 1;
    const call = (await joined(world)).call;
    await call.write(`run ${runs}`);
    await world.sleep(60_000);
    assert.equal(runs, 1, "the second run was to stop before");
  };
  await assert.rejects(check({ seed: 1 }, main), (error: ZocaloError) => {
    assert.equal(error.code, "SIM_DIVERGED");
    assert.match(error.detail, /first run: .*"event":"send .*\nsecond run: .*"event":"send /);
    return true;
  });
});

test("trace and capture receive the first run only", async () => {
  const main = async (world: World): Promise<void> => {
    const { call } = await joined(world);
    await call.write("hola");
    await world.sleep(10);
  };
  const received = async (run: typeof check): Promise<readonly string[]> => {
    const lines: string[] = [];
    const pieces: Uint8Array[] = [];
    await run({ trace: (line) => void lines.push(line), capture: (bytes) => void pieces.push(bytes) }, main);
    return [lines.join(""), Buffer.concat(pieces).toString("hex")];
  };
  assert.deepEqual(await received(check), await received(simulate));
});

test("what differs without a packet is seen at the end: the time that it took, and how it ended", async () => {
  const programs: Readonly<Record<string, (run: number, world: World) => Promise<void>>> = {
    "another sleep": (run, world) => world.sleep(run),
    "one more timer": (run, world) => {
      if (run === 2) world.at(1, () => undefined);
      return world.sleep(5);
    },
    "only the first run fails": async (run) => assert.equal(run, 2),
    "only the second run fails": async (run) => assert.equal(run, 1),
    "they fail in different ways": async (run) => {
      throw new Error(run === 1 ? "one" : "two");
    },
  };
  for (const [name, program] of Object.entries(programs)) {
    let runs = 0;
    const main = (world: World): Promise<void> => program((runs += 1), world);
    await assert.rejects(check({ seed: 1 }, main), { code: "SIM_DIVERGED" }, name);
  }
});

test("real work at the same time leaves the same trace, whichever is done first", async () => {
  const file = fileURLToPath(import.meta.url);
  const derive = promisify(crypto.pbkdf2);
  for (let seed = 0; seed < 20; seed += 1) {
    const lines: string[] = [];
    await check({ seed, trace: (line) => void lines.push(line) }, async (world) => {
      for (let round = 0; round < 3; round += 1) {
        await Promise.all([
          derive("a", "b", 1 + round * 2_000, 8, "sha1"),
          derive("a", "b", 2_000, 8, "sha1"),
          fs.readFile(file),
          promisify(zlib.gzip)(Buffer.alloc(100_000 * round)),
          crypto.subtle.digest("SHA-256", Buffer.alloc(1_000)),
        ]);
        if (round < 2) await world.sleep(1);
      }
    });
    assert.equal(lines.filter((line) => /PBKDF2REQUEST 2.*"frozen"/.test(line)).length, 3);
  }
});
