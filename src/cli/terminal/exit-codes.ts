/** How the command ends: what its exit code says, and the ends that are no errors. */

import { UsageError } from "../../index.ts";

/** What the shell gets. 129, 130 and 143 come from the system, when a signal ended the command. */
export const EXIT: { readonly done: 0; readonly failed: 1; readonly usage: 2 } = { done: 0, failed: 1, usage: 2 };

/** Whoever read the output of the command has gone (`| head`): there is nothing left to do and nothing to complain about. */
export class OutputClosed extends Error {
  override readonly name: string = "OutputClosed";
}

/** The person or the system asked the command to end. */
export class Interrupted extends Error {
  override readonly name: string = "Interrupted";
  readonly signalName: NodeJS.Signals;

  constructor(signalName: NodeJS.Signals) {
    super(`ended by ${signalName}`);
    this.signalName = signalName;
  }
}

/** The command itself did not work out; no call of the library failed. */
export class CommandFailure extends Error {
  override readonly name: string = "CommandFailure";
  readonly code: string;

  /** @param cause - Told to whoever asks for details. */
  constructor(code: string, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** A call of the library that the command does not make, or ends itself. It says why in the language of the command. */
export class CommandError extends UsageError {
  override readonly name: string = "CommandError";
}

/** 2 for a command that was written wrong, 1 for one that did not work out. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof UsageError && (error.code === "ADDRESS_INVALID" || error.code === "OPTION_INVALID")
    ? EXIT.usage
    : EXIT.failed;
}

/** The error of an option that makes no sense where it stands. */
export function wrongUsage(detail: string, address?: string): CommandError {
  return new CommandError("OPTION_INVALID", { op: "command", local: address, detail });
}
