/** The values of a contract as JSON on the command line. Bytes are base64. */

import { isBytes, type Schema } from "../../protocol.ts";
import { wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { InexactJson, jsonText, parseExactly } from "../terminal/json-text.ts";

const TEXTS = inLanguage({
  en: {
    notJson: (what: string, text: string) => `${what} needs JSON, such as '{"name":1}' or '"text"'; got ${text}`,
    notBase64: (what: string) => `${what} carries bytes: give them as base64 in quotes, such as '"aG9sYQ=="'`,
  },
  es: {
    notJson: (what, text) => `${what} necesita JSON, como '{"nombre":1}' o '"texto"'; recibió ${text}`,
    notBase64: (what) => `${what} lleva bytes: dalos en base64 entre comillas, como '"aG9sYQ=="'`,
  },
});

/**
 * Reads what the person wrote as the question, message or item of a method; undefined for nothing.
 *
 * @param refusal - The error for what it cannot be.
 */
export function valueFrom(
  text: string | undefined,
  schema: Schema | undefined,
  what: string,
  refusal: (detail: string) => Error = wrongUsage,
): unknown {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parseExactly(text);
  } catch (error) {
    if (error instanceof InexactJson) throw refusal(`${what}: ${error.message}`);
    throw refusal(TEXTS.notJson(what, JSON.stringify(text)));
  }
  if (!isBytes(schema)) return value;
  const decoded = typeof value === "string" ? Buffer.from(value, "base64") : undefined;
  if (decoded?.toString("base64") === value && decoded !== undefined) return decoded;
  throw refusal(TEXTS.notBase64(what));
}

/** A value on one line of JSON. @throws ProtocolError `FRAME_INVALID`: JSON has no form for it, not even a near one. */
export function jsonLine(value: unknown): string {
  return `${jsonText(value)}\n`;
}
