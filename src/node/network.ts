/** The kernel's network: the default of every call. */

import { randomBytes } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import dns from "node:dns";
import { performance } from "node:perf_hooks";
import { debuglog } from "node:util";
import type { Clock, Network, Random, Timer } from "../io/network/network.ts";
import { DIAGNOSTIC_CHANNELS, type DiagnosticEvent } from "../io/operation/diagnostics.ts";
import { connectTransport } from "./connect-transport.ts";
import { bindTransport } from "./bind-transport.ts";
import { systemError } from "./errno.ts";
import { listenTransport } from "./listen-transport.ts";
import { checkTls } from "./tls-context.ts";

const log = debuglog("zocalo");

/** Subscribes to the channels if the environment asks for it. */
function printDiagnostics(): void {
  if (!log.enabled) return;
  for (const name of DIAGNOSTIC_CHANNELS) {
    subscribe(`zocalo:${name}`, (message) => log(describe(name, message as DiagnosticEvent)));
  }
}

function describe(name: string, event: DiagnosticEvent): string {
  const { kind, local = "-", remote, how, reason, error } = event;
  const ends = remote === undefined ? local : `${local} <-> ${remote}`;
  const problem = error instanceof Error ? error.message : undefined;
  const why = [how, reason, problem].filter((part) => part !== undefined);
  return `${name} ${kind} ${ends}${why.length === 0 ? "" : `: ${why.join(", ")}`}`;
}

/** All addresses of one family. */
function resolve(host: string, family: 4 | 6): Promise<readonly string[]> {
  return new Promise((resolved, reject) => {
    dns.lookup(host, { family, all: true, verbatim: true }, (error, found) => {
      if (error === null) resolved(found.map((entry) => entry.address));
      else reject(systemError(error, { op: "resolve", remote: host }));
    });
  });
}

/** Node refuses longer delays: 2^31 - 1 milliseconds, 24.8 days. */
const LONGEST_DELAY_MS = 2_147_483_647;

class NodeTimer implements Timer {
  #handle: ReturnType<typeof setTimeout>;

  constructor(callback: () => void, delayMs: number, background: boolean) {
    this.#handle = this.#arm(callback, delayMs, background);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(callback: () => void, delayMs: number, background: boolean): ReturnType<typeof setTimeout> {
    const rest = delayMs - LONGEST_DELAY_MS;
    const handle =
      rest > 0
        ? setTimeout(() => {
            this.#handle = this.#arm(callback, rest, background);
          }, LONGEST_DELAY_MS)
        : setTimeout(callback, delayMs);
    if (background) handle.unref();
    return handle;
  }
}

/** Monotonic time and the timers of the event loop. */
const nodeClock: Clock = {
  now: () => performance.now(),
  setTimer: (callback, delayMs, background = false) => new NodeTimer(callback, delayMs, background),
  defer: (callback) => {
    setImmediate(callback);
  },
};

/** The machine's randomness. */
const nodeRandom: Random = {
  next: () => Math.random(),
  bytes: (count) => randomBytes(count),
};

printDiagnostics();

/**
 * The sockets, the clock and the randomness of this machine.
 *
 * @example
 * ```ts
 * import { type Clock, listen, nodeNetwork } from "zocalo";
 * // A clock that is one hour ahead, over the kernel's sockets.
 * const clock: Clock = {
 *   now: () => nodeNetwork.clock.now() + 3_600_000,
 *   setTimer: (callback, delayMs, background) => nodeNetwork.clock.setTimer(callback, delayMs, background),
 *   defer: (callback) => nodeNetwork.clock.defer(callback),
 * };
 * await using listener = await listen("tcp://127.0.0.1:0", { network: { ...nodeNetwork, clock } });
 * console.log(String(listener.localAddress));
 * ```
 */
export const nodeNetwork: Network = {
  sockets: { resolve, connect: connectTransport, listen: listenTransport, bind: bindTransport, checkTls },
  clock: nodeClock,
  random: nodeRandom,
};
