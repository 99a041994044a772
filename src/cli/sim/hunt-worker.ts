/** A worker of a hunt: runs the seeds that it is told to. Started by hunt-workers.ts as a thread. */

import { parentPort, workerData } from "node:worker_threads";
import { ZocaloError } from "../../index.ts";
import { explore, type Simulation } from "../../sim.ts";
import { CommandFailure } from "../terminal/exit-codes.ts";
import type { HuntNews, HuntOrder, HuntTask } from "./hunt-workers.ts";
import { holdAllBack } from "./program-output.ts";
import { loadSimulation } from "./sim-flags.ts";

const { file, exportName } = workerData as HuntTask;

function tell(news: HuntNews): void {
  parentPort?.postMessage(news, []);
}

async function runSeeds(simulation: Simulation, { from, to }: HuntOrder): Promise<void> {
  for (let seed = from; seed < to; seed += 1) {
    const { failure, coverage, list } = await explore(simulation, { seed });
    // An error is not always data that a thread can send.
    const told = failure === undefined ? undefined : { identity: failure.identity };
    tell({ kind: "run", summary: { seed, coverage, list, failure: told } });
  }
  tell({ kind: "done" });
}

function broken(error: unknown): void {
  const code = error instanceof ZocaloError || error instanceof CommandFailure ? error.code : "INTERNAL";
  const detail = error instanceof ZocaloError ? error.detail : error instanceof Error ? error.message : String(error);
  tell({ kind: "broken", code, detail });
}

holdAllBack();
try {
  const simulation = loadSimulation(file, exportName);
  tell({ kind: "loaded" });
  parentPort?.on("message", (order: HuntOrder) => {
    runSeeds(simulation, order).catch(broken);
  });
} catch (error) {
  broken(error);
}
