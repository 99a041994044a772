/** A proxy of connections: TCP and Unix sockets; TLS passes as bytes. */

import { connect, serve } from "../api/sockets.ts";
import type { Address } from "../core/address/address.ts";
import type { Server } from "../io/listener/public.ts";
import type { StreamSocket } from "../io/stream/public.ts";
import { type Detour, type DetourWay, relayBy } from "../io/stream/relay.ts";
import { ConnectionLog } from "./connection-log.ts";
import type { DoorParts, ProxyDoor } from "./door.ts";
import type { Direction } from "./fault.ts";
import { ConnectionFaults, type FaultBoard } from "./fault-board.ts";
import type { ProxiedConnection } from "./public.ts";
import type { Counted, FaultCounts } from "./report.ts";
import { StreamWay } from "./stream-way.ts";

/** Whether a connection is idle, or stands still, for too long is for its two ends to say. */
const PATIENT = { idleMs: Number.POSITIVE_INFINITY, writeStallMs: Number.POSITIVE_INFINITY };

/** Opens the door of a proxy of connections. */
export async function openStreamDoor(listen: Address, upstream: Address, parts: DoorParts): Promise<ProxyDoor> {
  const { network } = parts;
  const open = new Set<StreamConnection>();
  const handler = (client: StreamSocket): Promise<void> => new StreamConnection(client, parts).run(upstream, open);
  const server: Server = await serve(listen, handler, { network, timeouts: PATIENT });
  return {
    localAddress: server.localAddress,
    get connections() {
      return [...open];
    },
    close: (options) => server.close(options),
    abort: (reason) => {
      server.abort(reason);
      return server.closed;
    },
  };
}

class StreamConnection implements ProxiedConnection, Counted {
  readonly log: ConnectionLog;
  readonly #client: StreamSocket;
  readonly #parts: DoorParts;
  #server: StreamSocket | undefined;

  constructor(client: StreamSocket, parts: DoorParts) {
    const { board, clock, watch } = parts;
    this.log = new ConnectionLog(board.name, board.nextConnection(), clock, watch);
    this.#client = client;
    this.#parts = parts;
  }

  get board(): FaultBoard {
    return this.#parts.board;
  }
  get number(): number {
    return this.log.number;
  }
  get openedAtMs(): number {
    return this.log.openedAtMs;
  }
  get counts(): FaultCounts {
    return this.log.counts;
  }
  get client(): Address {
    return this.#client.remoteAddress;
  }
  get bytesToServer(): number {
    return this.#server?.bytesSent ?? 0;
  }
  get bytesToClient(): number {
    return this.#client.bytesSent;
  }
  get bytesFromClient(): number {
    return this.#client.bytesReceived;
  }
  get bytesFromServer(): number {
    return this.#server?.bytesReceived ?? 0;
  }

  /** Passes everything on until both directions have ended; is in `open` meanwhile. */
  async run(upstream: Address, open: Set<StreamConnection>): Promise<void> {
    const { board, ledger } = this.#parts;
    open.add(this);
    ledger.begin(this);
    this.log.opened(this.client, upstream);
    try {
      const server = await this.#reach(upstream);
      if (server === undefined) return;
      this.#server = server;
      const faults = new ConnectionFaults(board, this.number);
      const detour =
        (direction: Direction) =>
        (way: DetourWay): Detour =>
          new StreamWay(way, faults, direction, this.log);
      const { error } = await relayBy(this.#client, server, {}, [detour("toServer"), detour("toClient")]);
      if (error !== undefined) this.log.reset();
    } finally {
      open.delete(this);
      ledger.end(this);
      this.log.closed();
    }
  }

  /** A connection to the server; undefined where there is none, and the client is told. */
  async #reach(upstream: Address): Promise<StreamSocket | undefined> {
    const client = this.#client;
    // The client's own signal would be there as long as its connection: much memory for thousands of them.
    let connecting: AbortController | undefined = new AbortController();
    const { signal } = connecting;
    void client.closed.then(() => connecting?.abort());
    try {
      return await connect(upstream, { network: this.#parts.network, signal, timeouts: PATIENT });
    } catch (error) {
      // The client has been accepted already: all that can be said of a server that is not there is a reset.
      client.abort(error);
      this.log.reset();
      return undefined;
    } finally {
      connecting = undefined;
    }
  }
}
