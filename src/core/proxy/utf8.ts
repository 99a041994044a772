/**
 * UTF-8 that is refused, not repaired, when it is wrong.
 */
import type { Invalid } from "./header.ts";

/** Throws on bytes that are not UTF-8, and keeps a byte order mark. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of some bytes; `what` names them in the error. */
export function decodeUtf8(bytes: Uint8Array, what: string, invalid: Invalid): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid(`${what} is not UTF-8`);
  }
}
