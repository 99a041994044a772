/**
 * Every simulated test of ours runs twice, and the two traces are compared: what depends on more than the seed is found on the
 * day on which it is written. This test finds those that do not.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/** Tests that must see single runs, and why. The hunts of test/soak are no tests, and check one seed in ten. */
const ONCE: Readonly<Record<string, string>> = {
  "src/cli/sim/sequence.test.ts": "draws one seed twice, and compares the drawings",
  "src/sim/world/simulate.test.ts": "shows what one run gives, and that check gives the same",
  "src/sim/explore/explore.test.ts": "shows that options are refused by a single run as well",
  "src/sim/explore/sim-test.test.ts": "counts how often simTest runs a seed",
};

/** The calls that run worlds, and what makes them run twice; `check` always does. */
const CALLS: Readonly<Record<string, RegExp | undefined>> = {
  simulate: undefined,
  explore: /\btwice: true\b/,
  simTest: /\bcheckOneIn: 1\b/,
};

/** The calls of a test that run a world only once. */
function singleRuns(text: string): string[] {
  const code = text.replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, "");
  // The options of a call come before the program, which is a function, and before the end of the statement.
  return [...code.matchAll(/\b(simulate|explore|simTest)\([^]*?(?:=>|;)/g)]
    .filter(([call, name = ""]) => CALLS[name]?.test(call) !== true)
    .map(([call]) => call);
}

/** The paths of all tests, and of what they use. */
function testPaths(): string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`);
  const tests = [...below("src").filter((path) => path.endsWith(".test.ts")), ...below("test")];
  return tests.filter((path) => path.endsWith(".ts") && !path.startsWith("test/soak/")).sort();
}

test("a world that runs only once is found", () => {
  assert.deepEqual(singleRuns("await simulate({ seed: 1 }, main);").length, 1);
  assert.deepEqual(singleRuns("assert.rejects(simulate({}, async (world) => world.sleep(1)))").length, 1);
  assert.deepEqual(singleRuns("const { list } = await explore(program, { seed, twice: odd });").length, 1);
  assert.deepEqual(singleRuns('simTest("name", { seeds: 9 }, async (world) => run({ checkOneIn: 1 }));').length, 1);
  const twice =
    'simTest("a", { checkOneIn: 1 }, main); await explore(one, { twice: true }); // simulate() is not called;';
  assert.deepEqual(singleRuns(twice), []);
});

test("every simulated test runs twice", () => {
  const found = new Map<string, readonly string[]>();
  let checked = 0;
  for (const path of testPaths().filter((one) => one !== "test/policy/simulated-tests.test.ts")) {
    const text = readFileSync(join(repositoryRoot, path), "utf8");
    if (/\bcheck\(\{|\btwice: true\b|\bcheckOneIn: 1\b/.test(text)) checked += 1;
    const calls = singleRuns(text);
    if (calls.length > 0 && ONCE[path] === undefined) found.set(path, calls);
  }
  assert.deepEqual(
    Object.fromEntries(found),
    {},
    "use check instead of simulate, twice: true for explore, checkOneIn: 1 for simTest",
  );
  assert.ok(checked > 20, `${checked} files with worlds`);
});
