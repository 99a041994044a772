/** A simulated world: hosts, names, links, and what goes wrong with them. */

import { checkOptions, FUNCTION, optionInvalid, type RulesOf, TEXT, TEXTS } from "../../core/options/check-options.ts";
import { UsageError } from "../../core/errors.ts";
import { type LinkConditions, linkTable } from "../../core/faults/conditions.ts";
import { type Fault, type FaultGuard, faultText, guardOf } from "../../core/faults/fault.ts";
import { microseconds } from "../../core/faults/latency.ts";
import type { Clock, Random } from "../../io/network/network.ts";
import { describeHosts } from "./failure.ts";
import { type HostOwner, SimHost } from "./host.ts";
import type { Host, HostMain } from "./host-contract.ts";
import { Disturbances, hostOf, inflict } from "./inflict.ts";
import { type ConditionCount, InvariantError, Invariants } from "./invariants.ts";
import { hostAddresses, isDocumentationIp, NameService } from "./names.ts";
import type { PacketRule } from "./packet-rule.ts";
import type { Process } from "../adapter/process.ts";
import type { HostLike, HostOptions, World } from "./world-contract.ts";

const HOST_RULES: RulesOf<HostOptions> = {
  addresses: TEXTS,
  names: TEXTS,
  skewMs: { wanted: "a number", holds: Number.isFinite },
};
const NAME_RULES = { name: { ...TEXT, required: true } };
const ANSWER_RULES = {
  ...NAME_RULES,
  answer: {
    wanted: 'an array of IP addresses, "NAME_NOT_FOUND" or "NAME_LOOKUP_FAILED"',
    holds: (answer: unknown) => TEXTS.holds(answer) || answer === "NAME_NOT_FOUND" || answer === "NAME_LOOKUP_FAILED",
    required: true,
  },
};
const RULE_RULES = { rule: { ...FUNCTION, required: true } };
const GROUPS_RULES = {
  groups: {
    wanted: "arrays of hosts",
    holds: (groups: unknown) => Array.isArray(groups) && groups.every(Array.isArray),
  },
};

type Pair = readonly [HostLike, HostLike];

/** How often `converge` looks, in virtual milliseconds. */
const CONVERGE_STEP_MS = 10;

/** A world, as the simulator sees it. */
export class SimWorld implements World {
  readonly seed: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly #owner: HostOwner;
  readonly #hosts = new Map<string, SimHost>();
  readonly #names = new NameService();
  readonly #director: Process;
  /** What `always` and `sometimes` have counted. */
  readonly invariants: Invariants = new Invariants();
  /** The end of the chaos; whoever makes chaos replaces it. */
  healed: Promise<void> = Promise.resolve();
  readonly #disturbances = new Disturbances();

  /** Use `simulate`. `director` runs the code of `main`. */
  constructor(owner: Omit<HostOwner, "resolve">, director: Process) {
    this.seed = owner.seed;
    this.#director = director;
    this.clock = director.clock;
    this.random = director.random;
    this.#owner = { ...owner, resolve: (name) => this.#names.resolve(name) };
  }

  get hosts(): readonly SimHost[] {
    return [...this.#hosts.values()];
  }

  get now(): number {
    return this.clock.now();
  }

  async sleep(durationMs: number): Promise<void> {
    microseconds(durationMs, "sleep");
    await new Promise<void>((resolve) => void this.clock.setTimer(resolve, durationMs));
  }

  host(name: string, main?: HostMain, given: HostOptions = {}): Host {
    checkOptions({ op: "host" }, { name }, NAME_RULES);
    const options = checkOptions({ op: "host" }, given, HOST_RULES);
    if (this.#hosts.has(name) || name === "localhost" || name === "") {
      throw optionInvalid({ op: "host" }, `there is a host ${JSON.stringify(name)} already`);
    }
    const addresses = options.addresses ?? hostAddresses(this.#hosts.size + 1);
    for (const ip of addresses) {
      if (isDocumentationIp(ip) && this.#owner.fabric.hostAt(ip) === undefined) continue;
      const detail = `${ip} is taken, or not for documentation (192.0.2.x, 198.51.100.x, 203.0.113.x, 2001:db8::x)`;
      throw new UsageError("ADDRESS_INVALID", { op: "host", detail });
    }
    const host = new SimHost(this.#owner, name, addresses, main);
    this.#hosts.set(name, host);
    this.#owner.fabric.add(host);
    for (const alias of [name, ...(options.names ?? [])]) this.#names.set(alias, addresses);
    if (options.skewMs !== undefined) host.skewMs = options.skewMs;
    host.start();
    return host;
  }

  name(name: string, answer: readonly string[] | "NAME_NOT_FOUND" | "NAME_LOOKUP_FAILED"): void {
    checkOptions({ op: "name" }, { name, answer }, ANSWER_RULES);
    this.#names.set(name, answer);
  }

  link(conditions: LinkConditions): void;
  link(a: HostLike, b: HostLike, conditions: LinkConditions): void;
  link(first: LinkConditions | HostLike, b?: HostLike, conditions?: LinkConditions): void {
    const { fabric } = this.#owner;
    if (b === undefined || conditions === undefined) {
      fabric.defaults = linkTable(first as LinkConditions, fabric.defaults);
      return;
    }
    this.linkOneWay(first as HostLike, b, conditions);
    this.linkOneWay(b, first as HostLike, conditions);
  }

  linkOneWay(from: HostLike, to: HostLike, conditions: LinkConditions): void {
    const link = this.#owner.fabric.link(this.#host(from).name, this.#host(to).name);
    this.#disturbances.set(link, conditions);
  }

  partition(a: HostLike, b: HostLike): FaultGuard {
    return this.#cut(bothWays(a, b));
  }

  partitionOneWay(from: HostLike, to: HostLike): FaultGuard {
    return this.#cut([[from, to]]);
  }

  partitionGroups(...groups: readonly (readonly HostLike[])[]): FaultGuard {
    checkOptions({ op: "partitionGroups" }, { groups }, GROUPS_RULES);
    const members = groups.map((group) => new Set(group.map((entry) => this.#host(entry))));
    const together = (a: Host, b: Host): boolean => members.some((group) => group.has(a) && group.has(b));
    const all = [...new Set(members.flatMap((group) => [...group]))];
    return this.#cut(all.flatMap((a) => all.filter((b) => a !== b && !together(a, b)).map((b): Pair => [a, b])));
  }

  isolate(host: HostLike): FaultGuard {
    const own = this.#host(host);
    const others = this.hosts.filter((other) => other !== own);
    return this.#cut(others.flatMap((other) => bothWays(own, other)));
  }

  ring(...hosts: readonly HostLike[]): FaultGuard {
    const all = hosts.map((entry) => this.#host(entry));
    const apart = (distance: number): boolean => distance > 1 && distance < all.length - 1;
    return this.#cut(all.flatMap((a, i) => all.filter((_, j) => apart(Math.abs(i - j))).map((b): Pair => [a, b])));
  }

  inflict(fault: Fault): FaultGuard {
    const { fabric, trace, scheduler } = this.#owner;
    const note = (event: string): void => trace.record(scheduler.nowUs, "world", faultText(fault), event);
    note("fault begins");
    return inflict(fault, this, fabric, this.#disturbances, () => note("fault ends"));
  }

  at(momentMs: number, action: () => void): void {
    const { scheduler } = this.#owner;
    scheduler.at(microseconds(momentMs, "at"), scheduler.newFlow(), () => this.#director.run(action));
  }

  rule(rule: PacketRule): FaultGuard {
    checkOptions({ op: "rule" }, { rule }, RULE_RULES);
    return guardOf([this.#owner.fabric.rules.add(rule)]);
  }

  always(name: string, condition: boolean): void {
    this.#check("always", name, condition);
  }

  sometimes(name: string, condition: boolean): void {
    this.#check("sometimes", name, condition);
  }

  async converge(name: string, condition: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
    await this.healed;
    const lastMs = this.now + withinMs;
    while (!(await condition())) {
      if (this.now >= lastMs) throw this.stuck(name, `does not hold ${withinMs} ms after everything was healed`);
      await this.sleep(CONVERGE_STEP_MS);
    }
    this.invariants.check("sometimes", name, true, "");
  }

  /** Ends the run because something does not come about. */
  stuck(name: string, why: string): InvariantError {
    const error = new InvariantError("converge", name, `${JSON.stringify(name)} ${why}\n${describeHosts(this)}`);
    this.#owner.programFailed(error);
    return error;
  }

  #check(kind: ConditionCount["kind"], name: string, condition: boolean): void {
    const error = this.invariants.check(kind, name, condition, `seed ${this.seed}, at ${this.now} ms`);
    if (error === undefined) return;
    this.#owner.programFailed(error);
    throw error;
  }

  #cut(pairs: readonly Pair[]): FaultGuard {
    const { fabric } = this.#owner;
    return guardOf(pairs.map(([from, to]) => fabric.cut(this.#host(from).name, this.#host(to).name)));
  }

  #host(host: HostLike): Host {
    return hostOf(host, this, "world");
  }
}

function bothWays(a: HostLike, b: HostLike): readonly Pair[] {
  return [
    [a, b],
    [b, a],
  ];
}
