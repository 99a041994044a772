/**
 * A look into a running program, from outside of it.
 *
 * @packageDocumentation
 */

export { inspectorPaths } from "./inspect/doors.ts";
export type { Inspector, InspectOptions } from "./inspect/inspect.ts";
export { inspect } from "./inspect/start.ts";
