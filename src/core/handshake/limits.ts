/** What a side is ready to receive; the two sides tell each other in the handshake. */

import { LARGEST_LIMIT_BYTES } from "../framing/frame-limit.ts";
import type { Fields } from "./fields.ts";

/** What the side that says it is ready to receive. The peer must keep to it; what exceeds it is `LIMIT_EXCEEDED`. */
export interface HandshakeLimits {
  /** The longest message in bytes: what follows the length field of its frame. Default 1 MiB, at most 536,870,888. */
  readonly maxMessageBytes: number;
  /**
   * Bytes of events, calls and openings of streams that may wait to be handled, counted as their frames stand on the
   * wire. Default 1 MiB, as much as the peer retains by default: with less, a fast sender waits on a local network.
   */
  readonly windowBytes: number;
  /** Bytes of items that may wait in one stream, counted as their frames stand on the wire. Default 256 KiB. */
  readonly streamWindowBytes: number;
  /** Calls of the peer that may be unanswered. Default 256. */
  readonly maxCalls: number;
  /** Streams of the peer that may be open. Default 64. */
  readonly maxStreams: number;
  /**
   * When nothing was heard from the peer for so many milliseconds, it is asked for a sign of life; after the same time
   * again the connection is lost. The smaller number of the two sides holds for both. Default 15,000.
   */
  readonly heartbeatMs: number;
}

/** The default of every limit. */
export const DEFAULT_LIMITS: HandshakeLimits = {
  maxMessageBytes: 1_048_576,
  windowBytes: 1_048_576,
  streamWindowBytes: 262_144,
  maxCalls: 256,
  maxStreams: 64,
  heartbeatMs: 15_000,
};

/** The least and the most of each limit. */
type LimitRanges = Readonly<Record<keyof HandshakeLimits, readonly [min: number, max: number]>>;

/** What a side may say. Bytes go up to 2^30, since a message is one piece of memory. */
const RANGES: LimitRanges = {
  maxMessageBytes: [64, 1_073_741_824],
  windowBytes: [1, 1_073_741_824],
  streamWindowBytes: [1, 1_073_741_824],
  maxCalls: [0, 1_000_000],
  maxStreams: [0, 1_000_000],
  heartbeatMs: [100, 86_400_000],
};

/** What this side can promise: no longer message than its framing takes. */
export const OWN_RANGES: LimitRanges = { ...RANGES, maxMessageBytes: [64, LARGEST_LIMIT_BYTES] };

/** Reads the limits that a peer says. */
export function readLimits(fields: Fields): HandshakeLimits {
  const limits = Object.entries(RANGES).map(([name, range]) => [name, fields.integer(name, ...range)] as const);
  return Object.fromEntries(limits) as unknown as HandshakeLimits;
}
