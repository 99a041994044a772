/** Errors about what a peer has sent or done: without a stack, and with texts of the peer that do not become long. */

import { type ErrorCode, type ErrorDetails, ProtocolError } from "./errors.ts";

/**
 * A {@link ProtocolError} without a stack. The stack would say nothing about the peer, and take ten times as long as
 * everything else: whoever sends nonsense must not get more work out of it than whoever sends messages.
 */
export function peerError(code: ErrorCode, details: ErrorDetails): ProtocolError {
  return withoutStack(() => new ProtocolError(code, details));
}

/** `FRAME_INVALID`: the peer sent what nobody may send. */
export function brokenProtocol(problem: string): ProtocolError {
  return peerError("FRAME_INVALID", { op: "receive", detail: `the peer broke the protocol: ${problem}` });
}

/** Calls `make`. The error that it makes has no stack. */
export function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  // It cannot be set where the intrinsics are frozen.
  const isSet = Reflect.set(Error, "stackTraceLimit", 0);
  try {
    return make();
  } finally {
    if (isSet) Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The beginning of a text, at most so many characters. Half of a surrogate pair, also one that the cut made, becomes U+FFFD. */
export function cutText(text: string, maxLength: number): string {
  // Part of ES2024; Node has it since version 20.
  return (text.slice(0, maxLength) as string & { toWellFormed(): string }).toWellFormed();
}

const LONGEST_QUOTED = 200;
/** Characters that JSON leaves as they are, and that a terminal or a log may take for orders. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/** A text in quotes, cut to a length that fits a message, and with nothing in it that gives orders to a terminal. */
export function quoted(text: string): string {
  const cut = text.length > LONGEST_QUOTED ? `${text.slice(0, LONGEST_QUOTED)}...` : text;
  return JSON.stringify(cut).replaceAll(UNSAFE, (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
