/** Faults of a world: what goes wrong, and where. Plain data, so that they can be stored, replayed and shrunk. */

import type { ErrorCode } from "../errors.ts";
import {
  ANY_TEXT,
  ANYTHING,
  MILLISECONDS,
  numberFrom,
  type OptionRule,
  type OptionRules,
} from "../options/check-options.ts";
import { type LinkConditions, PROBABILITY } from "./conditions.ts";
import type { Latency } from "./latency.ts";

/** What is wrong with the certificate of a simulated host. */
export type CertificateFault = Extract<ErrorCode, `CERTIFICATE_${string}`>;

/**
 * What goes wrong, and where. Hosts are named. All but `partition` and `reset`, which have no direction, are about packets
 * from `from` to `to`, or about one host. `*` stands for every host:
 *
 * - `latency`, `loss`, `burst-loss`, `duplication`, `reordering`, `corruption`, `bandwidth`: see `LinkConditions`; `chance`
 *   is a probability from 0 to 1. With little bandwidth the queue holds one second.
 * - `partition`: silence in both directions; `partition-one-way`: in one; `isolate`: between a host and all others.
 * - `pause`: the program stops and its kernel goes on; `freeze`: the machine stops; `crash`: the power fails, and comes back
 *   when the fault ends; `skew`: the clock jumps ahead by `skewMs`, and stays so, since clocks of programs never go back.
 * - `reset`: a middlebox answers each segment of TCP between the two with a reset to both.
 *
 * @example
 * ```ts
 * import { type Fault, simulate } from "zocalo/sim";
 * const storm: readonly Fault[] = [
 *   { kind: "loss", from: "*", to: "*", chance: 0.3 },
 *   { kind: "skew", host: "a", skewMs: 5_000 },
 * ];
 * await simulate({ seed: 1 }, async (world) => {
 *   world.host("a");
 *   world.host("b");
 *   const guards = storm.map((fault) => world.inflict(fault));
 *   await world.sleep(1_000);
 *   for (const guard of guards) guard.heal();
 * });
 * ```
 */
export type Fault =
  | { readonly kind: "latency"; readonly from: string; readonly to: string; readonly latency: Latency }
  | {
      readonly kind: "loss" | "duplication" | "corruption";
      readonly from: string;
      readonly to: string;
      readonly chance: number;
    }
  | {
      readonly kind: "burst-loss";
      readonly from: string;
      readonly to: string;
      readonly enter: number;
      readonly leave: number;
    }
  | {
      readonly kind: "reordering";
      readonly from: string;
      readonly to: string;
      readonly chance: number;
      readonly delayMs: number;
    }
  | { readonly kind: "bandwidth"; readonly from: string; readonly to: string; readonly bitsPerSecond: number }
  | { readonly kind: "partition" | "partition-one-way" | "reset"; readonly from: string; readonly to: string }
  | { readonly kind: "isolate" | "pause" | "freeze" | "crash"; readonly host: string }
  | { readonly kind: "skew"; readonly host: string; readonly skewMs: number };

/** The name of a kind of fault. */
export type FaultKind = Fault["kind"];

/** A fault that lasts until it is healed: by `heal()`, or at the end of the scope of `using`. */
export interface FaultGuard extends Disposable {
  /** Ends the fault; harmless when it has ended. */
  heal(): void;
}

/** Ends once, however often it is told to. */
export function guardOf(ends: readonly (() => unknown)[]): FaultGuard {
  let healed = false;
  const heal = (): void => {
    if (healed) return;
    healed = true;
    for (const end of ends) end();
  };
  return { heal, [Symbol.dispose]: heal };
}

/** A fault with its time, in virtual milliseconds since the world began. */
export type TimedFault = Fault & { readonly atMs: number; readonly lastsMs: number };

const NAME: OptionRule = { ...ANY_TEXT, required: true };
const SHARE: OptionRule = { ...PROBABILITY, required: true };
const MS: OptionRule = { ...MILLISECONDS, required: true };
const NUMBER: OptionRule = { ...numberFrom(0), required: true };
const TIME: OptionRules = { kind: ANYTHING, atMs: NUMBER, lastsMs: NUMBER };
const HOST: OptionRules = { ...TIME, host: NAME };
const WAY: OptionRules = { ...TIME, from: NAME, to: NAME };
const CHANCE: OptionRules = { ...WAY, chance: SHARE };

/** What a timed fault of each kind has; latencies are looked at as those of a link. */
export const FAULT_RULES: Readonly<Record<FaultKind, OptionRules>> = {
  latency: { ...WAY, latency: ANYTHING },
  loss: CHANCE,
  "burst-loss": { ...WAY, enter: SHARE, leave: SHARE },
  duplication: CHANCE,
  reordering: { ...CHANCE, delayMs: MS },
  corruption: CHANCE,
  bandwidth: { ...WAY, bitsPerSecond: { ...numberFrom(1), required: true } },
  partition: WAY,
  "partition-one-way": WAY,
  isolate: HOST,
  pause: HOST,
  freeze: HOST,
  crash: HOST,
  skew: { ...HOST, skewMs: NUMBER },
  reset: WAY,
};

/** All kinds, in the order of the documentation. */
export const FAULT_KINDS: readonly FaultKind[] = Object.keys(FAULT_RULES) as FaultKind[];

/** A slow link keeps what it sends in a second, so that its queue is gone soon after it is fast again; two packets at least. */
const SMALLEST_QUEUE_BYTES = 3_000;
/** Stands for every host. */
export const EVERY_HOST = "*";

/** What a fault changes of the conditions of a link; undefined for faults of another sort. */
export function linkChange(fault: Fault): LinkConditions | undefined {
  switch (fault.kind) {
    case "latency":
      return { latency: fault.latency };
    case "loss":
      return { loss: fault.chance };
    case "burst-loss":
      return { loss: { enter: fault.enter, leave: fault.leave } };
    case "duplication":
      return { duplication: fault.chance };
    case "corruption":
      return { corruption: fault.chance };
    case "reordering":
      return { reordering: { chance: fault.chance, delayMs: fault.delayMs } };
    case "bandwidth":
      return {
        bandwidthBitsPerSecond: fault.bitsPerSecond,
        queueBytes: Math.max(SMALLEST_QUEUE_BYTES, Math.ceil(fault.bitsPerSecond / 8)),
      };
    default:
      return undefined;
  }
}

/**
 * A fault as text for people and traces.
 *
 * @example
 * ```ts
 * import { faultText } from "zocalo/sim";
 * console.log(faultText({ kind: "loss", from: "a", to: "b", chance: 0.3 })); // loss a>b chance=0.3
 * ```
 */
export function faultText(fault: Fault): string {
  const facts: Partial<Record<string, unknown>> = { ...fault };
  for (const name of ["kind", "from", "to", "host", "atMs", "lastsMs"]) delete facts[name];
  const where = "host" in fault ? fault.host : `${fault.from}>${fault.to}`;
  const rest = Object.entries(facts).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${fault.kind} ${where}${rest.join("")}`;
}
