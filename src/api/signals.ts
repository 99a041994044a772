/** Draining a server when the operating system asks the process to end. */

import { constants } from "node:os";
import { FROM_ZERO, listOf, type OptionRule, type RulesOf } from "../core/options/check-options.ts";

/** Signals on which a server drains. */
export interface SignalOptions {
  /**
   * Signals such as `SIGTERM` on which the server drains. The process then ends by itself when nothing else keeps it
   * alive. A `SIGINT` that comes while it drains, as when Ctrl-C is pressed a second time, cuts what is left at once; another
   * `SIGTERM` changes nothing, since supervisors send it more than once. Default: none; the server leaves the process's
   * signals alone.
   */
  readonly drainOn?: readonly NodeJS.Signals[] | undefined;
  /** How long the handlers may take then. Default 5000. */
  readonly drainTimeoutMs?: number | undefined;
}

/** No process gets these (signal(7)). */
const NEVER_SEEN: ReadonlySet<unknown> = new Set(["SIGKILL", "SIGSTOP"]);
const SIGNALS: OptionRule = listOf(
  'names of signals that a process can handle, such as "SIGTERM"',
  (name) => typeof name === "string" && Object.hasOwn(constants.signals, name) && !NEVER_SEEN.has(name),
);

/** What {@link SignalOptions} must look like. */
export const SIGNAL_RULES: RulesOf<SignalOptions> = { drainOn: SIGNALS, drainTimeoutMs: FROM_ZERO };

interface Drainable {
  readonly closed: Promise<void>;
  drain(options: { readonly timeoutMs?: number | undefined }): Promise<unknown>;
  close(): Promise<void>;
}

/** What is called on each signal. A process has one listener for each, since Node warns of a leak from the eleventh on. */
const drains: Map<NodeJS.Signals, Set<(name: NodeJS.Signals) => void>> = new Map();

/** Listens for the signals until the server is closed. */
export function drainOnSignals(server: Drainable, options: SignalOptions): void {
  const { drainOn = [], drainTimeoutMs } = options;
  if (drainOn.length === 0) return;
  let draining = false;
  const drain = (signal: NodeJS.Signals): void => {
    if (draining && signal === "SIGINT") void server.close();
    else void server.drain({ timeoutMs: drainTimeoutMs });
    draining = true;
  };
  for (const name of drainOn) listen(name, drain);
  void server.closed.then(() => {
    for (const name of drainOn) unlisten(name, drain);
  });
}

function listen(name: NodeJS.Signals, drain: (name: NodeJS.Signals) => void): void {
  const known = drains.get(name);
  if (known === undefined) {
    drains.set(name, new Set([drain]));
    process.on(name, drainAll);
  } else known.add(drain);
}

function unlisten(name: NodeJS.Signals, drain: (name: NodeJS.Signals) => void): void {
  const known = drains.get(name);
  if (known?.delete(drain) !== true || known.size > 0) return;
  drains.delete(name);
  process.off(name, drainAll);
}

function drainAll(name: NodeJS.Signals): void {
  for (const drain of drains.get(name) ?? []) drain(name);
}
