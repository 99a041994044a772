/** Loads the simulation of a file. */

import { wrongUsage } from "../terminal/exit-codes.ts";
import { loadModule } from "../terminal/load-module.ts";
import type { Simulation } from "../../sim.ts";

/** The simulation that `file` exports by a name. A simulation without a name is called as its file. */
export function loadSimulation(file: string, exportName: string): Simulation {
  const exports = loadModule(file, "sim");
  const found = exports[exportName];
  if (!isSimulation(found)) {
    const names = Object.keys(exports).filter((name) => isSimulation(exports[name]));
    const hint =
      names.length > 0
        ? `it has: ${names.join(", ")}; choose one with --export NAME`
        : 'write `export default simulation({ ... }, async (world) => { ... })`, from "zocalo/sim"';
    throw wrongUsage(`${file} has no simulation as its export ${JSON.stringify(exportName)}; ${hint}`);
  }
  return found;
}

function isSimulation(value: unknown): value is Simulation {
  if (typeof value !== "object" || value === null) return false;
  const { main, options } = value as { readonly main?: unknown; readonly options?: unknown };
  return typeof main === "function" && typeof options === "object" && options !== null;
}
