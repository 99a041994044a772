/** Values of a peer as JSON that is safe to show. */

import { ProtocolError } from "../index.ts";

/** Characters that JSON leaves as they are, and that a terminal may take for orders. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * A value as JSON on one line, with nothing in it that gives orders to a terminal. A value that is not there is null.
 *
 * @param replacer - As for `JSON.stringify`.
 * @throws ProtocolError `FRAME_INVALID`: `JSON.parse` takes any depth, `JSON.stringify` does not.
 */
export function jsonText(value: unknown, replacer?: (this: unknown, key: string, value: unknown) => unknown): string {
  return stringify(value, replacer).replaceAll(
    UNSAFE,
    (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function stringify(value: unknown, replacer: ((key: string, value: unknown) => unknown) | undefined): string {
  try {
    return JSON.stringify(value, replacer) ?? "null";
  } catch (cause) {
    const detail = "the message is nested too deeply to be shown";
    throw new ProtocolError("FRAME_INVALID", { op: "decode", detail, cause });
  }
}
