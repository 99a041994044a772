/** Programs with a mistake that simulations find, and their corrected forms. */

import type { Simulation } from "zocalo/sim";
import chunkBoundaries, { fixed as chunkBoundariesFixed } from "../examples/sim/chunk-boundaries.ts";
import halfOpen, { fixed as halfOpenFixed } from "../examples/sim/half-open.ts";
import lostWakeUp, { fixed as lostWakeUpFixed } from "../examples/sim/lost-wake-up.ts";
import reorderedDatagrams, { fixed as reorderedDatagramsFixed } from "../examples/sim/reordered-datagrams.ts";
import retriedOrder, { fixed as retriedOrderFixed } from "../examples/sim/retried-order.ts";
import slowReader, { fixed as slowReaderFixed } from "../examples/sim/slow-reader.ts";

/** All of them. */
export const PLANTED: readonly { readonly simulation: Simulation; readonly fixed: Simulation }[] = [
  { simulation: chunkBoundaries, fixed: chunkBoundariesFixed },
  { simulation: halfOpen, fixed: halfOpenFixed },
  { simulation: lostWakeUp, fixed: lostWakeUpFixed },
  { simulation: reorderedDatagrams, fixed: reorderedDatagramsFixed },
  { simulation: retriedOrder, fixed: retriedOrderFixed },
  { simulation: slowReader, fixed: slowReaderFixed },
];
