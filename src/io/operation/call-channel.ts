/**
 * Calls of contracts, as tracing channels of `node:diagnostics_channel`: `tracing:zocalo:call:start`, `end`, `asyncStart`, `asyncEnd`
 * and `error`. Where the runtime has no tracing channels, there is nothing.
 */

// By its default export: a runtime without tracing channels does not have the name.
import diagnostics, { type TracingChannel } from "node:diagnostics_channel";

/** The message of the channels; all five of one call get the same object. */
export interface CallTrace {
  /** `outgoing` where the call is made, `incoming` where its handler runs. */
  readonly direction: "outgoing" | "incoming";
  /** The contract, as `name version`. */
  readonly contract: string;
  /** The name of the method. */
  readonly method: string;
  /**
   * What goes with the call. A subscriber of `start` may add to that of an outgoing call, and so pass its trace on. Of an incoming
   * call it is what came.
   */
  readonly metadata: Readonly<Record<string, string>>;
  /** The id of the session; undefined over datagrams. */
  readonly session: string | undefined;
  /** The own address, as text. */
  readonly local: string | undefined;
  /** The peer's address, as text. */
  readonly remote: string | undefined;
  /** The answer, on `asyncEnd`. */
  result?: unknown;
  /** On `error`, and behind it. */
  error?: unknown;
}

const calls: TracingChannel<unknown, CallTrace> | undefined = (
  diagnostics as Partial<typeof diagnostics>
).tracingChannel?.("zocalo:call");

/** Whether anybody listens. */
export function callsAreTraced(): boolean {
  return (calls as { readonly hasSubscribers?: boolean } | undefined)?.hasSubscribers === true;
}

/** Runs one call in its trace. Answers a promise of what it answers. */
export function traceCall(trace: CallTrace, run: () => unknown): Promise<unknown> {
  const answer = async (): Promise<unknown> => await run();
  return calls === undefined ? answer() : calls.tracePromise(answer, trace);
}
