/** The two ways to end a call early: a time-out on the network's clock, and an abort signal. */

import { type ErrorOutcome, TimeoutError, UsageError } from "../../core/errors.ts";
import type { Clock, Timer } from "../network/network.ts";
import { unwatchAbort, watchAbort } from "./abort-watch.ts";
import {
  noSuchOption,
  OBJECT,
  oneOf,
  OPERATION_RULES,
  type OptionRule,
  type OptionRules,
  RECEIVE_RULES,
  shown,
  SIGNAL,
} from "../../core/options/check-options.ts";

/** Accepted by every operation. Either ends that one call and never disposes of the socket. */
export interface OperationOptions {
  /** Ends the call; it rejects with the signal's reason. An already aborted signal rejects at once. */
  readonly signal?: AbortSignal | undefined;
  /** Longest duration in milliseconds; then the call rejects with `TIMEOUT`. 0 rejects at once. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

/** Accepted by every call and every loop that receives; in a loop each step has them anew. */
export interface ReceiveOptions extends OperationOptions {
  /**
   * Ends the call or the loop in order when it aborts, as `peer.draining` does: a call resolves with null, a loop is done, a
   * handler gets no more. What was not taken stays for whoever receives next. Aborted already, it ends the call at once.
   */
  readonly until?: AbortSignal | undefined;
}

/** Where an operation happens, for its errors. */
export interface OperationContext {
  readonly op: string;
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
}

/** The error of a call that ran out of time. */
export function timeoutError(timeoutMs: number, context: OperationContext, outcome?: ErrorOutcome): TimeoutError {
  const detail = `not finished within ${timeoutMs} ms; give it more time or try again`;
  return new TimeoutError("TIMEOUT", { ...context, detail, outcome });
}

/** Why an operation must not even begin: wrapped, because a signal's reason can be anything. Undefined when it may. */
export type Refusal = { readonly reason: unknown } | undefined;

/** Refuses a signal that is aborted, a time-out of zero, an option that is wrong. */
export function refusedAtOnce(
  options: object | undefined,
  context: () => OperationContext,
  rules: OptionRules = OPERATION_RULES,
): Refusal {
  if (options === undefined) return undefined;
  try {
    return problemOf(options, context, rules);
  } catch (reason) {
    // A getter of the program has thrown.
    return { reason };
  }
}

/** As `refusedAtOnce`, for a call that receives. */
export function receiveRefused(options: ReceiveOptions | undefined, context: () => OperationContext): Refusal {
  return refusedAtOnce(options, context, RECEIVE_RULES);
}

/** What may be said with an event of a session, and with a call, a stream or a datagram; what is in the metadata is looked at when they are sent. */
export const EVENT_RULES: OptionRules = { metadata: OBJECT };
export const CALL_RULES: OptionRules = { ...OPERATION_RULES, ...EVENT_RULES };
/** What may be said with a call over a session. */
export const WHILE_AWAY: OptionRule = oneOf("wait", "reject");
export const SESSION_CALL_RULES: OptionRules = { ...CALL_RULES, whileAway: WHILE_AWAY };

/** What else an operation may be told. */
interface Described {
  readonly metadata?: unknown;
  readonly whileAway?: unknown;
}

function problemOf(options: object, context: () => OperationContext, rules: OptionRules): Refusal {
  if (typeof options !== "object" || options === null) return invalid(context, wrong("options", "an object", options));
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(rules, name)) return invalid(context, noSuchOption(name, rules));
  }
  const { signal, timeoutMs, until, metadata, whileAway }: ReceiveOptions & Described = options;
  // Programs in JavaScript pass anything; found here, it cannot throw later from a timer or an event.
  if (signal !== undefined && !SIGNAL.holds(signal)) return invalid(context, wrong("signal", SIGNAL.wanted, signal));
  if (until !== undefined && !SIGNAL.holds(until)) return invalid(context, wrong("until", SIGNAL.wanted, until));
  if (metadata !== undefined && !OBJECT.holds(metadata))
    return invalid(context, wrong("metadata", OBJECT.wanted, metadata));
  if (whileAway !== undefined && !WHILE_AWAY.holds(whileAway))
    return invalid(context, wrong("whileAway", WHILE_AWAY.wanted, whileAway));
  if (signal?.aborted === true) return { reason: signal.reason };
  if (timeoutMs === undefined) return undefined;
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
    return invalid(context, wrong("timeoutMs", "a number of milliseconds from 0 on", timeoutMs));
  }
  return timeoutMs === 0 ? { reason: timeoutError(0, context(), "none") } : undefined;
}

function wrong(name: string, wanted: string, value: unknown): string {
  return `${name} must be ${wanted}, not ${shown(value)}`;
}

function invalid(context: () => OperationContext, detail: string): Refusal {
  return { reason: new UsageError("OPTION_INVALID", { ...context(), detail }) };
}

/** Watches the signals and the time of one operation that has begun, until `cancel`. */
export class Deadline {
  readonly #startTimer: (() => Timer) | undefined;
  #timer: Timer | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #until: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  readonly #onUntil: (() => void) | undefined;

  /**
   * Calls `expire` or `ended`, at most once. `expire` gets `timeoutMs` when the time ran out, or the signal, whose reason then
   * counts; `ended` says that `until` aborted, and only who receives has it.
   */
  constructor(
    clock: Clock,
    { signal, timeoutMs, until }: ReceiveOptions,
    expire: (cause: number | AbortSignal) => void,
    ended?: () => void,
  ) {
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      const late = (): void => {
        this.cancel();
        expire(timeoutMs);
      };
      this.#startTimer = () => clock.setTimer(late, timeoutMs);
      this.#timer = this.#startTimer();
    }
    if (signal !== undefined) {
      this.#signal = signal;
      this.#onAbort = () => {
        this.cancel();
        expire(signal);
      };
      watchAbort(signal, this.#onAbort);
    }
    if (until !== undefined && ended !== undefined) {
      this.#until = until;
      this.#onUntil = () => {
        this.cancel();
        ended();
      };
      watchAbort(until, this.#onUntil);
    }
  }

  /** A deadline, if the options ask for one. */
  static of(
    clock: Clock,
    options: ReceiveOptions | undefined,
    expire: (cause: number | AbortSignal) => void,
    ended?: () => void,
  ): Deadline | undefined {
    if (options === undefined) return undefined;
    const { signal, timeoutMs, until } = options;
    if (signal === undefined && timeoutMs === undefined && until === undefined) return undefined;
    return new Deadline(clock, options, expire, ended);
  }

  /** Stops the time, until `renew`. */
  pause(): void {
    this.#timer?.cancel();
  }

  /** Gives the whole time again. */
  renew(): void {
    this.#timer?.cancel();
    this.#timer = this.#startTimer?.();
  }

  /** Stops watching. */
  cancel(): void {
    this.#timer?.cancel();
    if (this.#signal !== undefined) unwatchAbort(this.#signal, this.#onAbort as () => void);
    if (this.#until !== undefined) unwatchAbort(this.#until, this.#onUntil as () => void);
  }
}

/** The reason with which an expired operation rejects. */
export function expiryReason(cause: number | AbortSignal, context: OperationContext, outcome?: ErrorOutcome): unknown {
  return typeof cause === "number" ? timeoutError(cause, context, outcome) : cause.reason;
}
