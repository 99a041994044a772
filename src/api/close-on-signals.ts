/** Signals of the process that close its servers, and then end it. */

import { constants } from "node:os";
import { FROM_ZERO, listOf, type OptionRule, type OptionRules, type RulesOf } from "../core/options/check-options.ts";
import type { Timer } from "../io/network/network.ts";
import type { GracefulCloseOptions } from "../io/operation/graceful-close.ts";
import { leaveCluster } from "../node/cluster-worker.ts";
import { nodeNetwork } from "../node/network.ts";
import { isOnKernel, NETWORK_RULES, type NetworkOption } from "./call-options.ts";

/** Signals on which a server is closed, and the process ends. */
export interface SignalOptions {
  /**
   * Signals such as `SIGTERM` on which the server is closed, as by `close`. When the last server with `closeOn` has closed, the process
   * ends by itself if nothing else keeps it alive, and after `exitTimeoutMs` in any case; a worker of `node:cluster` leaves its primary.
   * A `SIGINT` that comes while it closes, as when Ctrl-C is pressed a second time, cuts what is left at once; another
   * `SIGTERM` changes nothing, since supervisors send it more than once. Default: none; the server leaves the process's
   * signals alone.
   */
  readonly closeOn?: readonly NodeJS.Signals[] | undefined;
  /** How long what is under way may take then, in milliseconds. Default 5000. */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * How long the process may go on after its last server has closed on a signal, in milliseconds. If something still keeps it alive
   * then, such as a forgotten timer, a warning of the process (`process.emitWarning`) names it, and the process exits with
   * `process.exitCode`, or 0. Default 5000, so that a container ends before it is killed; give more if what the program does when
   * `server.closed` resolves takes longer. `Infinity`: it is never made to exit. Of several servers the longest time counts. Waiting
   * for it keeps no process alive. A server of a simulated world makes no process exit.
   */
  readonly exitTimeoutMs?: number | undefined;
}

/** No process gets these (signal(7)). */
const NEVER_SEEN: ReadonlySet<unknown> = new Set(["SIGKILL", "SIGSTOP"]);
const SIGNALS: OptionRule = listOf(
  'names of signals that a process can handle, such as "SIGTERM"',
  (name) => typeof name === "string" && Object.hasOwn(constants.signals, name) && !NEVER_SEEN.has(name),
);

/** What {@link SignalOptions} must look like. */
const SIGNAL_RULES: RulesOf<SignalOptions> = {
  closeOn: SIGNALS,
  closeTimeoutMs: FROM_ZERO,
  exitTimeoutMs: FROM_ZERO,
};

/** What every server takes beside its own options. */
export const SERVER_RULES: OptionRules = { ...NETWORK_RULES, ...SIGNAL_RULES };

interface Closable {
  readonly closed: Promise<unknown>;
  close(options: GracefulCloseOptions): Promise<unknown>;
  abort(): void;
}

/** What is called on each signal. A process has one listener for each, since Node warns of a leak from the eleventh on. */
const told: Map<NodeJS.Signals, Set<(name: NodeJS.Signals) => void>> = new Map();

/** How long a process may take to end, by default. */
const DEFAULT_EXIT_MS = 5000;

/** The end of this process, which is expected after a signal. */
const exit: { timeoutMs: number; timer: Timer | undefined } = { timeoutMs: 0, timer: undefined };

/** Listens for the signals until the server is closed. */
export function closeOnSignals(server: Closable, options: SignalOptions & NetworkOption): void {
  const { closeOn = [], closeTimeoutMs, exitTimeoutMs = DEFAULT_EXIT_MS } = options;
  if (closeOn.length === 0) return;
  let closing = false;
  const close = (signal: NodeJS.Signals): void => {
    if (closing && signal === "SIGINT") server.abort();
    else if (!closing) void server.close({ timeoutMs: closeTimeoutMs });
    closing = true;
  };
  for (const name of closeOn) listen(name, close);
  void server.closed.then(() => {
    for (const name of closeOn) unlisten(name, close);
    if (closing && isOnKernel(options)) expectExit(exitTimeoutMs);
  });
}

/** A server has closed on a signal: if it was the last one, the process is to end. */
function expectExit(timeoutMs: number): void {
  exit.timeoutMs = Math.max(exit.timeoutMs, timeoutMs);
  if (told.size > 0) return;
  leaveCluster();
  exit.timer?.cancel();
  if (exit.timeoutMs < Infinity) exit.timer = nodeNetwork.clock.setTimer(endProcess, exit.timeoutMs, true);
}

/** The process goes on: says what keeps it alive, and ends it. */
function endProcess(): void {
  // It has opened another server since.
  if (told.size > 0) return;
  const open = [...new Set(process.getActiveResourcesInfo())].join(", ");
  process.emitWarning(
    `the servers closed on a signal (closeOn), and ${exit.timeoutMs} ms later (exitTimeoutMs) the process still runs; it exits now. ` +
      `Open are: ${open}. Close these, or unref them, when server.closed resolves, or give exitTimeoutMs more time.`,
    { type: "ZocaloWarning", code: "ZOCALO_EXIT" },
  );
  // The warning is printed in a tick of its own.
  process.nextTick(() => process.exit());
}

function listen(name: NodeJS.Signals, close: (name: NodeJS.Signals) => void): void {
  const known = told.get(name);
  if (known === undefined) {
    told.set(name, new Set([close]));
    process.on(name, tellAll);
  } else known.add(close);
}

function unlisten(name: NodeJS.Signals, close: (name: NodeJS.Signals) => void): void {
  const known = told.get(name);
  if (known?.delete(close) !== true || known.size > 0) return;
  told.delete(name);
  process.off(name, tellAll);
}

function tellAll(name: NodeJS.Signals): void {
  for (const close of told.get(name) ?? []) close(name);
}
