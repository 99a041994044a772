import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../../test/fixtures/repository-root.ts";
import { formatFaultList } from "../../core/faults/fault-list.ts";
import { simTest } from "./sim-test.ts";

simTest(
  "a program that is right passes with every seed",
  { seeds: 5, checkOneIn: 1, chaos: { lastsMs: 500 } },
  async (world) => {
    world.host("a");
    await world.healed;
    world.sometimes("healed", true);
  },
);

/** Runs a file of tests as a user does; the answer is its exit code and what it printed. */
function runFile(
  body: string,
  env: Readonly<Record<string, string>> = {},
  lists: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): [number | null, string] {
  const folder = mkdtempSync(join(tmpdir(), "zocalo-sim-test-"));
  try {
    const entry = join(repositoryRoot, "dist/sim.js");
    writeFileSync(join(folder, "my orders.test.mjs"), `import { simTest } from ${JSON.stringify(entry)};\n${body}\n`);
    mkdirSync(join(folder, "test/replay"), { recursive: true });
    for (const [index, list] of lists.entries()) writeFileSync(join(folder, `test/replay/${index}.json`), list);
    // This file is itself run by the runner of tests, which must not think that the other one is its child.
    const { NODE_TEST_CONTEXT: _context, ...rest } = process.env;
    const options = { cwd: folder, env: { ...rest, ...env }, encoding: "utf8" } as const;
    const { status, stdout } = spawnSync(process.execPath, [...nodeOptions, "my orders.test.mjs"], options);
    return [status, stdout];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const FAILS_AT_SEVEN = `
simTest("orders", { seeds: 20, checkOneIn: 3 }, async (world) => {
  console.log("ran " + world.seed);
  world.host("a");
  await world.healed;
  world.always("not seven", world.seed !== 7);
});`;

test("a failure names the seed, its faults, and the line that replays it", () => {
  const [code, output] = runFile(FAILS_AT_SEVEN);
  assert.equal(code, 1);
  assert.match(output, /"orders\\?" fails with seed 7: SIM_INVARIANT always \\?"not seven/);
  assert.match(output, /replay: SIM_SEED=7 node --test 'my orders\.test\.mjs'/);
  // Seeds 1, 4 and 7 ran twice, and nothing ran after the failure.
  assert.deepEqual(
    output.match(/^(?:# )?ran \d+/gm)?.map((line) => line.replace(/\D+/, "")),
    "1 1 2 3 4 4 5 6 7 7".split(" "),
  );
});

test("the line that replays a failure starts tsx where the test was started with it", () => {
  const [, output] = runFile(FAILS_AT_SEVEN, {}, [], ["--import", import.meta.resolve("tsx")]);
  assert.match(output, /replay: SIM_SEED=7 npx tsx --test 'my orders\.test\.mjs'/);
});

test("the variable runs one seed; a stored list of this test runs first, others do not", () => {
  assert.equal(runFile(FAILS_AT_SEVEN, { SIM_SEED: "8" })[0], 0);
  assert.equal(runFile(FAILS_AT_SEVEN, { SIM_SEED: "7" })[0], 1);
  const choices = { cutReads: false, permute: false, latency: 1 };
  const list = { format: 1, seed: 7, chaosMs: 10, choices, faults: [] } as const;
  const stored = ["others", "orders"].map((simulation) => formatFaultList({ ...list, simulation }));
  const [code, output] = runFile(FAILS_AT_SEVEN, {}, stored);
  assert.equal(code, 1);
  assert.match(output, /fails with a stored list of faults/);
  assert.doesNotMatch(output, /ran 1/);
});
