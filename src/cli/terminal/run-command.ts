/** What every command has around it: outputs, signals, and how it ends. */

import { EXIT, exitCodeOf, Interrupted, OutputClosed } from "./exit-codes.ts";
import { endBySignal, watchSignals } from "./interruption.ts";
import { Output, type OutputOptions } from "./output.ts";
import { StandardInput } from "./standard-input.ts";
import { StandardOutput } from "./standard-output.ts";

/** What a command works with. */
export interface CommandContext {
  /** Tells what happens, on stderr. */
  readonly output: Output;
  /** The data that comes out. */
  readonly stdout: StandardOutput;
  /** The data that goes in. */
  readonly stdin: StandardInput;
  /** Aborts when the command shall end; the reason is an {@link Interrupted}. */
  readonly stop: AbortSignal;
}

/**
 * Runs `work` and ends the process with the code that it answers, or with the one of its error. A command that lets
 * {@link Interrupted} through ends by the signal that it was sent.
 */
export async function runCommand(
  options: OutputOptions,
  work: (context: CommandContext) => Promise<number>,
): Promise<void> {
  const stdout = new StandardOutput();
  const context = { output: new Output(options), stdout, stdin: new StandardInput(), stop: watchSignals() };
  let code: number = EXIT.done;
  let interrupted: Interrupted | undefined;
  try {
    code = await work(context);
  } catch (error) {
    if (error instanceof Interrupted) interrupted = error;
    else if (!(error instanceof OutputClosed)) {
      code = exitCodeOf(error);
      context.output.error(error);
    }
  }
  await stdout.flush();
  // Everything is closed here but stdin, which would keep the process waiting for a key.
  if (interrupted === undefined) process.exit(code);
  endBySignal(interrupted.signalName);
}

/** Waits for the signal. */
export async function until(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  await new Promise((resolve) => {
    stop.addEventListener("abort", resolve, { once: true });
  });
}
