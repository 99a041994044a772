/** The public contract of a simulated world. */

import type { LinkConditions } from "../../core/faults/conditions.ts";
import type { Fault, FaultGuard } from "../../core/faults/fault.ts";
import type { Clock, Random } from "../../io/network/network.ts";
import type { Host, HostMain } from "./host-contract.ts";
import type { SimTcpSettings } from "../kernel/tcp-settings.ts";
import type { ConditionCount } from "./invariants.ts";
import type { PacketRule } from "./packet-rule.ts";
import type { TraceSink } from "./trace.ts";

/** Options of {@link World.host}. */
export interface HostOptions {
  /** IP addresses, from the ranges for documentation (RFC 5737, RFC 3849). Default: one of each family. */
  readonly addresses?: readonly string[] | undefined;
  /** More names that the name service knows the host by; its own name is one. */
  readonly names?: readonly string[] | undefined;
  /** How far the host's clock is ahead, in milliseconds. Default 0. */
  readonly skewMs?: number | undefined;
}

/** A host, or its name. */
export type HostLike = Host | string;

/**
 * A simulated world. Made by `simulate`, which gives it to its `main`.
 *
 * @example
 * ```ts
 * import { connect, listen } from "zocalo";
 * import { simulate } from "zocalo/sim";
 * await simulate({ seed: 7 }, async (world) => {
 *   const [a, b] = [world.host("a"), world.host("b")];
 *   world.link(a, b, { latency: 20, loss: 0.05 });
 *   const listener = await listen("tcp://0.0.0.0:7000", { network: b.network });
 *   const call = await connect("tcp://b:7000", { network: a.network });
 *   const peer = await listener.accept();
 *   {
 *     using _cut = world.partition(a, b);
 *     await call.write("late");
 *     await world.sleep(5_000);
 *   }
 *   console.log(String(await peer.readExactly(4))); // late
 * });
 * ```
 */
export interface World {
  /** What decided everything that the program did not. */
  readonly seed: number;
  /** The world's own clock; it runs on while hosts are frozen. */
  readonly clock: Clock;
  /** Randomness for the one who directs the world. */
  readonly random: Random;
  /** All hosts, in the order in which they were made. */
  readonly hosts: readonly Host[];
  /** Virtual milliseconds since the world began, with a fraction. */
  readonly now: number;
  /** Lets virtual time pass, in milliseconds. */
  sleep(durationMs: number): Promise<void>;
  /**
   * Adds a host and starts its program, if it has one; without one, use `host.network`. Throws `OPTION_INVALID` for a name
   * that is taken and `ADDRESS_INVALID` for an address that is taken, or not from the ranges for documentation.
   */
  host(name: string, main?: HostMain, options?: HostOptions): Host;
  /** Sets what the name service answers: addresses, or the error that every look-up gets. */
  name(name: string, answer: readonly string[] | "NAME_NOT_FOUND" | "NAME_LOOKUP_FAILED"): void;
  /** Changes the conditions of all links that are made later: a link is made with the first packet between two hosts. */
  link(conditions: LinkConditions): void;
  /** Changes the conditions of both directions between two hosts. */
  link(a: HostLike, b: HostLike, conditions: LinkConditions): void;
  /** Changes the conditions of one direction. */
  linkOneWay(from: HostLike, to: HostLike, conditions: LinkConditions): void;
  /** Cuts both directions between two hosts: silence, not an error. */
  partition(a: HostLike, b: HostLike): FaultGuard;
  /** Cuts one direction. */
  partitionOneWay(from: HostLike, to: HostLike): FaultGuard;
  /** Cuts every way between hosts of different groups. A host in two groups is a bridge; one in none loses no way. */
  partitionGroups(...groups: readonly (readonly HostLike[])[]): FaultGuard;
  /** Cuts one host off from all others. */
  isolate(host: HostLike): FaultGuard;
  /** Leaves to each host only its two neighbours in the order of this list, which closes to a ring. */
  ring(...hosts: readonly HostLike[]): FaultGuard;
  /**
   * Lets one fault of the vocabulary begin, until the guard ends it. Throws `OPTION_INVALID` for a host that is not there.
   *
   * @example
   * ```ts
   * import { simulate } from "zocalo/sim";
   * await simulate({ seed: 1 }, async (world) => {
   *   const a = world.host("a");
   *   {
   *     using _stopped = world.inflict({ kind: "freeze", host: "a" });
   *     console.log(a.silent); // true
   *   }
   *   console.log(a.silent); // false
   * });
   * ```
   */
  inflict(fault: Fault): FaultGuard;
  /** Calls `action` at a moment of virtual time, in milliseconds since the world began: a fault by schedule. */
  at(momentMs: number, action: () => void): void;
  /**
   * Lets a rule see each packet before it leaves, and lose or delay it: a fault by predicate. The rule may also act on the
   * world. It sees every repetition of a segment too, which TCP sends until one arrives.
   *
   * @example
   * ```ts
   * import { bind } from "zocalo";
   * import { simulate } from "zocalo/sim";
   * await simulate({ seed: 1 }, async (world) => {
   *   const [a, b] = [world.host("a"), world.host("b")];
   *   world.rule(({ from, kind, number }) => (from === "a" && kind === "udp" && number === 3 ? "drop" : undefined));
   *   const box = await bind("udp://0.0.0.0:5000", { network: b.network });
   *   const friend = await bind("udp://0.0.0.0:0", { network: a.network });
   *   for (const text of ["uno", "dos", "tres", "cuatro"]) await friend.send(text, "udp://b:5000");
   *   await world.sleep(10);
   *   console.log((await box.receiveMany(9)).map(({ data }) => String(data)).join(" ")); // uno dos cuatro
   * });
   * ```
   */
  rule(rule: PacketRule): FaultGuard;
  /** Says that a condition holds whenever this line is reached; where it does not, the run ends with `SIM_INVARIANT`. */
  always(name: string, condition: boolean): void;
  /** Counts how often a condition holds, for the coverage of the report: what never happens was never tested. */
  sometimes(name: string, condition: boolean): void;
  /** Resolves when the chaos is over and everything is healed; at once in a world without chaos. */
  readonly healed: Promise<void>;
  /**
   * Waits until the chaos is over, and then until `condition` holds, which is looked at every 10 virtual milliseconds. The
   * run ends with `SIM_INVARIANT` when it does not hold within `withinMs` (default 30000) of virtual time.
   *
   * @example
   * ```ts
   * import { simulate } from "zocalo/sim";
   * await simulate({ seed: 1 }, async (world) => {
   *   let answers = 0;
   *   world.at(500, () => void (answers += 1));
   *   await world.converge("everybody has an answer", () => answers === 1, 1_000);
   * });
   * ```
   */
  converge(name: string, condition: () => boolean | Promise<boolean>, withinMs?: number): Promise<void>;
}

/** What decides a simulated run, beside the program. */
export interface SimulateOptions {
  /** A whole number from 0 on. The same seed gives the same run. Default 1. */
  readonly seed?: number | undefined;
  /** The conditions of all links; see `world.link` for single ones. */
  readonly link?: LinkConditions | undefined;
  /** Settings of the simulated TCP. */
  readonly tcp?: Partial<SimTcpSettings> | undefined;
  /** Permute events of one moment by the seed, to find what depends on their order. Default false. */
  readonly explore?: boolean | undefined;
  /** Cut reads at seeded places, since TCP keeps no message boundaries. Default true. */
  readonly cutReads?: boolean | undefined;
  /** Most virtual time in milliseconds; then the run ends with `TIMEOUT`. Default 86400000, a day. */
  readonly limitMs?: number | undefined;
  /**
   * Most events in a row of which none moves the time by more than a microsecond, as a timer of 0 ms does; then the run ends
   * with `SIM_LIVELOCK`. Default 1000000.
   */
  readonly livelockEvents?: number | undefined;
  /** Receives the trace line by line: a header, then one line of JSON for each event. Default: only its hash is kept. */
  readonly trace?: TraceSink | undefined;
  /**
   * Receives all packets piece by piece as a pcapng file, which Wireshark and tshark open: IP packets with the ports,
   * numbers and flags that the hosts used; one interface for each host; lost packets with a comment that says why.
   */
  readonly capture?: ((bytes: Uint8Array) => void) | undefined;
}

/** What a simulated run came to. */
export interface SimulationReport<T> {
  /** What `main` resolved with. */
  readonly value: T;
  /** The seed of the run. */
  readonly seed: number;
  /** Virtual milliseconds that the run took. */
  readonly durationMs: number;
  /** Events that happened. */
  readonly events: number;
  /** The rolling hash of everything that happened: 16 hexadecimal digits. Equal runs have equal ones. */
  readonly digest: string;
  /** What `world.always` and `world.sometimes` have counted, by name. */
  readonly coverage: Readonly<Record<string, ConditionCount>>;
}
