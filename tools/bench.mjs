// npm run bench [-- word...]
//
// Compiles everything and runs the benchmarks, each bench/**/*.bench.ts in a process of its own, one after the other; with
// words only those whose path contains one of them. Benchmarks print ratios and never fail because of a time.
import { compileAll, outputOf, sources } from "./sources.mjs";
import { runOrExit } from "./run-command.mjs";

const filters = process.argv.slice(2);
const files = sources(["bench"], ".bench.ts").filter(
  (path) => filters.length === 0 || filters.some((word) => path.includes(word)),
);
if (files.length === 0) {
  console.error("there is no such benchmark");
  process.exit(1);
}

await compileAll();
for (const file of files) {
  console.log(`\n# ${file}`);
  await runOrExit(process.execPath, ["--expose-gc", outputOf(file)]);
}
