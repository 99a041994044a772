/** What the workers of a hunt and their master tell each other. */

import type { ExplorationSummary } from "../../sim.ts";

/** What a worker gets when it starts. */
export interface HuntTask {
  readonly file: string;
  readonly exportName: string;
}

/** From the master: run these seeds, the end excluded. */
export interface HuntOrder {
  readonly from: number;
  readonly to: number;
}

/** From a worker: a run is over, the order is done, or the worker cannot work. */
export type HuntNews =
  | { readonly kind: "run"; readonly summary: ExplorationSummary }
  | { readonly kind: "done" }
  | { readonly kind: "broken"; readonly code: string; readonly detail: string };
