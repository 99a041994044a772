/** The schema of messages that are bytes. */

import type { Schema } from "./schema.ts";

/** What {@link bytes} answers for anything else. */
const NOT_BYTES = { issues: [{ message: "must be a Uint8Array" }] };

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
export const bytes: Schema<Uint8Array> = {
  "~standard": {
    version: 1,
    vendor: "zocalo",
    validate: (value) => (value instanceof Uint8Array ? { value } : NOT_BYTES),
  },
};
