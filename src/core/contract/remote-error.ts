/** The errors of a program, as they cross the wire. */

import { cutText } from "../peer-error.ts";
import { ANYTHING, type RulesOf, refuseUnknown } from "../options/check-options.ts";
import { hasInstance, markClass } from "../same-class.ts";
import { keepOffScreen } from "../show-as.ts";

/** Marks the errors of every copy of this package. */
const MARK: unique symbol = Symbol.for("zocalo.RemoteError");
/** Marks errors that came over the wire: a handler that lets one of them through did not mean it for its own caller. */
const RECEIVED: unique symbol = Symbol.for("zocalo.RemoteError.received");

/** What a {@link RemoteError} is made of. */
export interface RemoteErrorOptions {
  /**
   * What tells more: a value that `json()` can carry, such as a plain object; it is sent along. When it is something else, or
   * too long for the peer, the error arrives without it, and `onError` of this side says why.
   */
  readonly data?: unknown;
  /** What caused it; it stays in this process. */
  readonly cause?: unknown;
}

const RULES: RulesOf<RemoteErrorOptions> = { data: ANYTHING, cause: ANYTHING };

/** The longest code and the longest message that cross the wire, in characters. */
const MAX_CODE_LENGTH = 64;
const MAX_MESSAGE_LENGTH = 1024;

/**
 * An error that one program tells the other. A handler throws it to end a call or a stream with a code; the caller gets an
 * error of this class with the same code, message and data. Nothing else crosses the wire, a stack never does: whatever
 * else a handler throws arrives as `INTERNAL`, and its own side learns of it through `onError`. That includes a `RemoteError`
 * which the handler itself got from another service: its codes are not those of this contract, and its data may be secret. To
 * pass one on, throw a new one.
 *
 * Some codes come from Zócalo itself: `INTERNAL`, `METHOD_UNKNOWN` (the method is not offered, or is of another kind),
 * `FRAME_INVALID` (the question is not what the schema says; the message lists why), `FRAME_TOO_LONG` (the answer is longer than
 * the caller receives, or question or answer have more values than the other side takes), and over datagrams
 * `DATAGRAM_TOO_LARGE`. A call that must not run twice (`atMostOnce`) and had begun at a server that died rejects with a `ConnectionError`,
 * `SESSION_MOVED`.
 *
 * @example
 * ```ts
 * import { RemoteError } from "zocalo/protocol";
 * const full = new RemoteError("ROOM_FULL", "the room is full", { data: { seats: 12 } });
 * console.log(full.code, full.data); // ROOM_FULL { seats: 12 }
 * ```
 */
export class RemoteError extends Error {
  /** The name of the class. */
  override readonly name: string = "RemoteError";
  /** Tells the program what happened; chosen by the application, such as `ROOM_FULL`. At most 64 characters. */
  readonly code: string;
  /** What tells more; undefined when there is nothing. */
  readonly data: unknown;

  constructor(code: string, message: string = code, options: RemoteErrorOptions = {}) {
    super(message);
    refuseUnknown({ op: "RemoteError" }, options, RULES);
    if (options.cause !== undefined) this.cause = options.cause;
    this.code = code;
    this.data = options.data;
    keepOffScreen(this, "cause");
  }

  /** Errors of another copy of this package count as well: a handler may throw one. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasInstance(this, RemoteError, MARK, value);
  }
}
markClass(RemoteError, MARK);

/** What of an error crosses the wire, as a value. */
export function remoteErrorFields({ code, message, data }: RemoteError): object {
  const fields = { code: cutText(code, MAX_CODE_LENGTH), message: cutText(message, MAX_MESSAGE_LENGTH) };
  return data === undefined ? fields : { ...fields, data };
}

/** Whether a program has made this error itself, for its caller. */
export function isForCaller(error: unknown): error is RemoteError {
  try {
    if (!(error instanceof RemoteError) || RECEIVED in error) return false;
    return typeof error.code === "string" && typeof error.message === "string";
  } catch {
    // A proxy that does not let itself be looked at, or that is revoked; a getter that throws.
    return false;
  }
}

/** The error of what came; `INTERNAL` when it makes no sense. */
export function remoteErrorOf(fields: unknown): RemoteError {
  const error = parsed(fields as Readonly<Record<string, unknown>> | null | undefined);
  Object.defineProperty(error, RECEIVED, { value: true });
  return error;
}

function parsed(fields: Readonly<Record<string, unknown>> | null | undefined): RemoteError {
  if (fields === undefined) return new RemoteError("INTERNAL", "the peer sent an error that cannot be read");
  const { code, message, data } = fields ?? {};
  const name = typeof code === "string" ? code.slice(0, MAX_CODE_LENGTH) : "INTERNAL";
  return new RemoteError(name, typeof message === "string" ? message.slice(0, MAX_MESSAGE_LENGTH) : name, { data });
}
