/** The texts that a program hands over to be sent. */

import { isEncodable } from "../../core/bytes/utf8.ts";
import { UsageError } from "../../core/errors.ts";
import type { OperationContext } from "./deadline.ts";

/**
 * The UTF-8 of a text. Half of a surrogate pair has none (RFC 3629 section 3) and would arrive as U+FFFD.
 *
 * @param name - What the text is, for the error.
 * @throws UsageError `OPTION_INVALID`.
 */
export function textBytes(text: string, name: string, context: () => OperationContext): Buffer {
  if (isEncodable(text)) return Buffer.from(text, "utf8");
  const detail = `${name} has half of a surrogate pair, which has no UTF-8; cut texts between characters, or send bytes`;
  throw new UsageError("OPTION_INVALID", { ...context(), detail, outcome: "none" });
}
