/**
 * SIGINT (Ctrl-C) and SIGTERM: the first asks the command to come to its end. A SIGINT after it ends the command at once; a
 * SIGTERM does not, since supervisors send it more than once.
 */

import { constants } from "node:os";
import { Interrupted } from "./exit-codes.ts";

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];

/** Watches the signals from now on. The signal aborts with an {@link Interrupted} as its reason. */
export function watchSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (!controller.signal.aborted) controller.abort(new Interrupted(name));
      else if (name === "SIGINT") process.exit(signalExitCode(name));
    });
  }
  return controller.signal;
}

/** Lets the first signal end the process at once, for work that may never give the event loop a turn. */
export function leaveSignals(): void {
  for (const name of SIGNALS) process.removeAllListeners(name);
}

/**
 * Ends this process by the signal that it was sent, so that a shell sees an interrupted command and a loop around it stops
 * too. Where that does not work (process 1 of a container, Windows) it exits with the code that a shell would show.
 */
export function endBySignal(name: NodeJS.Signals): void {
  leaveSignals();
  if (process.platform !== "win32") process.kill(process.pid, name);
  setTimeout(() => process.exit(signalExitCode(name)), 100);
}

/** 128 and the number of the signal: 130 for SIGINT, 143 for SIGTERM. */
function signalExitCode(name: NodeJS.Signals): number {
  return 128 + constants.signals[name];
}
