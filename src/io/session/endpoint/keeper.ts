/** How a program ends one session. */

import { ConnectionError } from "../../../core/errors.ts";
import { Deadline, type OperationOptions } from "../../operation/deadline.ts";
import { turns } from "../../stream/linger.ts";
import type { Clock } from "../../network/network.ts";
import type { SessionEnd } from "../end.ts";
import type { SessionEndpoint } from "./endpoint.ts";

/** So long `drain` takes at most. */
export const DEFAULT_DRAIN_MS = 5000;
/** Turns of the event loop in which the last words leave: enough for answers that are here already. */
const LAST_TURNS = 8;

/** The error of a session that this program gives up. */
export function abortError(reason: unknown): ConnectionError {
  return new ConnectionError("CONNECTION_ABORTED", {
    op: "session",
    detail: "this program gave the session up",
    cause: reason,
  });
}

/** What a peer is told of which this side takes leave. */
interface Farewell {
  readonly retryAfterMs: number;
  readonly message: string;
}

/** Finishes what is under way, at most for the time of the options, and closes. Answers whether all was finished. */
export async function drainEndpoint(
  endpoint: SessionEndpoint,
  options: OperationOptions,
  say: Farewell,
): Promise<boolean> {
  const [finished] = await drainEndpoints([endpoint], endpoint.settings.clock, options, () => say);
  return finished === true;
}

/** Waits for something as long as `drain` may take. */
export async function beforeDrained(clock: Clock, options: OperationOptions, work: Promise<void>): Promise<void> {
  const { timeoutMs = DEFAULT_DRAIN_MS, signal } = options;
  if (timeoutMs === 0 || signal?.aborted === true) return;
  let deadline: Deadline | undefined;
  const expired = new Promise<void>((resolve) => {
    deadline = new Deadline(clock, { timeoutMs, signal }, () => resolve());
  });
  await Promise.race([work, expired]);
  deadline?.cancel();
}

/**
 * The same for many, with one timer and one listener. Answers for each whether all was finished. `onQuiet` is called when
 * nothing is under way any more in any of them, or the time is up.
 */
export async function drainEndpoints(
  endpoints: readonly SessionEndpoint[],
  clock: Clock,
  options: OperationOptions,
  say: () => Farewell,
  onQuiet?: () => void,
): Promise<readonly boolean[]> {
  const { timeoutMs = DEFAULT_DRAIN_MS, signal } = options;
  let deadline: Deadline | undefined;
  const expired = new Promise<void>((resolve) => {
    if (signal?.aborted === true || timeoutMs === 0) resolve();
    else deadline = new Deadline(clock, { timeoutMs, signal }, () => resolve());
  });
  const leaving = endpoints.map((endpoint) => {
    const { retryAfterMs, message } = say();
    return {
      endpoint,
      message,
      wasOver: endpoint.end !== undefined,
      idle: endpoint.ending.leave(retryAfterMs, expired),
    };
  });
  void Promise.all(leaving.map(({ idle }) => idle)).then(onQuiet);
  // What is said last leaves at once, and who answers at once is heard; nobody is waited for beyond the time.
  const late = expired.then(() => turns(clock, LAST_TURNS));
  const drained = leaving.map(async ({ endpoint, message, wasOver, idle }) => {
    const inTime = await idle;
    await endpoint.ending.shut(message, late);
    if (!inTime) endpoint.ending.giveUp();
    return inTime && (wasOver || isClean(endpoint.end));
  });
  const outcomes = await Promise.all(drained);
  deadline?.cancel();
  return outcomes;
}

/** Whether a session came to its end with everything that this side had sent. */
function isClean(end: SessionEnd | undefined): boolean {
  return end !== undefined && end.error === undefined && end.lost.length === 0 && end.unhandled === 0;
}
