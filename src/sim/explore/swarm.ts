/**
 * What a seed lets go wrong. Each seed turns whole kinds of fault on or off and draws how bad they are: runs that each have a
 * few kinds find more than runs that all have a little of everything.
 */

import { EVERY_HOST, type Fault, type FaultKind, type TimedFault } from "../../core/faults/fault.ts";
import type { Choices } from "../../core/faults/fault-list.ts";
import type { Latency } from "../../core/faults/latency.ts";
import { RandomStream } from "../../core/faults/random-stream.ts";
import type { Host } from "../world/host-contract.ts";
import { type ChaosOptions, DEFAULT_CHAOS_MS, DEFAULT_KINDS, type SimulationOptions } from "./simulation.ts";

const DEFAULT_MOST_FAULTS = 12;
/** A seed has one kind of fault in so many. */
const KINDS_ONE_IN = [2, 3, 6] as const;
/** Most faults of one kind. */
const MOST_OF_A_KIND = 3;
/** Shorter faults pass between two packets of most programs. */
const SHORTEST_MS = 20;
/** The scale of delays of which some are 150 times as long. */
const HEAVIEST_MS = 50;
/** Upper ends of probabilities: one is drawn for each kind and seed. */
const WORST_CHANCES = [0.02, 0.1, 0.3, 0.7, 1] as const;
const DELAYS_MS = [2, 10, 50, 200, 1000] as const;
const BITS_PER_SECOND = [8_000, 64_000, 1_000_000, 10_000_000] as const;
const SKEWS_MS = [10, 500, 5_000, 60_000] as const;
/** Programs do most when they begin: faults come within one of these times, or within the whole chaos. */
const SPANS_MS = [50, 500, 3_000] as const;
/** One link fault in so many is about all links. */
const EVERYWHERE_ONE_IN = 4;
/** Kinds of which a host has at most one at a time. */
const POWER: readonly FaultKind[] = ["pause", "freeze", "crash"];

/** What a seed decides beside the faults. */
export function drawChoices(seed: number, { explore, cutReads, link }: SimulationOptions): Choices {
  const stream = new RandomStream(seed, "swarm/choices");
  const permute = stream.below(2) === 1;
  return { permute: explore ?? permute, cutReads: cutReads ?? true, latency: link?.latency ?? drawBase(stream) };
}

/** The latency of the world on a day without faults. */
function drawBase(stream: RandomStream): Latency {
  const meanMs = 1 + stream.below(40);
  switch (stream.below(3)) {
    case 0:
      return 1;
    case 1:
      return { kind: "uniform", fromMs: 1, toMs: 1 + meanMs };
    default:
      return { kind: "exponential", baseMs: 1, meanMs };
  }
}

/** Draws the faults of a seed, in the order of their beginnings. */
export function drawFaults(seed: number, hosts: readonly Host[], options: ChaosOptions): readonly TimedFault[] {
  const { lastsMs = DEFAULT_CHAOS_MS, kinds = DEFAULT_KINDS, mostFaults = DEFAULT_MOST_FAULTS } = options;
  const touched = options.hosts === undefined ? hosts : hosts.filter(({ name }) => options.hosts?.includes(name));
  const kindsOneIn = pick(KINDS_ONE_IN, new RandomStream(seed, "swarm/density"));
  const faults: TimedFault[] = [];
  for (const kind of kinds) {
    // A stream for each kind, so that a new kind moves no other.
    const draw = new KindDraw(kind, new RandomStream(seed, `swarm/${kind}`), touched, lastsMs);
    for (const fault of draw.faults(kindsOneIn)) if (!overlaps(fault, faults)) faults.push(fault);
  }
  const stream = new RandomStream(seed, "swarm/most");
  while (faults.length > mostFaults) faults.splice(stream.below(faults.length), 1);
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/** Whether a host would be stopped while it is stopped already. */
function overlaps(fault: TimedFault, others: readonly TimedFault[]): boolean {
  if (!POWER.includes(fault.kind) || !("host" in fault)) return false;
  return others.some(
    (other) =>
      POWER.includes(other.kind) &&
      "host" in other &&
      other.host === fault.host &&
      other.atMs <= fault.atMs + fault.lastsMs &&
      fault.atMs <= other.atMs + other.lastsMs,
  );
}

/** The draws of one kind. */
class KindDraw {
  readonly #kind: FaultKind;
  readonly #stream: RandomStream;
  readonly #hosts: readonly Host[];
  readonly #chaosMs: number;
  readonly #worst: number;

  constructor(kind: FaultKind, stream: RandomStream, hosts: readonly Host[], chaosMs: number) {
    this.#kind = kind;
    this.#stream = stream;
    this.#hosts = hosts;
    this.#chaosMs = chaosMs;
    this.#worst = this.#pick(WORST_CHANCES);
  }

  faults(kindsOneIn: number): readonly TimedFault[] {
    if (this.#stream.below(kindsOneIn) > 0) return [];
    const count = 1 + this.#stream.below(MOST_OF_A_KIND);
    return Array.from({ length: count }, () => this.#one()).filter((fault) => fault !== undefined);
  }

  #one(): TimedFault | undefined {
    const spanMs = Math.min(this.#chaosMs, this.#pick([...SPANS_MS, this.#chaosMs]));
    const atMs = this.#stream.below(Math.max(1, spanMs));
    // Each order of magnitude is as likely as any other.
    const longestMs = SHORTEST_MS * 2 ** this.#stream.below(10);
    const lastsMs = Math.min(SHORTEST_MS + this.#stream.below(longestMs), this.#chaosMs - atMs);
    const fault = this.#fault();
    return fault === undefined ? undefined : { atMs, lastsMs, ...fault };
  }

  #fault(): Fault | undefined {
    const kind = this.#kind;
    switch (kind) {
      case "isolate":
      case "pause":
      case "freeze":
      case "crash":
      case "skew": {
        // What has no program cannot be started again.
        const hosts = kind === "crash" ? this.#hosts.filter(({ hasProgram }) => hasProgram) : this.#hosts;
        if (hosts.length === 0) return undefined;
        const host = this.#pick(hosts).name;
        return kind === "skew" ? { kind, host, skewMs: this.#pick(SKEWS_MS) } : { kind, host };
      }
      default:
        return this.#wayFault(kind);
    }
  }

  #wayFault(kind: Exclude<FaultKind, "isolate" | "pause" | "freeze" | "crash" | "skew">): Fault | undefined {
    const way = this.#way();
    if (way === undefined) return undefined;
    switch (kind) {
      case "latency":
        return { kind, ...way, latency: this.#latency() };
      case "burst-loss":
        return { kind, ...way, enter: this.#chance(0.3), leave: this.#chance(0.5) };
      case "reordering":
        return { kind, ...way, chance: this.#chance(this.#worst), delayMs: this.#pick(DELAYS_MS) };
      case "bandwidth":
        return { kind, ...way, bitsPerSecond: this.#pick(BITS_PER_SECOND) };
      case "loss":
      case "duplication":
      case "corruption":
        return { kind, ...way, chance: this.#chance(this.#worst) };
      default:
        return { kind, ...way };
    }
  }

  /** From one host to another, or everywhere. */
  #way(): { readonly from: string; readonly to: string } | undefined {
    const hosts = this.#hosts;
    if (hosts.length < 2) return undefined;
    const first = this.#stream.below(hosts.length);
    const second = (first + 1 + this.#stream.below(hosts.length - 1)) % hosts.length;
    const everywhere = this.#stream.below(EVERYWHERE_ONE_IN) === 0 && this.#kind !== "partition";
    if (everywhere) return { from: EVERY_HOST, to: EVERY_HOST };
    return { from: (hosts[first] as Host).name, to: (hosts[second] as Host).name };
  }

  #latency(): Latency {
    const meanMs = this.#pick(DELAYS_MS);
    if (this.#stream.below(2) === 0) return meanMs;
    // One packet in a hundred is more than 20 times as late, and those behind it wait.
    return { kind: "heavy-tail", baseMs: 1, scaleMs: Math.min(meanMs, HEAVIEST_MS) };
  }

  /** In hundredths, for people who read it. */
  #chance(worst: number): number {
    return (1 + this.#stream.below(Math.max(1, Math.round(worst * 100)))) / 100;
  }

  #pick<T>(values: readonly T[]): T {
    return pick(values, this.#stream);
  }
}

function pick<T>(values: readonly T[], stream: RandomStream): T {
  return values[stream.below(values.length)] as T;
}
