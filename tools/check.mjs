// npm run check [-- word...]
//
// Everything that can be checked without running the program: builds dist/, then runs all the checks below, even if one
// fails, and prints a table. Only the output of the failed ones is shown. With words only the checks of those names.
import { performance } from "node:perf_hooks";
import { root, run } from "./run-command.mjs";

const node = process.execPath;

/** Name, what a failure means, command. The slowest first, so that the two lanes end together. */
const checks = [
  [
    "attw",
    "types do not resolve",
    "attw",
    ["--pack", root, "--profile", "esm-only", "--no-definitely-typed", "--no-emoji"],
  ],
  ["api", "the public surface changed", node, ["tools/api.mjs", "--check"]],
  ["publint", "the package is not well formed", node, ["tools/publint.mjs"]],
  ["knip", "unused files, exports or dependencies", "knip", ["--no-progress"]],
  ["types", "errors of the types", "tsc", ["-p", "tsconfig.json", "--noEmit"]],
  ["page", "errors of the types in src/page", "tsc", ["-p", "src/page/tsconfig.json", "--noEmit"]],
  ["lint", "oxlint, with types", "oxlint", []],
  ["format", "run npm run format", "biome", ["format", "."]],
  ["locks", "run npm run lock", node, ["tools/lock.mjs", "--check"]],
];

/** Two at a time: machines of CI have two cores. */
const LANES = 2;

async function runAll(tasks) {
  const results = [];
  const queue = [...tasks];
  const lane = async () => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      const [name, meaning, command, args] = task;
      results.push({ name, meaning, ...(await run(command, args)) });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

const startedAt = performance.now();
const words = process.argv.slice(2);
const wanted = checks.filter(([name]) => words.length === 0 || words.includes(name));
// All the others read dist/: examples and tests import the package by its own name.
const build = await runAll([["build", "src/ does not compile", node, ["tools/build.mjs"]]]);
const results = [...build, ...(await runAll(wanted))];
const failed = results.filter((result) => !result.ok);

for (const { name, output, code } of failed) {
  console.log(`\n--- ${name} (exit code ${code})\n${output.trim()}`);
}
console.log(failed.length === 0 ? "" : "\n---");
for (const { name, meaning, ok, seconds } of results) {
  console.log(
    `${ok ? "ok    " : "FAILED"}  ${name.padEnd(8)} ${seconds.toFixed(1).padStart(5)} s${ok ? "" : `  ${meaning}`}`,
  );
}
const total = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(`${failed.length === 0 ? "all checks passed" : `${failed.length} failed`} in ${total} s`);
process.exitCode = failed.length === 0 ? 0 : 1;
