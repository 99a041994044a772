/** Signals of the process that close its servers, and then end it. */

import { constants } from "node:os";
import {
  checkOptions,
  FLAG,
  FROM_ZERO,
  listOf,
  type OptionRule,
  type OptionRules,
  type RulesOf,
} from "../core/options/check-options.ts";
import type { CloseReport, CloseServerOptions } from "../io/operation/graceful-close.ts";
import { isOnKernel, NETWORK_RULES, type NetworkOption } from "./call-options.ts";
import { expectEnd } from "./process-end.ts";

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
   * How long the server goes on as before after the signal, with `draining` aborted, in milliseconds; `closeTimeoutMs` counts from its end.
   * See `close` and its `delayMs`. Default 0.
   */
  readonly closeDelayMs?: number | undefined;
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

/** Added to the number of a signal, as shells do (POSIX.1-2024 XCU 2.8.2). */
const SIGNAL_EXIT_CODE = 128;
const SERVERS: OptionRule = {
  wanted: "a server, or a list of them: what has close, abort and closed",
  holds: (list) => (list as readonly unknown[]).every(isClosable),
};
function isClosable(server: unknown): boolean {
  const { close, abort, closed } = (server ?? {}) as Partial<ClosableServer>;
  return typeof close === "function" && typeof abort === "function" && closed !== undefined;
}

/** What {@link SignalOptions} must look like. */
const SIGNAL_RULES: RulesOf<SignalOptions> = {
  closeOn: SIGNALS,
  closeTimeoutMs: FROM_ZERO,
  closeDelayMs: FROM_ZERO,
  exitTimeoutMs: FROM_ZERO,
};

/** What every server takes beside its own options. */
export const SERVER_RULES: OptionRules = { ...NETWORK_RULES, ...SIGNAL_RULES };

/** What can be closed on a signal: any server of this package, the proxies of `startProxy`, and whatever has the same methods. */
export interface ClosableServer {
  /** Resolves when it is closed. */
  readonly closed: Promise<unknown>;
  /** Closes in order; never rejects. */
  close(options?: CloseServerOptions): Promise<Pick<CloseReport, "cut">>;
  /** Cuts what is left. */
  abort(reason?: unknown): void;
}

/** Options of {@link closeOnSignals}. */
export interface CloseOnSignalsOptions {
  /** On the first of these, the servers are closed. Default `SIGTERM` and `SIGINT`. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  /** Those that cut what is left at once when they come while the servers close. Default: all of `signals`. */
  readonly cutOn?: readonly NodeJS.Signals[] | undefined;
  /**
   * How long the servers go on as before after the signal, with `draining` aborted, in milliseconds: readiness is no at once, and load
   * balancers have that time to notice. Default 0; see `close`.
   */
  readonly delayMs?: number | undefined;
  /** How long what is under way may take then, in milliseconds. Default 5000. */
  readonly timeoutMs?: number | undefined;
  /**
   * Ends the process as soon as all its servers have closed, whatever else is open. The exit code is `process.exitCode` if the program
   * has set one; else 0 when nothing was cut, and 128 with the number of the first signal added when something was (143 for `SIGTERM`, 130 for
   * `SIGINT`), as a shell reports a program that the signal has ended. What the program does in the turn in which `closed` resolves is done
   * before. Default false: the process ends by itself, see `exitTimeoutMs`.
   */
  readonly exit?: boolean | undefined;
  /** Without `exit`: how long the process may go on after that, in milliseconds; see {@link SignalOptions}. Default 5000. */
  readonly exitTimeoutMs?: number | undefined;
}

const CLOSE_ON_SIGNALS_RULES: RulesOf<CloseOnSignalsOptions> = {
  signals: SIGNALS,
  cutOn: SIGNALS,
  delayMs: FROM_ZERO,
  timeoutMs: FROM_ZERO,
  exit: FLAG,
  exitTimeoutMs: FROM_ZERO,
};

/** How long a process may take to end, by default. */
const DEFAULT_EXIT_MS = 5000;

/** What is called on each signal. A process has one listener for each, since Node warns of a leak from the eleventh on. */
const told: Map<NodeJS.Signals, Set<(name: NodeJS.Signals) => void>> = new Map();

/**
 * Closes servers when the process gets a signal, and ends the process: the orderly end of a program for supervisors such as
 * systemd, Docker and Kubernetes. `draining` of each server aborts at once; after `delayMs` each closes with `timeoutMs`; another signal
 * cuts what is left. It listens until all of them are closed, also without a signal, and then does nothing.
 *
 * With one server, and without `exit`, the option `closeOn` of `serve` and its like does the same; there another `SIGTERM` changes nothing.
 * Throws `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { closeOnSignals, serve } from "zocalo";
 * const public_ = await serve("tcp://127.0.0.1:0", (peer) => peer.write("hola\n"));
 * const admin = await serve("tcp://127.0.0.1:0", (peer) => peer.write(public_.draining.aborted ? "leaving\n" : "ready\n"));
 * closeOnSignals([public_, admin], { delayMs: 5_000, timeoutMs: 20_000, exit: true });
 * process.kill(process.pid, "SIGTERM"); // a supervisor does that
 * process.kill(process.pid, "SIGTERM"); // and this cuts the 5 seconds short
 * ```
 */
export function closeOnSignals(
  servers: ClosableServer | readonly ClosableServer[],
  options: CloseOnSignalsOptions = {},
): void {
  const op = "closeOnSignals";
  const list: readonly ClosableServer[] = Array.isArray(servers) ? servers : [servers];
  checkOptions({ op }, { servers: list }, { servers: SERVERS });
  const {
    signals = ["SIGTERM", "SIGINT"],
    cutOn = signals,
    ...rest
  } = checkOptions({ op }, options, CLOSE_ON_SIGNALS_RULES);
  watch(list, { signals, cutOn, ...rest }, true);
}

/** The option `closeOn` of one server. */
export function closeOn(server: ClosableServer, options: SignalOptions & NetworkOption): void {
  const { closeOn: signals = [], closeDelayMs: delayMs, closeTimeoutMs: timeoutMs, exitTimeoutMs } = options;
  // Supervisors send SIGTERM more than once.
  if (signals.length > 0)
    watch([server], { signals, cutOn: ["SIGINT"], delayMs, timeoutMs, exitTimeoutMs }, isOnKernel(options));
}

interface Watched extends CloseOnSignalsOptions {
  readonly signals: readonly NodeJS.Signals[];
  readonly cutOn: readonly NodeJS.Signals[];
}

/** Listens for the signals until the servers are closed. */
function watch(servers: readonly ClosableServer[], options: Watched, endsProcess: boolean): void {
  if (servers.length === 0) return;
  const { signals, cutOn, delayMs, timeoutMs, exit = false, exitTimeoutMs = DEFAULT_EXIT_MS } = options;
  const names = [...new Set([...signals, ...cutOn])];
  let first: NodeJS.Signals | undefined;
  let reports: Promise<Pick<CloseReport, "cut">>[] = [];
  const close = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      if (!signals.includes(signal)) return;
      first = signal;
      reports = servers.map((server) => server.close({ timeoutMs, ...(delayMs === undefined ? {} : { delayMs }) }));
    } else if (cutOn.includes(signal)) for (const server of servers) server.abort();
  };
  for (const name of names) listen(name, close);
  const onAllClosed = async (): Promise<void> => {
    // Before `close` of the server answers: a signal that comes after it must not go to a listener that is about to be removed.
    for (const name of names) unlisten(name, close);
    const cut = (await Promise.all(reports)).some((report) => report.cut > 0);
    if (first === undefined || !endsProcess) return;
    const code = exit && cut ? SIGNAL_EXIT_CODE + constants.signals[first] : 0;
    expectEnd({ timeoutMs: exitTimeoutMs, atOnce: exit, code }, () => told.size > 0);
  };
  let open = servers.length;
  for (const { closed } of servers) {
    void closed.then(() => {
      open -= 1;
      if (open === 0) void onAllClosed();
    });
  }
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
