/** What a program hears of its own failures where it gives no `onError`: a warning of the process, once for each server or client. */

import { type ErrorCode, ZocaloError } from "../core/errors.ts";
import { FUNCTION, type OptionRule } from "../core/options/check-options.ts";
import type { OnError } from "../io/operation/peer-problems.ts";
import { isOnKernel, type NetworkOption } from "./call-options.ts";

/** In one process, however many servers and clients it has. */
const MOST_WARNINGS = 10;
const MOST_LINES = 12;
const MOST_CHARACTERS = 300;
/** What ends a terminal's line, or changes more than that; a text of the peer may be in the error. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;

/** How many a process has printed. */
let printed = 0;

/** The rule of `onError` of a call: without one, the first error that the program itself has made is a warning of the process. */
export function onErrorOf(call: string): OptionRule {
  // In a simulated world much fails on purpose, run after run; there the world's own run fails.
  return { ...FUNCTION, fallback: (given) => (isOnKernel(given as NetworkOption) ? warnOnce(call) : undefined) };
}

function warnOnce(call: string): OnError<unknown> {
  let isTold = false;
  return (error) => {
    if (isTold || printed >= MOST_WARNINGS || isPeersDoing(error)) return;
    isTold = true;
    printed += 1;
    const message = `a handler of ${call} failed; only the first such error is printed: give ${call} an onError to hear of all`;
    process.emitWarning(message, { type: "ZocaloWarning", code: "ZOCALO_NO_ON_ERROR", detail: textOf(error) });
  };
}

/** Errors of this side that are no mistake of the program. */
const IN_ORDER: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["CONNECTION_ABORTED", "LIFETIME_EXCEEDED"]);

/** Whether an error says what a peer or the network did, on whichever connection. */
function isPeersDoing(error: unknown): boolean {
  return error instanceof ZocaloError && (error.side !== "local" || IN_ORDER.has(error.code));
}

/** The beginning of an error with its stack, without what a terminal would obey. */
function textOf(error: unknown): string {
  let text: string;
  try {
    text = error instanceof Error ? (error.stack ?? String(error)) : `it threw ${String(error)}`;
  } catch {
    text = "it threw what has no text";
  }
  const lines = text.split("\n").slice(0, MOST_LINES);
  return lines.map((line) => line.slice(0, MOST_CHARACTERS).replaceAll(CONTROLS, "\ufffd")).join("\n");
}
