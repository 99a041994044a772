/** What is there, as rows for the page. */

import type { ProxyFault } from "../fault.ts";
import type { FaultProxies, FaultProxy } from "../public.ts";
import type { ConnectionRow, PulseMessage, StateMessage } from "./wire.ts";

/** The most connections that the page is told of. */
const MOST_CONNECTIONS = 100;

/** Makes rows. Each fault keeps its number for as long as it acts. */
export class Rows {
  readonly #running: FaultProxies;
  readonly #ids = new WeakMap<ProxyFault, number>();
  #lastId = 0;

  constructor(running: FaultProxies) {
    this.#running = running;
  }

  idOf(fault: ProxyFault): number {
    const known = this.#ids.get(fault);
    if (known !== undefined) return known;
    this.#ids.set(fault, (this.#lastId += 1));
    return this.#lastId;
  }

  state(): StateMessage {
    const proxies = Array.from(this.#running.proxies.values(), (proxy) => {
      const { name, listen, upstream, enabled, faults } = proxy;
      return {
        name,
        listen: String(listen),
        upstream: String(upstream),
        datagrams: upstream.transport === "udp",
        enabled,
        faults: faults.map((fault) => ({ id: this.idOf(fault), fault: { ...fault } })),
      };
    });
    return { type: "state", seed: this.#running.seed, proxies };
  }

  pulse(nowMs: number): PulseMessage {
    const all = [...this.#running.proxies.values()];
    const bytes = all.map(({ name, bytes: { toServer, toClient } }) => [name, [toServer, toClient] as const] as const);
    const open = all
      .flatMap((proxy) => proxy.connections.map((connection) => ({ proxy, connection })))
      .sort((one, other) => other.connection.openedAtMs - one.connection.openedAtMs);
    return {
      type: "pulse",
      nowMs,
      bytes: Object.fromEntries(bytes),
      connections: open.slice(0, MOST_CONNECTIONS).map(({ proxy, connection }) => rowOf(proxy, connection)),
      more: Math.max(0, open.length - MOST_CONNECTIONS),
    };
  }
}

function rowOf({ name }: FaultProxy, connection: FaultProxy["connections"][number]): ConnectionRow {
  const { number, client, openedAtMs, bytesToServer, bytesToClient } = connection;
  return { proxy: name, number, client: String(client), openedAtMs, bytesToServer, bytesToClient };
}
