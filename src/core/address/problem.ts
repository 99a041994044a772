/**
 * How a wrong address is reported: one sentence that begins with the wrong part and ends with the input.
 */
import { UsageError } from "../errors.ts";
import { quoted } from "../peer-error.ts";

/** Makes the error to throw: which part is wrong, the first words of the detail, and what about it. */
export type Fail = (part: string, problem: string) => UsageError;

/** The longest piece of input that a message shows, in characters: a message is one line, not a dump. */
const MAX_SHOWN_LENGTH = 200;

/** What stands before an "@" in an authority. */
const USER_INFO = /(^|\/\/)[^/?#]+@/;

/** The reporter of one parse: `op` is the operation that the error names, `input` is what was given. */
export function failure(op: string, input: unknown): Fail {
  return (part, problem) =>
    new UsageError("ADDRESS_INVALID", { op, detail: `${part} ${problem} (in ${shown(input)})` });
}

/** Undoes the percent-encoding of a part of a URL. */
export function percentDecoded(part: string, text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fail(part, `${quoted(text)} has a wrong percent-encoding; write "%" as %25`);
  }
}

/** What a message shows of the input; a password before an "@" is hidden, because messages go to logs. */
function shown(input: unknown): string {
  if (typeof input === "string") return quoted(/^unix:/i.test(input) ? input : input.replace(USER_INFO, "$1***@"));
  try {
    return (JSON.stringify(input) ?? String(input)).slice(0, MAX_SHOWN_LENGTH);
  } catch {
    return typeof input;
  }
}
