// npm run soak [-- name]
//
// Compiles everything and runs the soaks: test/soak/churn.ts, cluster.ts, fuzz.ts, hostile.ts, hunts.ts, journals.ts, seeds.ts and sessions.ts,
// or only the one that is named, each in a process of its own. They are bounded by counts, which environment variables change:
// SOAK_CLUSTER_KILLS, SOAK_CLUSTER_ROUNDS, SOAK_CLUSTER_SEEDS, SOAK_CONNECTIONS, SOAK_KILLS, SOAK_LANES, SOAK_ROUNDS, SOAK_SEED, SOAK_SEEDS,
// SOAK_SESSION_ROUNDS, SOAK_SESSION_SEEDS. As they are, sessions takes the longest, cluster half an hour, the others under ten
// minutes in all.
import { compileAll, outputOf } from "./sources.mjs";
import { run } from "./run-command.mjs";

/** Only a hang must end. */
const SOAK_TIMEOUT_MS = 3_600_000;

const soaks = ["churn", "cluster", "fuzz", "hostile", "hunts", "journals", "seeds", "sessions"];
const [name] = process.argv.slice(2);
if (name !== undefined && !soaks.includes(name)) {
  console.error(`there is no soak ${name}; there are: ${soaks.join(", ")}`);
  process.exit(1);
}

await compileAll();
const summary = [];
for (const soak of name === undefined ? soaks : [name]) {
  const program = outputOf(`test/soak/${soak}.ts`);
  const { ok, seconds } = await run(process.execPath, ["--expose-gc", program], {
    inherit: true,
    timeoutMs: SOAK_TIMEOUT_MS,
  });
  summary.push(`${soak}: ${ok ? "passed" : "FAILED"} in ${seconds.toFixed(1)} s`);
  if (!ok) process.exitCode = 1;
}
console.log(`\n${summary.join("\n")}`);
