/** The schema that only the compiler knows. */

import type { Schema } from "./schema.ts";

/**
 * A schema that accepts every value: the compiler checks what this program does, and nobody checks what the peer sends. For
 * streams and for programs whose peers are trusted.
 *
 * @example
 * ```ts
 * import { contract, stream, typeOnly } from "zocalo/protocol";
 * export const clock = contract("clock", "1.0.0", { server: { ticks: stream({ sends: typeOnly<number>() }) } });
 * ```
 */
export function typeOnly<T>(): Schema<T> {
  return { "~standard": { version: 1, vendor: "zocalo", validate: (value) => ({ value }) } };
}
