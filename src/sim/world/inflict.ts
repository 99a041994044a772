/** Makes a fault of the vocabulary happen in a world. */

import { UsageError } from "../../core/errors.ts";
import { EVERY_HOST, FAULT_KINDS, type Fault, linkChange } from "../../core/faults/fault.ts";
import { microseconds } from "../../core/faults/latency.ts";
import type { Fabric } from "./fabric.ts";
import type { Disturbances } from "./disturbances.ts";
import type { Host } from "./host-contract.ts";
import type { FaultGuard, World } from "./world-contract.ts";

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
    throw new UsageError("OPTION_INVALID", { op: "inflict", detail });
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
  const host = hostOf(fault.host, world);
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
  const some = (name: string): readonly Host[] => (name === EVERY_HOST ? world.hosts : [hostOf(name, world)]);
  return some(from).flatMap((a) =>
    some(to)
      .filter((b) => a !== b)
      .map((b): [Host, Host] => [a, b]),
  );
}

function hostOf(name: string, world: World): Host {
  const host = world.hosts.find((one) => one.name === name);
  if (host !== undefined) return host;
  throw new UsageError("OPTION_INVALID", { op: "inflict", detail: `there is no host ${JSON.stringify(name)}` });
}

/** Ends once, however often it is told to. */
function guardOf(ends: readonly (() => unknown)[]): FaultGuard {
  let healed = false;
  const heal = (): void => {
    if (healed) return;
    healed = true;
    for (const end of ends) end();
  };
  return { heal, [Symbol.dispose]: heal };
}
