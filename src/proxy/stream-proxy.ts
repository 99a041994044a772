/** A proxy of connections: TCP and Unix sockets; TLS passes as bytes. */

import { connect, serve } from "../api/sockets.ts";
import type { Address } from "../core/address/address.ts";
import type { Network } from "../io/network/network.ts";
import type { Server } from "../io/listener/public.ts";
import type { StreamSocket } from "../io/stream/public.ts";
import { type Detour, type DetourWay, relayBy } from "../io/stream/relay.ts";
import type { DoorParts, ProxyDoor } from "./door.ts";
import type { Direction } from "./fault.ts";
import { ConnectionFaults, type FaultBoard } from "./fault-board.ts";
import type { ProxiedConnection } from "./public.ts";
import { type Counted, FaultCounts } from "./report.ts";
import { StreamWay } from "./stream-way.ts";

/** Whether a connection is idle, or stands still, for too long is for its two ends to say. */
const PATIENT = { idleMs: Number.POSITIVE_INFINITY, writeStallMs: Number.POSITIVE_INFINITY };

/** Opens the door of a proxy of connections. */
export async function openStreamDoor(
  listen: Address,
  upstream: Address,
  { network, board, ledger }: DoorParts,
): Promise<ProxyDoor> {
  const open = new Set<StreamConnection>();
  const handler = async (client: StreamSocket): Promise<void> => {
    const connection = new StreamConnection(client, board, network.clock.now());
    open.add(connection);
    ledger.begin(connection);
    try {
      await connection.run(upstream, network);
    } finally {
      open.delete(connection);
      ledger.end(connection);
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
  readonly number: number;
  readonly openedAtMs: number;
  readonly counts: FaultCounts = new FaultCounts();
  readonly #client: StreamSocket;
  readonly #board: FaultBoard;
  #server: StreamSocket | undefined;

  constructor(client: StreamSocket, board: FaultBoard, openedAtMs: number) {
    this.number = board.nextConnection();
    this.openedAtMs = openedAtMs;
    this.#client = client;
    this.#board = board;
  }

  get proxy(): string {
    return this.#board.name;
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
      return;
    }
    this.#server = server;
    const faults = new ConnectionFaults(this.#board, this.number, this.openedAtMs);
    const detour =
      (direction: Direction) =>
      (way: DetourWay): Detour =>
        new StreamWay(way, faults, direction, network.clock, this.counts);
    await relayBy(client, server, {}, [detour("toServer"), detour("toClient")]);
  }
}
