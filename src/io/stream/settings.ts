/** Buffers and limits of one connection: what may be asked, what is the default, and why. */

import { FLAG, type OptionRules, POSITIVE, type RulesOf } from "../../core/options/check-options.ts";

/** Limits of one connection. Each is in milliseconds; `Infinity` turns it off. */
export interface ConnectionLimitOptions {
  /**
   * Ends the connection with `IDLE_TIMEOUT` when no byte moved in either direction for so long. Default: off for `connect`
   * and `listen`, because a client that waits for news is idle by nature; 300000 for `serve`, because a server that keeps
   * dead peers runs out of sockets.
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Ends the connection with `WRITE_STALLED` when a write is pending and the peer took nothing for so long. Default 60000:
   * longer than a TCP retransmission pause, shorter than a user's patience.
   */
  readonly writeStallTimeoutMs?: number | undefined;
  /** Ends the connection with `LIFETIME_EXCEEDED` at this age, busy or not. Default: off. */
  readonly lifetimeMs?: number | undefined;
}

/** Buffers and limits of one connection. */
export interface ConnectionOptions extends ConnectionLimitOptions {
  /**
   * Bytes to take from the kernel although nobody reads, so that the end of a connection is seen. Default 65536: one read
   * of the kernel. Memory follows what arrives, not this number.
   */
  readonly readAheadBytes?: number | undefined;
  /**
   * Memory that may wait in `write` calls that were not awaited, in bytes: what is written, and some hundred bytes for each
   * call; small ones are put together. More rejects with `QUEUE_FULL`. Default 16 MiB. A single call is always accepted when
   * nothing waits.
   */
  readonly writeQueueBytes?: number | undefined;
}

/** The options of a connection with every default in place; one object serves all connections of a listener. */
export interface ConnectionSettings {
  readonly idleTimeoutMs: number;
  readonly writeStallTimeoutMs: number;
  readonly lifetimeMs: number;
  readonly readAheadBytes: number;
  readonly writeQueueBytes: number;
}

/** What {@link ConnectionOptions} must look like. */
export const CONNECTION_RULES: RulesOf<ConnectionOptions> = {
  idleTimeoutMs: POSITIVE,
  writeStallTimeoutMs: POSITIVE,
  lifetimeMs: POSITIVE,
  readAheadBytes: POSITIVE,
  writeQueueBytes: POSITIVE,
};

/** What the argument of `setIdleTimeout` must look like. */
export const IDLE_RULES: OptionRules = { idleTimeoutMs: { ...POSITIVE, required: true } };

/** Fills in the defaults. */
export function connectionSettings(options: ConnectionOptions): ConnectionSettings {
  return {
    idleTimeoutMs: options.idleTimeoutMs ?? Number.POSITIVE_INFINITY,
    writeStallTimeoutMs: options.writeStallTimeoutMs ?? 60_000,
    lifetimeMs: options.lifetimeMs ?? Number.POSITIVE_INFINITY,
    readAheadBytes: options.readAheadBytes ?? 65_536,
    writeQueueBytes: options.writeQueueBytes ?? 16_777_216,
  };
}

/** Linux counts whole seconds, up to 32,767 (tcp(7), TCP_KEEPIDLE). */
const LONGEST_KEEP_ALIVE_IDLE_MS = 32_767_000;
/** What the arguments of `setKeepAlive` must look like. */
export const KEEP_ALIVE_RULES: OptionRules = {
  on: { ...FLAG, required: true },
  idleMs: {
    wanted: `a number of milliseconds up to ${LONGEST_KEEP_ALIVE_IDLE_MS}, or 0 for the system's default`,
    holds: (value) => typeof value === "number" && value >= 0 && value <= LONGEST_KEEP_ALIVE_IDLE_MS,
  },
};
