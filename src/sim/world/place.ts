/** Where a simulated program is, told to the program itself. */

import { currentScope } from "../guard/scope.ts";

/** Where in a world the running code is. */
export interface SimulatedPlace {
  /** The name of the host whose program it is; `world` for the function that was given to `simulate` or `simulation`. */
  readonly host: string;
  /** The virtual time, in milliseconds from the start of the world. */
  readonly atMs: number;
}

/**
 * The place of the running code in a simulated world; undefined outside of all worlds. For what a program writes, such as its log.
 * `zocalo sim run` puts it before each line.
 *
 * @example
 * ```ts
 * import { simulatedPlace, simulate } from "zocalo/sim";
 * await simulate({ seed: 1 }, async (world) => {
 *   world.host("server", () => console.log(simulatedPlace()?.host)); // server
 *   await world.sleep(20);
 *   console.log(simulatedPlace()); // { host: 'world', atMs: 20 }
 * });
 * console.log(simulatedPlace()); // undefined
 * ```
 */
export function simulatedPlace(): SimulatedPlace | undefined {
  const scope = currentScope();
  return scope === undefined ? undefined : { host: scope.place, atMs: scope.now() };
}
