/** The end of this process, which is expected when its servers have closed on a signal. */

import type { Timer } from "../io/network/network.ts";
import { leaveCluster } from "../node/cluster-worker.ts";
import { nodeNetwork } from "../node/network.ts";

/** What one call that closes servers on signals wants of the end. */
export interface WantedEnd {
  /** The process may go on for so long, in milliseconds. */
  readonly timeoutMs: number;
  /** It is to end at once. */
  readonly atOnce: boolean;
  /** The exit code, where the program has set none: not 0 when something was cut. */
  readonly code: number;
}

/** What all calls of this process want: the longest time, the end at once if one asks for it, the highest code. */
const wanted: { timeoutMs: number; atOnce: boolean; code: number; timer: Timer | undefined } = {
  timeoutMs: 0,
  atOnce: false,
  code: 0,
  timer: undefined,
};

/** Servers have closed on a signal. If `isServing` denies that others go on, the process is to end. */
export function expectEnd({ timeoutMs, atOnce, code }: WantedEnd, isServing: () => boolean): void {
  wanted.timeoutMs = Math.max(wanted.timeoutMs, timeoutMs);
  wanted.code = Math.max(wanted.code, code);
  wanted.atOnce ||= atOnce;
  if (isServing()) return;
  const left = leaveCluster();
  wanted.timer?.cancel();
  if (wanted.atOnce) {
    // The program hears of the end first.
    void left.then(() => nodeNetwork.clock.defer(() => isServing() || exit()));
  } else if (wanted.timeoutMs < Infinity) {
    wanted.timer = nodeNetwork.clock.setTimer(() => isServing() || warnAndExit(), wanted.timeoutMs, true);
  }
}

function exit(): void {
  if (wanted.code > 0) process.exitCode ??= wanted.code;
  process.exit();
}

/** The process goes on: says what keeps it alive, and ends it. */
function warnAndExit(): void {
  const open = [...new Set(process.getActiveResourcesInfo())].join(", ");
  process.emitWarning(
    `the servers closed on a signal, and ${wanted.timeoutMs} ms later (exitTimeoutMs) the process still runs; it exits now. ` +
      `Open are: ${open}. Close these, or unref them, when server.closed resolves, or give exitTimeoutMs more time.`,
    { type: "ZocaloWarning", code: "ZOCALO_EXIT" },
  );
  // The warning is printed in a tick of its own.
  process.nextTick(exit);
}
