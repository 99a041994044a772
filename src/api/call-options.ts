/** What calls take beside their own options: the network, and for servers the signals of the process that close them. */

import { constants } from "node:os";
import {
  checkOptions,
  FROM_ZERO,
  listOf,
  OBJECT,
  type OptionRule,
  type OptionRules,
  type RulesOf,
} from "../core/options/check-options.ts";
import type { Network } from "../io/network/network.ts";
import type { GracefulCloseOptions } from "../io/operation/graceful-close.ts";
import { nodeNetwork } from "../node/network.ts";

/** Where a call happens. */
export interface NetworkOption {
  /** The network to use. Default: the kernel's. */
  readonly network?: Network | undefined;
}

const PARTS = ["sockets", "clock", "random"] as const;

/** What {@link NetworkOption} must look like. */
export const NETWORK_RULES: OptionRules = {
  network: {
    wanted: "an object with sockets, clock and random",
    holds: (value) => PARTS.every((part) => OBJECT.holds((value as Partial<Network> | null)?.[part])),
  },
};

/** The network of the call `op`, which checks its other options itself. */
export function networkOf(op: string, options: NetworkOption): Network {
  const { network } = checkOptions({ op }, { network: options?.network }, NETWORK_RULES);
  return network ?? nodeNetwork;
}

/** Signals on which a server is closed. */
export interface SignalOptions {
  /**
   * Signals such as `SIGTERM` on which the server is closed, as by `close`. The process then ends by itself when nothing else keeps it
   * alive. A `SIGINT` that comes while it closes, as when Ctrl-C is pressed a second time, cuts what is left at once; another
   * `SIGTERM` changes nothing, since supervisors send it more than once. Default: none; the server leaves the process's
   * signals alone.
   */
  readonly closeOn?: readonly NodeJS.Signals[] | undefined;
  /** How long what is under way may take then, in milliseconds. Default 5000. */
  readonly closeTimeoutMs?: number | undefined;
}

/** No process gets these (signal(7)). */
const NEVER_SEEN: ReadonlySet<unknown> = new Set(["SIGKILL", "SIGSTOP"]);
const SIGNALS: OptionRule = listOf(
  'names of signals that a process can handle, such as "SIGTERM"',
  (name) => typeof name === "string" && Object.hasOwn(constants.signals, name) && !NEVER_SEEN.has(name),
);

/** What {@link SignalOptions} must look like. */
const SIGNAL_RULES: RulesOf<SignalOptions> = { closeOn: SIGNALS, closeTimeoutMs: FROM_ZERO };

/** What every server takes beside its own options. */
export const SERVER_RULES: OptionRules = { ...NETWORK_RULES, ...SIGNAL_RULES };

interface Closable {
  readonly closed: Promise<unknown>;
  close(options: GracefulCloseOptions): Promise<unknown>;
  abort(): void;
}

/** What is called on each signal. A process has one listener for each, since Node warns of a leak from the eleventh on. */
const told: Map<NodeJS.Signals, Set<(name: NodeJS.Signals) => void>> = new Map();

/** Listens for the signals until the server is closed. */
export function closeOnSignals(server: Closable, options: SignalOptions): void {
  const { closeOn = [], closeTimeoutMs } = options;
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
  });
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
