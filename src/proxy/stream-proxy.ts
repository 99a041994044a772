/** A proxy of connections: TCP and Unix sockets; TLS passes as bytes. */

import { connect, serve } from "../api/sockets.ts";
import type { Address } from "../core/address/address.ts";
import type { Clock, Network } from "../io/network/network.ts";
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
import type { ProxyWatch } from "./watch.ts";

/** Whether a connection is idle, or stands still, for too long is for its two ends to say. */
const PATIENT = { idleMs: Number.POSITIVE_INFINITY, writeStallMs: Number.POSITIVE_INFINITY };

/** Opens the door of a proxy of connections. */
export async function openStreamDoor(
  listen: Address,
  upstream: Address,
  { network, board, ledger, watch }: DoorParts,
): Promise<ProxyDoor> {
  const open = new Set<StreamConnection>();
  const handler = async (client: StreamSocket): Promise<void> => {
    const connection = new StreamConnection(client, board, network.clock, watch);
    open.add(connection);
    ledger.begin(connection);
    connection.log.opened(connection.client, upstream);
    try {
      await connection.run(upstream, network);
    } finally {
      open.delete(connection);
      ledger.end(connection);
      connection.log.closed();
    }
  };
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
  readonly #board: FaultBoard;
  #server: StreamSocket | undefined;

  constructor(client: StreamSocket, board: FaultBoard, clock: Clock, watch: ProxyWatch) {
    this.log = new ConnectionLog(board.name, board.nextConnection(), clock, watch);
    this.#client = client;
    this.#board = board;
  }

  get proxy(): string {
    return this.log.proxy;
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

  /** Passes everything on until both directions have ended. */
  async run(upstream: Address, network: Network): Promise<void> {
    const client = this.#client;
    let server: StreamSocket;
    try {
      server = await connect(upstream, { network, signal: client.signal, timeouts: PATIENT });
    } catch (error) {
      // The client has been accepted already: all that can be said of a server that is not there is a reset.
      client.abort(error);
      this.log.reset();
      return;
    }
    this.#server = server;
    const faults = new ConnectionFaults(this.#board, this.number);
    const detour =
      (direction: Direction) =>
      (way: DetourWay): Detour =>
        new StreamWay(way, faults, direction, this.log);
    const { error } = await relayBy(client, server, {}, [detour("toServer"), detour("toClient")]);
    if (error !== undefined) this.log.reset();
  }
}
