/** The connections that the page lists: those that are open, and the last ones that are over. */

import type { Address } from "../../core/address/address.ts";
import type { FaultProxies, ProxiedConnection } from "../public.ts";
import { type ChunkEvent, type DatagramEvent, keyOf, type OpenEvent, type ProxyEvent } from "../watch.ts";
import { MORE, MOST_HELLO_BYTES, serverNameIn } from "./client-hello.ts";
import type { ConnectionRow } from "./wire.ts";

/** The most rows of those that are open, and of those that are over. */
const MOST_OPEN = 100;
const MOST_OVER = 20;
/** The most connections of which more is known than their proxy knows. */
const MOST_KNOWN = 4096;

/** One that is open. */
interface Open {
  readonly proxy: string;
  readonly connection: ProxiedConnection;
  readonly openedAtMs: number;
}

/** What was seen of a connection. */
interface Seen {
  readonly proxy: string;
  readonly number: number;
  readonly client: Address;
  readonly openedAtMs: number;
  bytesToServer: number;
  bytesToClient: number;
  ends: number;
  wasReset: boolean;
  serverName: string | undefined;
  /** The first bytes of the client, while they may be those of a TLS client. */
  hello: Uint8Array | undefined;
}

/** Follows the connections while somebody looks. */
export class ConnectionBook {
  readonly #running: FaultProxies;
  readonly #seen = new Map<string, Seen>();
  #over: ConnectionRow[] = [];

  constructor(running: FaultProxies) {
    this.#running = running;
  }

  add(event: ProxyEvent): void {
    if (event.type === "fault") return;
    const key = keyOf(event);
    if (event.type === "open") {
      if (this.#seen.size < MOST_KNOWN) this.#seen.set(key, seenOf(event));
      return;
    }
    const seen = this.#seen.get(key);
    if (seen === undefined) return;
    if (event.type === "chunk" || event.type === "datagram") bytesCame(seen, event);
    else if (event.type === "end") seen.ends += 1;
    else if (event.type === "reset") seen.wasReset = true;
    else if (event.type === "close") this.#closed(key, seen, event.atMs);
  }

  /** The newest ones that are open, then the last ones that are over; and how many more are open. */
  rows(): { readonly connections: readonly ConnectionRow[]; readonly more: number } {
    const { newest, count } = this.#open();
    const rows = newest.map((open) => this.#rowOf(open));
    const isOpen = new Set(rows.map(keyOf));
    const over = this.#over.filter((row) => !isOpen.has(keyOf(row)));
    return { connections: [...rows, ...over], more: count - newest.length };
  }

  /** The newest connections of all proxies, the last one first: in one look at each, whatever their order. */
  #open(): { readonly newest: readonly Open[]; readonly count: number } {
    const newest: Open[] = [];
    let count = 0;
    for (const { name: proxy, connections } of this.#running.proxies.values()) {
      count += connections.length;
      // Those of a proxy mostly stand in the order of their times: then all behind the newest ones end at once here.
      for (const connection of connections.toReversed()) {
        const { openedAtMs } = connection;
        const last = newest[MOST_OPEN - 1];
        if (last !== undefined && openedAtMs <= last.openedAtMs) continue;
        const at = newest.findIndex((one) => one.openedAtMs < openedAtMs);
        newest.splice(at < 0 ? newest.length : at, 0, { proxy, connection, openedAtMs });
        if (newest.length > MOST_OPEN) newest.pop();
      }
    }
    return { newest, count };
  }

  #rowOf({ proxy, connection, openedAtMs }: Open): ConnectionRow {
    const { number, client, bytesToServer, bytesToClient } = connection;
    const { ends = 0, serverName } = this.#seen.get(keyOf({ proxy, number })) ?? {};
    const state = ends > 0 ? "half" : "open";
    return { proxy, number, client: String(client), openedAtMs, bytesToServer, bytesToClient, state, serverName };
  }

  clear(): void {
    this.#seen.clear();
    this.#over = [];
  }

  #closed(key: string, seen: Seen, closedAtMs: number): void {
    this.#seen.delete(key);
    const { proxy, number, client, openedAtMs, bytesToServer, bytesToClient, wasReset, serverName } = seen;
    const state = wasReset ? "reset" : "closed";
    const row = { proxy, number, client: String(client), openedAtMs, closedAtMs, state, serverName } as const;
    this.#over = [{ ...row, bytesToServer, bytesToClient }, ...this.#over].slice(0, MOST_OVER);
  }
}

function seenOf({ proxy, number, atMs, client }: OpenEvent): Seen {
  return {
    proxy,
    number,
    client,
    openedAtMs: atMs,
    bytesToServer: 0,
    bytesToClient: 0,
    ends: 0,
    wasReset: false,
    serverName: undefined,
    hello: new Uint8Array(0),
  };
}

/** Counts what is passed on, and looks for the name of the server in what comes first. */
function bytesCame(seen: Seen, event: ChunkEvent | DatagramEvent): void {
  const passed =
    event.type === "datagram" ? event.bytes.length * event.leavesAtMs.length : (event.pieces.at(-1)?.end ?? 0);
  if (event.direction === "toClient") seen.bytesToClient += passed;
  else seen.bytesToServer += passed;
  if (event.type !== "chunk" || event.direction !== "toServer" || seen.hello === undefined) return;
  const first = Buffer.concat([seen.hello, event.bytes.subarray(0, MOST_HELLO_BYTES)]);
  const name = serverNameIn(first);
  seen.hello = name === MORE && first.length <= MOST_HELLO_BYTES ? first : undefined;
  if (name !== MORE) seen.serverName = name;
}
