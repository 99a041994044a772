/** The fault vocabulary of a link: what can go wrong with packets on their way. */

import { ANYTHING, type RulesOf, refuseUnknown, shown } from "../options/check-options.ts";
import { UsageError } from "../errors.ts";
import { type Latency, type LatencyTable, latencyTable, microseconds } from "./latency.ts";
import { probabilityThreshold } from "./random-stream.ts";

/**
 * Loss that comes in bursts, by the model of Gilbert and Elliott: the link is good or bad, and changes between packets.
 * All values are probabilities from 0 to 1.
 */
export interface BurstyLoss {
  /** That a good link turns bad before a packet. */
  readonly enter: number;
  /** That a bad link turns good before a packet. One burst lasts 1 / `leave` packets on average. */
  readonly leave: number;
  /** That a packet is lost on a bad link. Default 1. */
  readonly lossInBurst?: number | undefined;
  /** That a packet is lost on a good link. Default 0. */
  readonly lossOutside?: number | undefined;
}

/** Packets that overtake others. */
export interface Reordering {
  /** Probability that a packet is held back. */
  readonly chance: number;
  /** How much later it arrives, in milliseconds. Default 1. */
  readonly delayMs?: number | undefined;
}

/**
 * How one direction of a link treats packets. What is left out stays as it was, at first the defaults: a constant
 * latency of 1 ms, no limit of bandwidth, no faults, packets of at most 1500 bytes.
 *
 * @example
 * ```ts
 * import type { LinkConditions } from "zocalo/sim";
 * const mobile: LinkConditions = {
 *   latency: { kind: "exponential", baseMs: 30, meanMs: 20 },
 *   loss: { enter: 0.01, leave: 0.3 },
 *   bandwidthBitsPerSecond: 5_000_000,
 * };
 * console.log(mobile.loss);
 * ```
 */
export interface LinkConditions {
  /** One-way delay. */
  readonly latency?: Latency | undefined;
  /** Bits a second; packets wait for those before them. Default: no limit (`Infinity`). */
  readonly bandwidthBitsPerSecond?: number | undefined;
  /** Bytes that may wait for the bandwidth; a packet more is lost. Default 262144. */
  readonly queueBytes?: number | undefined;
  /** Probability that a packet is lost, or loss in bursts. Default 0. */
  readonly loss?: number | BurstyLoss | undefined;
  /** Probability that a packet arrives twice. Default 0. */
  readonly duplication?: number | undefined;
  /** Probability that a packet is overtaken by later ones, or more about it. Default 0. */
  readonly reordering?: number | Reordering | undefined;
  /**
   * Probability that a bit of a packet flips. A datagram arrives changed; the checksum of TCP finds such segments, so
   * that they are lost. Default 0.
   */
  readonly corruption?: number | undefined;
  /** Largest packet in bytes; datagrams beyond it travel in fragments. Default 1500, at least 576. */
  readonly mtuBytes?: number | undefined;
}

/** Conditions in integers: times in microseconds, probabilities as thresholds of 32 bits. */
export interface LinkTable {
  readonly latency: LatencyTable;
  /** 0: no limit. */
  readonly bitsPerSecond: number;
  readonly queueBytes: number;
  readonly enterBurst: number;
  readonly leaveBurst: number;
  readonly lossInBurst: number;
  readonly lossOutside: number;
  readonly duplication: number;
  readonly reordering: number;
  readonly reorderingUs: number;
  readonly corruption: number;
  readonly mtuBytes: number;
}

const SMALLEST_MTU_BYTES = 576;

/** What {@link LinkConditions} may have; the values are looked at one by one. */
const RULES: RulesOf<LinkConditions> = {
  latency: ANYTHING,
  bandwidthBitsPerSecond: ANYTHING,
  queueBytes: ANYTHING,
  loss: ANYTHING,
  duplication: ANYTHING,
  reordering: ANYTHING,
  corruption: ANYTHING,
  mtuBytes: ANYTHING,
};
const LOSS_RULES: RulesOf<BurstyLoss> = {
  enter: ANYTHING,
  leave: ANYTHING,
  lossInBurst: ANYTHING,
  lossOutside: ANYTHING,
};
const REORDERING_RULES: RulesOf<Reordering> = { chance: ANYTHING, delayMs: ANYTHING };

/** The conditions of a link that nobody has set. */
export const DEFAULT_CONDITIONS: LinkTable = {
  latency: { baseUs: 1000, spreadUs: 0, shape: "constant" },
  bitsPerSecond: 0,
  queueBytes: 262_144,
  enterBurst: 0,
  leaveBurst: 0,
  lossInBurst: 0,
  lossOutside: 0,
  duplication: 0,
  reordering: 0,
  reorderingUs: 1000,
  corruption: 0,
  mtuBytes: 1500,
};

/** Puts `change` over `base`; throws `OPTION_INVALID` for values that make no sense. */
export function linkTable(change: LinkConditions, base: LinkTable = DEFAULT_CONDITIONS, op = "link"): LinkTable {
  refuseUnknown({ op }, change, RULES);
  const { latency, bandwidthBitsPerSecond: bits, queueBytes, duplication, corruption, mtuBytes } = change;
  return {
    ...base,
    ...(latency === undefined ? {} : { latency: latencyTable(latency, op) }),
    ...(bits === undefined
      ? {}
      : { bitsPerSecond: bits === Number.POSITIVE_INFINITY ? 0 : whole("bandwidth", bits, 1, op) }),
    ...(queueBytes === undefined ? {} : { queueBytes: whole("queueBytes", queueBytes, 0, op) }),
    ...lossTable(change.loss, op),
    ...(duplication === undefined ? {} : { duplication: probability("duplication", duplication, op) }),
    ...reorderingTable(change.reordering, op),
    ...(corruption === undefined ? {} : { corruption: probability("corruption", corruption, op) }),
    ...(mtuBytes === undefined ? {} : { mtuBytes: whole("mtuBytes", mtuBytes, SMALLEST_MTU_BYTES, op) }),
  };
}

function lossTable(loss: LinkConditions["loss"], op: string): Partial<LinkTable> {
  if (loss === undefined) return {};
  if (typeof loss === "number") {
    return { enterBurst: 0, leaveBurst: 0, lossInBurst: 0, lossOutside: probability("loss", loss, op) };
  }
  refuseUnknown({ op }, loss, LOSS_RULES, "loss.");
  return {
    enterBurst: probability("loss.enter", loss.enter, op),
    leaveBurst: probability("loss.leave", loss.leave, op),
    lossInBurst: probability("loss.lossInBurst", loss.lossInBurst ?? 1, op),
    lossOutside: probability("loss.lossOutside", loss.lossOutside ?? 0, op),
  };
}

function reorderingTable(reordering: LinkConditions["reordering"], op: string): Partial<LinkTable> {
  if (reordering === undefined) return {};
  if (typeof reordering === "number") return { reordering: probability("reordering", reordering, op) };
  refuseUnknown({ op }, reordering, REORDERING_RULES, "reordering.");
  const { chance, delayMs = 1 } = reordering;
  return { reordering: probability("reordering.chance", chance, op), reorderingUs: microseconds(delayMs, op) };
}

function probability(name: string, value: number, op: string): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return probabilityThreshold(value);
  throw new UsageError("OPTION_INVALID", {
    op,
    detail: `${name} must be a probability from 0 to 1, not ${shown(value)}`,
  });
}

function whole(name: string, value: number, least: number, op: string): number {
  if (Number.isFinite(value) && value >= least) return Math.round(value);
  throw new UsageError("OPTION_INVALID", {
    op,
    detail: `${name} must be a number from ${least} on, not ${shown(value)}`,
  });
}
