/** A proxy of datagrams. Each client, by its address, is a flow with a socket of its own, so that answers find their way back. */

import type { Address, AddressLike } from "../core/address/address.ts";
import { openDatagramSocket } from "../io/datagram/bind.ts";
import type { DatagramSocket } from "../io/datagram/public.ts";
import type { Datagram } from "../io/network/datagrams.ts";
import type { Network, Timer } from "../io/network/network.ts";
import { bySender, FlowTable } from "./flow-table.ts";
import type { ProxiedConnection } from "./public.ts";
import { ConnectionLog } from "./connection-log.ts";
import type { DoorParts, ProxyDoor } from "./door.ts";
import { DatagramWay } from "./datagram-way.ts";
import { ConnectionFaults, type FaultBoard } from "./fault-board.ts";
import type { Counted, FaultCounts, ReportLedger } from "./report.ts";

/** More clients than this at a time are no test; each has a socket, of which a process may often have 1024 only. */
const MOST_FLOWS = 1000;
/** As long as the shortest lives of flows in NATs are recommended to be, twice (RFC 4787 section 4.3 asks for 2 minutes at least). */
const FLOW_IDLE_MS = 60_000;

/** Opens the door of a proxy of datagrams. */
export async function openDatagramDoor(listen: Address, upstream: Address, parts: DoorParts): Promise<ProxyDoor> {
  return new DatagramDoor(await bind(parts.network, listen), upstream, parts);
}

/** A burst waits in the buffer of the kernel, as with servers, and in the queue of the socket. A kernel may give less. */
async function bind(network: Network, local: AddressLike, remote?: Address): Promise<DatagramSocket> {
  return await openDatagramSocket(network, local, { remote, limits: ROOM }, WANTED_RECEIVE_BUFFER_BYTES);
}

const WANTED_RECEIVE_BUFFER_BYTES = 4_194_304;
const ROOM = { maxReceiveQueueDatagrams: 65_536, maxReceiveQueueBytes: 16_777_216 };

class DatagramDoor implements ProxyDoor {
  readonly #socket: DatagramSocket;
  readonly #upstream: Address;
  readonly #parts: DoorParts;
  readonly #network: Network;
  readonly #flows = new FlowTable<Flow>(MOST_FLOWS, FLOW_IDLE_MS);
  #timer: Timer | undefined;

  constructor(socket: DatagramSocket, upstream: Address, parts: DoorParts) {
    this.#socket = socket;
    this.#upstream = upstream;
    this.#parts = parts;
    this.#network = parts.network;
    // It ends when the system takes the socket away, too; then nothing comes any more.
    this.#run().catch(() => undefined);
  }

  get localAddress(): Address {
    return this.#socket.localAddress;
  }
  get connections(): readonly ProxiedConnection[] {
    return this.#flows.flows;
  }

  async close(): Promise<{ readonly finished: number; readonly cut: number }> {
    const finished = this.#flows.size;
    this.#timer?.cancel();
    const flows = this.#flows.flows;
    this.#flows.clear();
    await Promise.allSettled([this.#socket.close(), ...flows.map((flow) => flow.close())]);
    return { finished, cut: 0 };
  }

  abort(): Promise<unknown> {
    return this.close();
  }

  async #run(): Promise<void> {
    for await (const batch of this.#socket.batches()) {
      const passing: Promise<unknown>[] = [];
      for (const [key, datagrams] of bySender(batch)) {
        const flow = this.#flows.use(key, this.#network.clock.now());
        // New flows of a batch open at the same time.
        passing.push(flow === undefined ? this.#passFirst(key, datagrams) : flow.toServer(datagrams));
      }
      // What the system does not take is lost, as anywhere on a network.
      await Promise.allSettled(passing);
    }
  }

  async #passFirst(key: string, datagrams: readonly [Datagram, ...Datagram[]]): Promise<void> {
    const flow = await this.#open(key, datagrams[0].from);
    await flow?.toServer(datagrams);
  }

  /** A flow for a client; undefined when the system has no more sockets, or this door is closed. */
  async #open(key: string, client: Address): Promise<Flow | undefined> {
    const { network, clock, board, watch } = this.#parts;
    // Numbers are given in the order of arrival, whichever socket is there first.
    const log = new ConnectionLog(board.name, board.nextConnection(), clock, watch);
    let socket: DatagramSocket;
    try {
      socket = await bind(network, localFor(this.#upstream), this.#upstream);
    } catch {
      return undefined;
    }
    if (this.#socket.signal.aborted) {
      await socket.close();
      return undefined;
    }
    const flow = new Flow(client, this.#upstream, log, socket, this.#socket, this.#parts);
    void this.#flows.add(key, flow, network.clock.now())?.close();
    this.#timer ??= this.#expireLater();
    return flow;
  }

  #expireLater(): Timer | undefined {
    const atMs = this.#flows.nextExpiryMs;
    if (atMs === undefined) return undefined;
    const { clock } = this.#network;
    return clock.setTimer(() => this.#expire(), Math.max(1, atMs - clock.now()), true);
  }

  #expire(): void {
    for (const flow of this.#flows.expire(this.#network.clock.now())) void flow.close();
    this.#timer = this.#expireLater();
  }
}

/** Where a socket to the server is bound: a host name may turn out to be of either family. */
function localFor(upstream: Address): string {
  const isIpv6 = upstream.family === 6;
  if (upstream.isLoopback) return isIpv6 ? "udp://[::1]:0" : "udp://127.0.0.1:0";
  return isIpv6 ? "udp://[::]:0" : "udp://0.0.0.0:0";
}

/** What one client and the server send to each other. */
class Flow implements ProxiedConnection, Counted {
  readonly client: Address;
  readonly board: FaultBoard;
  readonly #log: ConnectionLog;
  bytesFromClient = 0;
  bytesFromServer = 0;
  readonly #socket: DatagramSocket;
  readonly #ledger: ReportLedger;
  readonly #toServer: DatagramWay;
  readonly #toClient: DatagramWay;

  constructor(
    client: Address,
    upstream: Address,
    log: ConnectionLog,
    socket: DatagramSocket,
    door: DatagramSocket,
    parts: DoorParts,
  ) {
    const { board, ledger } = parts;
    this.client = client;
    this.board = board;
    this.#log = log;
    this.#socket = socket;
    this.#ledger = ledger;
    const faults = new ConnectionFaults(board, this.number);
    this.#toServer = new DatagramWay(socket, undefined, faults, "toServer", this.#log);
    this.#toClient = new DatagramWay(door, client, faults, "toClient", this.#log);
    ledger.begin(this);
    this.#log.opened(client, upstream);
    void this.#answers();
  }

  get number(): number {
    return this.#log.number;
  }
  get openedAtMs(): number {
    return this.#log.openedAtMs;
  }
  get counts(): FaultCounts {
    return this.#log.counts;
  }
  get bytesToServer(): number {
    return this.#toServer.passedBytes;
  }
  get bytesToClient(): number {
    return this.#toClient.passedBytes;
  }

  /** Settles when the system has decided on them. */
  toServer(datagrams: readonly Datagram[]): Promise<unknown> {
    for (const { data } of datagrams) this.bytesFromClient += data.length;
    return this.#toServer.take(datagrams);
  }

  async close(): Promise<void> {
    this.#toServer.stop();
    this.#toClient.stop();
    this.#ledger.end(this);
    this.#log.closed();
    await this.#socket.close().catch(() => undefined);
  }

  async #answers(): Promise<void> {
    for (;;) {
      try {
        for await (const batch of this.#socket.batches()) {
          for (const { data } of batch) this.bytesFromServer += data.length;
          await this.#toClient.take(batch);
        }
        return;
      } catch {
        // Nobody listens at the server's port, or the door does not send: what is lost is lost, and the next one may not be.
        if (this.#socket.signal.aborted) return;
      }
    }
  }
}
