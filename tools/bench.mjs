// npm run bench [-- name [word...]]
//
// Compiles everything and runs the benchmarks: each file directly in bench/, in a process of its own, one after the other.
// With a name only that one, and the words go to it (`npm run bench -- sockets bulk` runs bench/sockets.ts with `bulk`).
// Benchmarks print ratios and never fail because of a time.
import { compileAll, outputOf, sources } from "./sources.mjs";
import { runOrExit } from "./run-command.mjs";

/** Longer than any benchmark takes on a slow machine; only a hang must end. */
const BENCHMARK_TIMEOUT_MS = 3_600_000;

const [name, ...words] = process.argv.slice(2);
const files = sources(["bench"], ".ts").filter(
  (path) => path.split("/").length === 2 && (name === undefined || path === `bench/${name}.ts`),
);
if (files.length === 0) {
  console.error(name === undefined ? "there are no benchmarks" : `there is no bench/${name}.ts`);
  process.exit(1);
}

await compileAll();
for (const file of files) {
  console.log(`\n# ${file}`);
  await runOrExit(process.execPath, ["--expose-gc", outputOf(file), ...words], { timeoutMs: BENCHMARK_TIMEOUT_MS });
}
