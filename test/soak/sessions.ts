/**
 * Sessions under chaos, by the command itself: `SOAK_SESSION_SEEDS` (100000) seeds of test/sim/session-chaos.ts, and a tenth as many
 * of each simulation of test/sim/session-closing.ts, which do ten times as much.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { conclude, countOf } from "./outcome.ts";

const command = join(repositoryRoot, "dist/cli/main.js");
const seeds = countOf("SOAK_SESSION_SEEDS", 100_000);
const hunts = [
  ["session-chaos", "sessionChaos", seeds],
  ["session-closing", "sessionClosing", Math.ceil(seeds / 10)],
  ["session-closing", "calmClosing", Math.ceil(seeds / 10)],
] as const;

const problems: string[] = [];
for (const [file, name, count] of hunts) {
  const path = join(repositoryRoot, `build/test/sim/${file}.js`);
  const args = [command, "sim", "hunt", path, "--export", name, "--seeds", String(count)];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) problems.push(`the hunt of ${name} ended with ${code}`);
}
conclude("sessions", problems);
