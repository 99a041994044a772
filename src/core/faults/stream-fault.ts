/** Faults of connections that a proxy between two real programs can make, beside those of a link. */

import {
  ANY_TEXT,
  ANYTHING,
  MILLISECONDS,
  type OptionRule,
  type OptionRules,
  wholeNumber,
} from "../options/check-options.ts";
import { addToLink, linkPart, type LinkTable, linkTable } from "./conditions.ts";
import { type Fault, linkChange } from "./fault.ts";
import { microseconds } from "./latency.ts";

/**
 * What goes wrong with the bytes of a connection on their way from `from` to `to`. Only a proxy makes these: a simulated kernel
 * cuts reads anyway, and ends a connection as its programs say.
 *
 * - `slicing`: bytes leave in pieces of about `averageBytes`, each `delayMs` behind the one before.
 * - `cut`: the connection closes when the direction has carried `bytes` bytes.
 * - `linger`: the end of the direction is passed on `delayMs` later.
 * - `timeout`: what comes is lost, and the connection closes `afterMs` later, or when the fault ends: so no receiver ever has
 *   bytes with a gap in them.
 */
export type StreamFault =
  | {
      readonly kind: "slicing";
      readonly from: string;
      readonly to: string;
      /** Size of a piece, in bytes; from 1 on. */
      readonly averageBytes: number;
      /** A piece has so many bytes more or fewer at most, and one at least. Default 0. */
      readonly variationBytes?: number | undefined;
      /** Time between two pieces. Default 0. */
      readonly delayMs?: number | undefined;
    }
  | { readonly kind: "cut"; readonly from: string; readonly to: string; readonly bytes: number }
  | { readonly kind: "linger"; readonly from: string; readonly to: string; readonly delayMs: number }
  /** Counted from the connection's first moment in the fault. Default: for as long as the fault lasts. */
  | { readonly kind: "timeout"; readonly from: string; readonly to: string; readonly afterMs?: number | undefined };

const NAME: OptionRule = { ...ANY_TEXT, required: true };
const WAY: OptionRules = { kind: ANYTHING, from: NAME, to: NAME };
const WHOLE: OptionRule = wholeNumber(0, Number.MAX_SAFE_INTEGER);
/** A draw has 32 bits. */
const LARGEST_SLICE_BYTES = 2_147_483_647;

/** What a fault of each kind has. */
export const STREAM_FAULT_RULES: Readonly<Record<StreamFault["kind"], OptionRules>> = {
  slicing: {
    ...WAY,
    averageBytes: { ...wholeNumber(1, LARGEST_SLICE_BYTES), required: true },
    variationBytes: wholeNumber(0, LARGEST_SLICE_BYTES),
    delayMs: MILLISECONDS,
  },
  cut: { ...WAY, bytes: { ...WHOLE, required: true } },
  linger: { ...WAY, delayMs: { ...MILLISECONDS, required: true } },
  timeout: { ...WAY, afterMs: MILLISECONDS },
};

/** All kinds, in the order of the documentation. */
export const STREAM_FAULT_KINDS: readonly StreamFault["kind"][] = Object.keys(
  STREAM_FAULT_RULES,
) as StreamFault["kind"][];

/** Sizes of pieces, and the time between them. */
export interface Slicing {
  readonly leastBytes: number;
  readonly mostBytes: number;
  readonly delayUs: number;
}

/** How one direction of a connection treats its bytes. */
export interface StreamConditions {
  /** Loss, latency and the like of the segments. */
  readonly link: LinkTable;
  readonly slicing: Slicing | undefined;
  /** The connection closes when the direction has carried so many bytes; Infinity for never. */
  readonly cutAtBytes: number;
  /** The end is passed on so much later. */
  readonly lingerUs: number;
  /** Flipped bits reach the receiver: whatever is in the way has computed the checksum anew. */
  readonly middlebox: boolean;
}

/** A direction without faults: no delay, since there is a real network around it; a sender waits where a link would lose. */
export const NO_STREAM_FAULTS: StreamConditions = {
  link: linkTable({ latency: 0, queueBytes: Number.MAX_SAFE_INTEGER }),
  slicing: undefined,
  cutAtBytes: Infinity,
  lingerUs: 0,
  middlebox: false,
};

/**
 * Puts a fault over the conditions of a direction. Delays add up, the earlier cut and the smaller bandwidth count, of other kinds what
 * comes later. Faults that are not about bytes under way change nothing.
 */
export function withStreamFault(conditions: StreamConditions, fault: Fault | StreamFault): StreamConditions {
  switch (fault.kind) {
    case "slicing": {
      const { averageBytes, variationBytes = 0, delayMs = 0 } = fault;
      const leastBytes = Math.max(1, averageBytes - variationBytes);
      const slicing = {
        leastBytes,
        mostBytes: averageBytes + variationBytes,
        delayUs: microseconds(delayMs, "inflict"),
      };
      return { ...conditions, slicing };
    }
    case "cut":
      return { ...conditions, cutAtBytes: Math.min(conditions.cutAtBytes, fault.bytes) };
    case "linger":
      return { ...conditions, lingerUs: conditions.lingerUs + microseconds(fault.delayMs, "inflict") };
    case "timeout":
      return conditions;
    default: {
      const { queueBytes: _lossy, ...change } = linkChange(fault) ?? {};
      return { ...conditions, link: addToLink(conditions.link, linkPart(change, "inflict")) };
    }
  }
}
