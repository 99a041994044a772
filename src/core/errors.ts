/** The errors of Zócalo: few classes, cut by what the caller can do next. */

import { atCall } from "./at-call.ts";
import { CODES, type ErrorCode, type ErrorSide } from "./error-codes.ts";
import { hasInstance, markClass } from "./same-class.ts";
import { keepOffScreen } from "./show-as.ts";

export { describeCode, type ErrorCode, errorCodes, type ErrorSide } from "./error-codes.ts";

/** Marks the errors of every copy of this package. */
const MARK: unique symbol = Symbol.for("zocalo.ZocaloError");

/**
 * What is known about the bytes or messages of a failed operation: none of them left this program, all of them were
 * handed to the kernel, or it cannot be known.
 */
export type ErrorOutcome = "none" | "all" | "unknown";

/** What a {@link ZocaloError} tells beside its code. */
export interface ErrorDetails {
  /** The operation that failed: `connect`, `read`, `write`, `listen`, ... */
  readonly op: string;
  /** One sentence that says what happened and what to do; default: the sentence of the code, or what it means at `op`. */
  readonly detail?: string | undefined;
  /** Default: the usual side of the code, or the one that it has at `op`. */
  readonly side?: ErrorSide | undefined;
  /** What is known about the bytes or messages; default: the question has no meaning. */
  readonly outcome?: ErrorOutcome | undefined;
  /** The local address, as text (`tcp://127.0.0.1:7000`). */
  readonly local?: string | undefined;
  /** The address of the peer, as text. */
  readonly remote?: string | undefined;
  /** The error beneath, such as that of the system. Of one that says the same, its cause is taken. */
  readonly cause?: unknown;
}

/**
 * The base of every error that Zócalo throws or rejects with, except for the reason of an aborted signal, which is
 * passed through as it is.
 *
 * The message reads `CODE: op address: what happened and what to do`.
 *
 * `instanceof` also knows the errors of another copy of the package in the same process, as when a library brings its own.
 *
 * @example
 * ```ts
 * import { connect, ZocaloError } from "zocalo";
 * try {
 *   await connect("tcp://127.0.0.1:1");
 * } catch (error) {
 *   if (error instanceof ZocaloError && error.code === "CONNECTION_REFUSED") console.error(error.detail);
 * }
 * ```
 */
export class ZocaloError extends Error {
  /** The name of the class. */
  override readonly name: string = "ZocaloError";
  /** What happened, from a closed list. */
  readonly code: ErrorCode;
  /** The operation that failed. */
  readonly op: string;
  /** Whose fault it is. */
  readonly side: ErrorSide;
  /** What is known about the bytes or messages of the operation; undefined where the question has no meaning. */
  readonly outcome: ErrorOutcome | undefined;
  /** The local address as text, where one was known. */
  readonly local: string | undefined;
  /** The address of the peer as text, where one was known. */
  readonly remote: string | undefined;
  /** One sentence: what happened and what to do. */
  readonly detail: string;

  constructor(code: ErrorCode, details: ErrorDetails) {
    const usual = CODES[code];
    const here = atCall(details.op, code);
    const detail = details.detail ?? here?.[0] ?? usual[1];
    const where = details.remote ?? details.local;
    super(`${code}: ${details.op}${where === undefined ? "" : ` ${where}`}: ${detail}`);
    const { cause } = details;
    const beneath = cause instanceof ZocaloError && cause.detail === detail ? cause.cause : cause;
    if (beneath !== undefined) this.cause = beneath;
    this.code = code;
    this.op = details.op;
    this.side = details.side ?? here?.[1] ?? usual[0];
    this.outcome = details.outcome;
    this.local = details.local;
    this.remote = details.remote;
    this.detail = detail;
    keepOffScreen(this, "detail", "cause");
  }

  /** Errors of another copy of this package count as well; those of the classes below by their names. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasInstance(this, ZocaloError, MARK, value);
  }
}
markClass(ZocaloError, MARK);

/** The call itself is wrong: the program or the command must be changed. Nothing was sent. */
export class UsageError extends ZocaloError {
  /** The name of the class. */
  override readonly name: string = "UsageError";
}

/** One attempt of `connect` to reach one address. */
export interface ConnectAttempt {
  /** The address that was tried, as text. */
  readonly address: string;
  /** When the attempt began, in milliseconds after the call. */
  readonly startedAfterMs: number;
  /** Why it failed. */
  readonly error: ZocaloError;
}

/**
 * No connection was made: try again later, or elsewhere. Lists every attempt.
 *
 * @example
 * ```ts
 * import { connect, ConnectError } from "zocalo";
 * try {
 *   await connect("tcp://127.0.0.1:1");
 * } catch (error) {
 *   if (!(error instanceof ConnectError)) throw error;
 *   for (const { address, error: why } of error.attempts) console.log(`${address}: ${why.code}`);
 * }
 * ```
 */
export class ConnectError extends ZocaloError {
  /** The name of the class. */
  override readonly name: string = "ConnectError";
  /** Every address that was tried, in the order of the attempts. */
  readonly attempts: readonly ConnectAttempt[];

  constructor(code: ErrorCode, details: ErrorDetails & { readonly attempts?: readonly ConnectAttempt[] | undefined }) {
    super(code, details);
    this.attempts = details.attempts ?? [];
    keepOffScreen(this, "attempts");
  }
}

/** The connection or the socket is gone: make a new one. */
export class ConnectionError extends ZocaloError {
  /** The name of the class. */
  override readonly name: string = "ConnectionError";
}

/**
 * This one call did not finish in its time; the socket still works. `outcome` says whether a write will be sent; the error of
 * `connect` lists what was tried.
 *
 * @example
 * ```ts
 * import { pair, TimeoutError } from "zocalo";
 * const [left, right] = pair();
 * const answer = await right.read({ timeoutMs: 10 }).catch((error: unknown) => error);
 * console.log(answer instanceof TimeoutError); // true
 * await left.write("late");
 * console.log(String(await right.read())); // late
 * ```
 */
export class TimeoutError extends ZocaloError {
  /** The name of the class. */
  override readonly name: string = "TimeoutError";
  /**
   * Of `connect`: every address that was tried, in the order of the attempts; those that were under way have a `TIMEOUT` of
   * their own. With `retry`, those of the last time. Empty for other calls.
   */
  readonly attempts: readonly ConnectAttempt[];

  constructor(code: ErrorCode, details: ErrorDetails & { readonly attempts?: readonly ConnectAttempt[] | undefined }) {
    super(code, details);
    this.attempts = details.attempts ?? [];
    keepOffScreen(this, "attempts");
  }
}

/**
 * The peer ended the stream before a whole answer was there.
 *
 * @example
 * ```ts
 * import { EndOfStreamError, pair } from "zocalo";
 * const [left, right] = pair();
 * await left.write("half a l");
 * await left.end();
 * const error = await right.readUntil("\n").catch((reason: unknown) => reason);
 * if (error instanceof EndOfStreamError) console.log(String(error.partial)); // half a l
 * ```
 */
export class EndOfStreamError extends ZocaloError {
  /** The name of the class. */
  override readonly name: string = "EndOfStreamError";
  /** The bytes that did come; they are consumed and belong to the caller. */
  readonly partial: Uint8Array;

  constructor(details: ErrorDetails & { readonly partial: Uint8Array }) {
    super("END_OF_STREAM", details);
    this.partial = details.partial;
  }
}

/** The peer broke the agreed format: close this connection and report the peer. */
export class ProtocolError extends ZocaloError {
  /** The name of the class. */
  override readonly name: string = "ProtocolError";
}
