/** Makes faults of the vocabulary happen in a world, and end. */

import { optionInvalid } from "../../core/options/check-options.ts";
import { type LinkConditions, type LinkTable, linkTable } from "../../core/faults/conditions.ts";
import { EVERY_HOST, FAULT_KINDS, type Fault, type FaultGuard, guardOf, linkChange } from "../../core/faults/fault.ts";
import { microseconds } from "../../core/faults/latency.ts";
import type { Link } from "../../core/faults/link.ts";
import type { Fabric } from "./fabric.ts";
import type { Host } from "./host-contract.ts";
import type { HostLike, World } from "./world-contract.ts";

/** Lets a fault begin; the guard ends it, and calls `ended`. Throws `OPTION_INVALID` for a host that is not there. */
export function inflict(
  fault: Fault,
  world: World,
  fabric: Fabric,
  disturbances: Disturbances,
  ended: () => void,
): FaultGuard {
  if (!FAULT_KINDS.includes(fault.kind)) {
    const detail = `there is no fault ${JSON.stringify(fault.kind)}; there are ${FAULT_KINDS.join(", ")}`;
    throw optionInvalid({ op: "inflict" }, detail);
  }
  const guard = begin(fault, world, fabric, disturbances);
  return guardOf([() => guard.heal(), ended]);
}

function begin(fault: Fault, world: World, fabric: Fabric, disturbances: Disturbances): FaultGuard {
  const change = linkChange(fault);
  if (change !== undefined && "from" in fault) {
    const links = waysOf(fault, world).map(([from, to]) => fabric.link(from.name, to.name));
    return guardOf(links.map((link) => disturbances.add(link, change)));
  }
  if ("from" in fault) return betweenHosts(fault, world);
  const host = hostOf(fault.host, world, "inflict");
  switch (fault.kind) {
    case "isolate":
      return world.isolate(host);
    case "pause":
      host.pause();
      // A machine that stands still has no program to go on.
      return guardOf([() => !host.silent && host.resume()]);
    case "freeze":
      host.freeze();
      return guardOf([() => host.thaw()]);
    case "crash":
      host.crash();
      // Somebody else may have started it already.
      return guardOf([() => host.silent && host.restart()]);
    case "skew":
      // `microseconds` refuses to go back: the clocks of programs are monotonic.
      microseconds(fault.skewMs, "inflict");
      host.skewMs += fault.skewMs;
      return guardOf([]);
  }
}

function betweenHosts(fault: Extract<Fault, { readonly from: string }>, world: World): FaultGuard {
  const ways = waysOf(fault, world);
  if (fault.kind === "reset") {
    const pairs = new Set(ways.flatMap(([a, b]) => [`${a.name}>${b.name}`, `${b.name}>${a.name}`]));
    return world.rule(({ from, to, kind }) => (kind === "tcp" && pairs.has(`${from}>${to}`) ? "reset" : undefined));
  }
  const cut = fault.kind === "partition" ? world.partition.bind(world) : world.partitionOneWay.bind(world);
  const guards = ways.map(([from, to]) => cut(from, to));
  return guardOf(guards.map((guard) => () => guard.heal()));
}

/** The pairs of hosts that a fault is about. */
function waysOf({ from, to }: { readonly from: string; readonly to: string }, world: World): readonly [Host, Host][] {
  const some = (name: string): readonly Host[] =>
    name === EVERY_HOST ? world.hosts : [hostOf(name, world, "inflict")];
  return some(from).flatMap((a) =>
    some(to)
      .filter((b) => a !== b)
      .map((b): [Host, Host] => [a, b]),
  );
}

/** A host of the world, by itself or by its name; `op` is the call that an error names. */
export function hostOf(host: HostLike, world: Pick<World, "hosts">, op: string): Host {
  const found = world.hosts.find((one) => one === host || one.name === host);
  if (found !== undefined) return found;
  const detail = `there is no host ${typeof host === "string" ? JSON.stringify(host) : "like that"} in this world`;
  throw optionInvalid({ op }, detail);
}

interface Disturbed {
  /** What the program has set. */
  base: LinkTable;
  readonly changes: Set<{ readonly conditions: LinkConditions }>;
}

/** The disturbed links of one world: what faults change is put over what the program has set, and taken away again. */
export class Disturbances {
  readonly #links = new Map<Link, Disturbed>();

  /** Changes the conditions that a link has without its faults. */
  set(link: Link, conditions: LinkConditions): void {
    const disturbed = this.#links.get(link);
    if (disturbed === undefined) link.conditions = linkTable(conditions, link.conditions);
    else {
      disturbed.base = linkTable(conditions, disturbed.base);
      apply(link, disturbed);
    }
  }

  /** Disturbs a link until the answer is called. Of two faults of one kind the later one counts. */
  add(link: Link, conditions: LinkConditions): () => void {
    const disturbed = this.#links.get(link) ?? { base: link.conditions, changes: new Set() };
    const change = { conditions };
    disturbed.changes.add(change);
    this.#links.set(link, disturbed);
    apply(link, disturbed);
    return () => {
      if (!disturbed.changes.delete(change)) return;
      apply(link, disturbed);
      if (disturbed.changes.size === 0) this.#links.delete(link);
    };
  }
}

function apply(link: Link, { base, changes }: Disturbed): void {
  let table = base;
  for (const { conditions } of changes) table = linkTable(conditions, table);
  link.conditions = table;
}
