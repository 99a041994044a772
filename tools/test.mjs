// npm test [-- [--newest] word...]
//
// Compiles everything and runs the tests: every src/**/*.test.ts and test/**/*.test.ts, or with words only those whose
// path contains one of them (`npm test -- framing architecture`). The Node that runs this tool runs the tests; with
// --newest, the newest Node that the package supports does (from tools/runtimes).
import { compileAll, outputOf, sources } from "./sources.mjs";
import { run } from "./run-command.mjs";
import { bin, installRuntimes } from "./runtimes.mjs";

/**
 * One file of tests may take this long: a hang must end before the time of CI is over. The longest ones take half a minute
 * on two cores, and three on cores that ten other programs want.
 */
const FILE_TIMEOUT_MS = 600_000;
/** All of them take some minutes. */
const TOTAL_TIMEOUT_MS = 1_800_000;

const newest = process.argv.includes("--newest");
const filters = process.argv.slice(2).filter((word) => word !== "--newest");
const files = sources(["src", "test"], ".test.ts").filter(
  (path) => filters.length === 0 || filters.some((word) => path.includes(word)),
);
if (files.length === 0) {
  console.error(filters.length === 0 ? "there are no tests" : `no test has a path with: ${filters.join(", ")}`);
  process.exit(1);
}

await compileAll();
if (newest) await installRuntimes();
// The command speaks English in a test that does not ask for another language.
process.env.LC_ALL = "C.UTF-8";
const { code } = await run(
  newest ? bin("node") : process.execPath,
  // Two at a time: CI has two cores, and tests that wait for sockets lose nothing by it.
  [
    "--test",
    "--test-concurrency=2",
    "--test-reporter=spec",
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    ...files.map(outputOf),
  ],
  { inherit: true, timeoutMs: TOTAL_TIMEOUT_MS },
);
process.exitCode = code;
