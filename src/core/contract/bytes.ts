/** The schema of messages that are bytes. */

import type { Schema } from "./schema.ts";

/** Marks the schema, also for another copy of this package in the same process, whose `bytes` is another object. */
const MARK: unique symbol = Symbol.for("zocalo.bytes");

/** What {@link bytes} answers for anything else. */
const NOT_BYTES = { issues: [{ message: "must be a Uint8Array" }] };

const marked: Schema<Uint8Array> & { readonly [MARK]: true } = {
  [MARK]: true,
  "~standard": {
    version: 1,
    vendor: "zocalo",
    validate: (value) => (value instanceof Uint8Array ? { value } : NOT_BYTES),
  },
};

/**
 * The schema of messages that are bytes and need no codec: they stand on the wire as they are, whatever codec the two
 * sides agreed on. The fastest kind of message.
 *
 * @example
 * ```ts
 * import { bytes, contract, stream } from "zocalo/protocol";
 * export const files = contract("files", "1.0.0", { server: { read: stream({ sends: bytes }) } });
 * ```
 */
export const bytes: Schema<Uint8Array> = marked;

/**
 * Whether a schema is {@link bytes}: of this copy of the package or of another one, as when a tool loads the contract of a
 * program.
 *
 * @example
 * ```ts
 * import { bytes, isBytes, typeOnly } from "zocalo/protocol";
 * console.log(isBytes(bytes), isBytes(typeOnly<string>())); // true false
 * ```
 */
export function isBytes(schema: Schema | undefined): boolean {
  return schema !== undefined && MARK in schema;
}
