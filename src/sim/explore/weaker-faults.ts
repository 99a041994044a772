/** Faults that are a little weaker than another: what a failure that shrinks is tried with. */

import type { TimedFault } from "../../core/faults/fault.ts";

/** Nothing is gained below these. */
const SHORTEST_MS = 1;
/** What is tried when the half is too short. */
const SHORTER = 0.9;
const SMALLEST_CHANCE = 0.01;
const SMALLEST_DELAY_MS = 1;
const FASTEST_BITS_PER_SECOND = 1_000_000_000;

/** The weaker forms of a fault, the most simple first; empty when there is none. */
export function weakerFaults(fault: TimedFault): readonly TimedFault[] {
  return [...simpler(fault), ...gentler(fault), ...shorterFaults(fault)];
}

/** The same fault for a shorter time, or at a time that reads better. */
export function shorterFaults(fault: TimedFault): readonly TimedFault[] {
  const { atMs, lastsMs } = fault;
  const forms: TimedFault[] = [];
  if (lastsMs > SHORTEST_MS) forms.push({ ...fault, lastsMs: Math.floor(lastsMs / 2) });
  if (lastsMs > SHORTEST_MS) forms.push({ ...fault, lastsMs: Math.floor(lastsMs * SHORTER) });
  if (atMs > 0) forms.push({ ...fault, atMs: 0 });
  // Round times read better, and may be as good.
  for (const step of [1000, 100, 10]) {
    for (const round of [{ lastsMs: down(lastsMs, step) }, { atMs: down(atMs, step) }]) {
      const rounded = { ...fault, ...round };
      if ((rounded.lastsMs !== lastsMs || rounded.atMs !== atMs) && rounded.lastsMs > 0) forms.push(rounded);
    }
  }
  return forms;
}

/** The fault without chance: it hits every packet, so that no draw decides; undefined when there is no chance in it. */
export function certainFault(fault: TimedFault): TimedFault | undefined {
  return "chance" in fault && fault.chance < 1 ? { ...fault, chance: 1 } : undefined;
}

function down(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

/** The same thing of a kind that does less. */
function simpler(fault: TimedFault): TimedFault[] {
  switch (fault.kind) {
    case "burst-loss": {
      const { enter, leave: _leave, kind: _kind, ...rest } = fault;
      return [{ ...rest, kind: "loss", chance: enter }];
    }
    case "partition":
      return [
        { ...fault, kind: "partition-one-way" },
        { ...fault, kind: "partition-one-way", from: fault.to, to: fault.from },
      ];
    case "freeze":
      return [{ ...fault, kind: "pause" }];
    case "crash":
      return [{ ...fault, kind: "freeze" }];
    case "latency":
      return typeof fault.latency === "object" && "scaleMs" in fault.latency
        ? [{ ...fault, latency: fault.latency.scaleMs }]
        : [];
    default:
      return [];
  }
}

/** The same kind with smaller numbers. */
function gentler(fault: TimedFault): TimedFault[] {
  const forms: TimedFault[] = [];
  if ("chance" in fault && fault.chance > SMALLEST_CHANCE) forms.push({ ...fault, chance: halfChance(fault.chance) });
  if (fault.kind === "reordering" && fault.delayMs > SMALLEST_DELAY_MS) {
    forms.push({ ...fault, delayMs: Math.floor(fault.delayMs / 2) });
  } else if (fault.kind === "latency" && typeof fault.latency === "number" && fault.latency > SMALLEST_DELAY_MS) {
    forms.push({ ...fault, latency: Math.floor(fault.latency / 2) });
  } else if (fault.kind === "bandwidth" && fault.bitsPerSecond < FASTEST_BITS_PER_SECOND) {
    forms.push({ ...fault, bitsPerSecond: fault.bitsPerSecond * 10 });
  } else if (fault.kind === "skew" && fault.skewMs > 1) {
    forms.push({ ...fault, skewMs: Math.floor(fault.skewMs / 2) });
  }
  return forms;
}

function halfChance(chance: number): number {
  return Math.max(SMALLEST_CHANCE, Math.floor(chance * 50) / 100);
}
