/** The fault vocabulary of a link: what can go wrong with packets on their way. */

import {
  ANYTHING,
  checkOptions,
  MILLISECONDS,
  numberFrom,
  OBJECT,
  type OptionRule,
  type OptionRules,
  type RulesOf,
} from "../options/check-options.ts";
import { addLatency, type Latency, type LatencyTable, latencyTable, microseconds } from "./latency.ts";
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

/** A share of packets, connections and the like. */
export const PROBABILITY: OptionRule = {
  wanted: "a probability from 0 to 1",
  holds: (value) => typeof value === "number" && value >= 0 && value <= 1,
};
const REQUIRED: OptionRule = { ...PROBABILITY, required: true };

/** A probability, or an object that says more. */
function probabilityOr(within: OptionRules): OptionRule {
  const wanted = `${PROBABILITY.wanted}, or an object`;
  return { wanted, holds: (value) => PROBABILITY.holds(value) || OBJECT.holds(value), within };
}

const RULES: RulesOf<LinkConditions> = {
  latency: ANYTHING,
  bandwidthBitsPerSecond: {
    wanted: "a number from 1 on, or Infinity for no limit",
    holds: (value) => typeof value === "number" && value >= 1,
  },
  queueBytes: numberFrom(0),
  loss: probabilityOr({
    enter: REQUIRED,
    leave: REQUIRED,
    lossInBurst: PROBABILITY,
    lossOutside: PROBABILITY,
  } satisfies RulesOf<BurstyLoss>),
  duplication: PROBABILITY,
  reordering: probabilityOr({ chance: REQUIRED, delayMs: MILLISECONDS } satisfies RulesOf<Reordering>),
  corruption: PROBABILITY,
  mtuBytes: numberFrom(SMALLEST_MTU_BYTES),
};

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
  return { ...base, ...linkPart(change, op) };
}

/** Puts what one more fault sets over a table: latencies add up, the smaller bandwidth counts, and otherwise what comes later. */
export function addToLink(before: LinkTable, more: Partial<LinkTable>): LinkTable {
  const link = { ...before, ...more };
  if (more.latency !== undefined) link.latency = addLatency(before.latency, more.latency);
  const { bitsPerSecond } = before;
  if (bitsPerSecond > 0 && (link.bitsPerSecond === 0 || link.bitsPerSecond > bitsPerSecond))
    link.bitsPerSecond = bitsPerSecond;
  return link;
}

/** What `change` sets of a table; throws as {@link linkTable}. */
export function linkPart(change: LinkConditions, op: string): Partial<LinkTable> {
  const {
    latency,
    bandwidthBitsPerSecond: bits,
    queueBytes,
    mtuBytes,
    ...chances
  } = checkOptions({ op }, change, RULES);
  const { duplication, corruption } = chances;
  return {
    ...(latency === undefined ? {} : { latency: latencyTable(latency, op) }),
    ...(bits === undefined ? {} : { bitsPerSecond: bits === Number.POSITIVE_INFINITY ? 0 : Math.round(bits) }),
    ...(queueBytes === undefined ? {} : { queueBytes: Math.round(queueBytes) }),
    ...lossTable(chances.loss),
    ...(duplication === undefined ? {} : { duplication: probabilityThreshold(duplication) }),
    ...reorderingTable(chances.reordering),
    ...(corruption === undefined ? {} : { corruption: probabilityThreshold(corruption) }),
    ...(mtuBytes === undefined ? {} : { mtuBytes: Math.round(mtuBytes) }),
  };
}

function lossTable(loss: LinkConditions["loss"]): Partial<LinkTable> {
  if (loss === undefined) return {};
  const alone = { enter: 0, leave: 0, lossInBurst: 0, lossOutside: loss as number };
  const { enter, leave, lossInBurst = 1, lossOutside = 0 } = typeof loss === "number" ? alone : loss;
  return {
    enterBurst: probabilityThreshold(enter),
    leaveBurst: probabilityThreshold(leave),
    lossInBurst: probabilityThreshold(lossInBurst),
    lossOutside: probabilityThreshold(lossOutside),
  };
}

function reorderingTable(reordering: LinkConditions["reordering"]): Partial<LinkTable> {
  if (reordering === undefined) return {};
  if (typeof reordering === "number") return { reordering: probabilityThreshold(reordering) };
  const { chance, delayMs = 1 } = reordering;
  return { reordering: probabilityThreshold(chance), reorderingUs: microseconds(delayMs, "link") };
}
