/** Sessions under chaos: `SOAK_SESSION_SEEDS` (100000) seeds of test/sim/session-chaos.ts, by the command itself. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { repositoryRoot } from "../repository-root.ts";
import { conclude, countOf } from "./outcome.ts";

const command = join(repositoryRoot, "dist/cli/main.js");
const file = join(repositoryRoot, "build/test/sim/session-chaos.js");
const seeds = String(countOf("SOAK_SESSION_SEEDS", 100_000));
const args = [command, "sim", "hunt", file, "--export", "sessionChaos", "--seeds", seeds];
const child = spawn(process.execPath, args, { stdio: "inherit" });
const [code] = (await once(child, "close")) as [number | null];
conclude("sessions", code === 0 ? [] : [`the hunt ended with ${code}`]);
