/** The flows of a datagram proxy by the address of their client: a bounded number, and those that are idle end. */

import type { Address } from "../core/address/address.ts";
import type { Datagram } from "../io/network/datagrams.ts";

interface Entry<Flow> {
  readonly flow: Flow;
  usedAtMs: number;
}

/** Flows in the order of their last use. Pure: the time is an argument. */
export class FlowTable<Flow> {
  readonly #flows = new Map<string, Entry<Flow>>();
  readonly #most: number;
  readonly #idleMs: number;

  /** Keeps at most `most` flows, each for `idleMs` after its last use. */
  constructor(most: number, idleMs: number) {
    this.#most = most;
    this.#idleMs = idleMs;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** All flows, the longest unused one first. */
  get flows(): readonly Flow[] {
    return Array.from(this.#flows.values(), ({ flow }) => flow);
  }

  /** The flow of a client, which is used now. */
  use(client: string, nowMs: number): Flow | undefined {
    const entry = this.#flows.get(client);
    if (entry === undefined) return undefined;
    entry.usedAtMs = nowMs;
    this.#flows.delete(client);
    this.#flows.set(client, entry);
    return entry.flow;
  }

  /** Adds a flow; answers the one that had to leave for it. */
  add(client: string, flow: Flow, nowMs: number): Flow | undefined {
    const [oldest] = this.#flows.size < this.#most ? [] : this.#flows;
    if (oldest !== undefined) this.#flows.delete(oldest[0]);
    this.#flows.set(client, { flow, usedAtMs: nowMs });
    return oldest?.[1].flow;
  }

  /** Removes the flows that are idle; answers them. */
  expire(nowMs: number): readonly Flow[] {
    const expired: Flow[] = [];
    for (const [client, { flow, usedAtMs }] of this.#flows) {
      if (nowMs - usedAtMs < this.#idleMs) break;
      this.#flows.delete(client);
      expired.push(flow);
    }
    return expired;
  }

  /** When the next flow becomes idle; undefined when there is none. */
  get nextExpiryMs(): number | undefined {
    const [oldest] = this.#flows.values();
    return oldest === undefined ? undefined : oldest.usedAtMs + this.#idleMs;
  }

  clear(): void {
    this.#flows.clear();
  }
}

/** The datagrams of a batch by the address of their sender, each sender's in their order. */
export function bySender(batch: readonly Datagram[]): ReadonlyMap<string, readonly [Datagram, ...Datagram[]]> {
  const groups = new Map<string, [Datagram, ...Datagram[]]>();
  let from: Address | undefined;
  let group: [Datagram, ...Datagram[]] | undefined;
  for (const datagram of batch) {
    // Mostly a transport has one object for the address of a sender, and several datagrams of one come in a row.
    if (datagram.from !== from) group = groups.get(datagram.from.hostPort);
    from = datagram.from;
    if (group !== undefined) group.push(datagram);
    else groups.set(from.hostPort, (group = [datagram]));
  }
  return groups;
}
