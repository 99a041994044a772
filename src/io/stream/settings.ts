/** Buffers and time-outs of one connection: what may be asked, what is the default, and why. */

import { FLAG, options as object, type OptionRules, POSITIVE, type RulesOf } from "../../core/options/check-options.ts";

/** Limits of one connection. Each is there by default; `Infinity` turns it off. */
export interface StreamLimits {
  /**
   * Bytes to take from the kernel although nobody reads, so that the end of a connection is seen. Default 65536: one read
   * of the kernel. Memory follows what arrives, not this number.
   */
  readonly maxReadAheadBytes?: number | undefined;
  /**
   * Memory that may wait in `write` calls that were not awaited, in bytes: what is written, and some hundred bytes for each
   * call; small ones are put together. More rejects with `QUEUE_FULL`. Default 16 MiB. A single call is always accepted when
   * nothing waits.
   */
  readonly maxWriteQueueBytes?: number | undefined;
}

/** What ends an open connection. Each is in milliseconds; `Infinity` turns it off. */
export interface StreamTimeouts {
  /**
   * Ends the connection with `IDLE_TIMEOUT` when no byte moved in either direction for so long. Default: off for `connect`
   * and `listen`, because a client that waits for news is idle by nature; 300000 for `serve`, because a server that keeps
   * dead peers runs out of sockets.
   */
  readonly idleMs?: number | undefined;
  /**
   * Ends the connection with `WRITE_STALLED` when a write is pending and the peer took nothing for so long. Default 60000:
   * longer than a TCP retransmission pause, shorter than a user's patience.
   */
  readonly writeStallMs?: number | undefined;
  /** Ends the connection with `LIFETIME_EXCEEDED` at this age, busy or not. Default: off. */
  readonly lifetimeMs?: number | undefined;
}

/** Options of one connection. */
export interface ConnectionOptions {
  /** Bounds of its buffers. */
  readonly limits?: StreamLimits | undefined;
  /** What ends it while it is open. */
  readonly timeouts?: StreamTimeouts | undefined;
}

/** What only connections over TCP and TLS have. */
export interface TcpOptions {
  /** Send small writes at once (no Nagle, RFC 9293 section 3.7.4). Default true. */
  readonly noDelay?: boolean | undefined;
}

/** The options of a connection with every default in place; one object serves all connections of a listener. */
export interface ConnectionSettings {
  readonly idleMs: number;
  readonly writeStallMs: number;
  readonly lifetimeMs: number;
  readonly maxReadAheadBytes: number;
  readonly maxWriteQueueBytes: number;
}

/** What {@link StreamLimits} must look like. */
export const STREAM_LIMIT_RULES: RulesOf<StreamLimits> = { maxReadAheadBytes: POSITIVE, maxWriteQueueBytes: POSITIVE };
/** What {@link StreamTimeouts} must look like. */
export const STREAM_TIMEOUT_RULES: RulesOf<StreamTimeouts> = {
  idleMs: POSITIVE,
  writeStallMs: POSITIVE,
  lifetimeMs: POSITIVE,
};
/** What {@link TcpOptions} must look like. */
export const TCP_RULES: RulesOf<TcpOptions> = { noDelay: FLAG };
/** What {@link ConnectionOptions} must look like. */
export const CONNECTION_RULES: RulesOf<ConnectionOptions> = {
  limits: object(STREAM_LIMIT_RULES),
  timeouts: object(STREAM_TIMEOUT_RULES),
};

/** What the argument of `setIdleTimeout` must look like. */
export const IDLE_RULES: OptionRules = { idleMs: { ...POSITIVE, required: true } };

/** Fills in the defaults. */
export function connectionSettings(
  { limits = {}, timeouts = {} }: ConnectionOptions,
  defaultIdleMs: number = Number.POSITIVE_INFINITY,
): ConnectionSettings {
  return {
    idleMs: timeouts.idleMs ?? defaultIdleMs,
    writeStallMs: timeouts.writeStallMs ?? 60_000,
    lifetimeMs: timeouts.lifetimeMs ?? Number.POSITIVE_INFINITY,
    maxReadAheadBytes: limits.maxReadAheadBytes ?? 65_536,
    maxWriteQueueBytes: limits.maxWriteQueueBytes ?? 16_777_216,
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
