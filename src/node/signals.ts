/** Draining a server when the operating system asks the process to end. */

import { constants } from "node:os";
import { FROM_ZERO, type OptionRule, type OptionRules } from "../io/check-options.ts";

/** Signals on which a server drains. */
export interface SignalOptions {
  /**
   * Signals such as `SIGTERM` on which the server drains. The process then ends by itself when nothing else keeps it
   * alive. Default: none; the server leaves the process's signals alone.
   */
  readonly drainOn?: readonly NodeJS.Signals[] | undefined;
  /** How long the handlers may take then. Default 5000. */
  readonly drainTimeoutMs?: number | undefined;
}

const SIGNALS: OptionRule = {
  wanted: 'an array of names of signals, such as ["SIGTERM"]',
  holds: (value) => Array.isArray(value) && value.every((name) => Object.hasOwn(constants.signals, name as string)),
};

/** What {@link SignalOptions} must look like. */
export const SIGNAL_RULES: OptionRules = { drainOn: SIGNALS, drainTimeoutMs: FROM_ZERO };

interface Drainable {
  readonly closed: Promise<void>;
  drain(options: { readonly timeoutMs?: number | undefined }): Promise<unknown>;
}

/** Listens for the signals until the server is closed. */
export function drainOnSignals(server: Drainable, options: SignalOptions): void {
  const { drainOn = [], drainTimeoutMs } = options;
  if (drainOn.length === 0) return;
  const drain = (): void => void server.drain({ timeoutMs: drainTimeoutMs });
  for (const name of drainOn) process.on(name, drain);
  void server.closed.then(() => {
    for (const name of drainOn) process.off(name, drain);
  });
}
