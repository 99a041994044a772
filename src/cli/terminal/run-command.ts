/** What every command has around it: outputs, signals, and how it ends. */

import type { Command } from "commander";
import { EXIT, exitCodeOf, Interrupted, OutputClosed } from "./exit-codes.ts";
import { Output, type OutputOptions } from "./output.ts";
import { StandardInput, StandardOutput } from "./standard-streams.ts";
import { constants } from "node:os";

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
 * The action of a command. It calls `work` with the arguments of the command, its flags and the context, and ends the process
 * with the code that `work` answers, or with the one of its error. A command that lets {@link Interrupted} through ends by
 * the signal that it was sent.
 *
 * @param told - What `--json` and `--verbose` would say, where a flag of that name says something else.
 */
export function running<Input extends readonly unknown[]>(
  work: (...input: [...Input, CommandContext]) => Promise<number>,
  told?: OutputOptions,
): (...input: [...Input, Command]) => Promise<void> {
  return (...input) => {
    const given = input.slice(0, -1) as unknown as Input;
    return runCommand(told ?? (given.at(-1) as OutputOptions), (context) => work(...given, context));
  };
}

async function runCommand(options: OutputOptions, work: (context: CommandContext) => Promise<number>): Promise<void> {
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

/** SIGHUP comes when the window of the terminal is closed. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
/** One Ctrl-C comes twice where npx has started the command: from the terminal and from npx, a few milliseconds later. */
const SAME_KEY_MS = 300;

/** Watches the signals from now on. The signal aborts with an {@link Interrupted} as its reason. */
function watchSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      takeSignals((next) => {
        if (next === "SIGINT") process.exit(signalExitCode(next));
      });
      controller.abort(new Interrupted(name));
    });
  }
  return controller.signal;
}

/** Has each signal that comes after the one of now call `act` alone. There is no moment in which one would end the process. */
export function takeSignals(act: (name: NodeJS.Signals) => void): void {
  const sinceMs = Date.now();
  for (const name of SIGNALS) {
    const before = process.rawListeners(name);
    process.on(name, () => {
      if (Date.now() - sinceMs > SAME_KEY_MS) act(name);
    });
    for (const listener of before) process.off(name, listener as () => void);
  }
}

/** Lets the first signal end the process at once, for work that may never give the event loop a turn. */
export function leaveSignals(): void {
  for (const name of SIGNALS) process.removeAllListeners(name);
}

/**
 * Ends this process by the signal that it was sent, so that a shell sees an interrupted command and a loop around it stops
 * too. Where that does not work (process 1 of a container, Windows) it exits with the code that a shell would show.
 */
function endBySignal(name: NodeJS.Signals): void {
  leaveSignals();
  if (process.platform !== "win32") process.kill(process.pid, name);
  setTimeout(() => process.exit(signalExitCode(name)), 100);
}

/** 128 and the number of the signal: 129 for SIGHUP, 130 for SIGINT, 143 for SIGTERM. */
function signalExitCode(name: NodeJS.Signals): number {
  return 128 + constants.signals[name];
}
