/** A datagram socket with one peer, whose name is looked up again from time to time (docs/semantics.md, rule B1). */

import { Address } from "../../core/address/address.ts";
import { ZocaloError } from "../../core/errors.ts";
import type { DatagramEnd, DatagramSocket } from "./public.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import { EndAnnouncement } from "../operation/end-announcement.ts";
import type { Network } from "../network/network.ts";
import type { Datagram } from "../network/datagrams.ts";

/** What is set about the name of a peer. */
interface PeerName {
  /** The name; undefined for an IP address, and where the datagram socket cannot move. */
  readonly host: string | undefined;
  readonly maxAgeMs: number;
  /** Opens another datagram socket for the address that the name has now. */
  readonly open: () => Promise<DatagramSocket>;
}

/**
 * One datagram socket after the other, each connected to the peer. The present one is left only when the name has other addresses
 * and the datagram socket for one of them is open, so a name service that fails changes nothing.
 */
export class ConnectedDatagramSocket {
  readonly #network: Network;
  readonly #name: PeerName;
  readonly #announcement = new EndAnnouncement<DatagramEnd>();
  #socket: DatagramSocket;
  #lookedUpAt: number;
  #lookingUp = false;
  #referenced = true;
  #closing = false;

  constructor(network: Network, socket: DatagramSocket, name: PeerName) {
    this.#network = network;
    this.#name = name;
    this.#socket = socket;
    this.#lookedUpAt = network.clock.now();
    this.#watch(socket);
  }

  get localAddress(): Address {
    return this.#socket.localAddress;
  }
  get remoteAddress(): Address {
    return this.#socket.remoteAddress as Address;
  }
  get closed(): Promise<DatagramEnd> {
    return this.#announcement.closed;
  }
  get signal(): AbortSignal {
    return this.#announcement.signal;
  }

  /** Sends to the peer. The look-up of a name that is due does not hold it up. */
  async send(data: Uint8Array, options?: OperationOptions): Promise<void> {
    const { host, maxAgeMs } = this.#name;
    const ageMs = this.#network.clock.now() - this.#lookedUpAt;
    if (host !== undefined && ageMs >= maxAgeMs && !this.#lookingUp) void this.#lookUp(host);
    const socket = this.#socket;
    try {
      await socket.send(data, undefined, options);
    } catch (error) {
      const moved = socket !== this.#socket && error instanceof ZocaloError && error.outcome === "none";
      if (!moved) throw error;
      await this.#socket.send(data, undefined, options);
    }
  }

  /** What the peer has sent; waits for at least one. */
  async receiveMany(maxDatagrams: number): Promise<readonly Datagram[]> {
    for (;;) {
      const socket = this.#socket;
      try {
        return await socket.receiveMany(maxDatagrams);
      } catch (error) {
        if (socket === this.#socket) throw error;
      }
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#socket.close();
  }

  abort(reason: unknown): void {
    this.#closing = true;
    this.#socket.abort(reason);
  }

  refer(referenced: boolean): void {
    this.#referenced = referenced;
    if (referenced) this.#socket.interop.ref();
    else this.#socket.interop.unref();
  }

  #watch(socket: DatagramSocket): void {
    void socket.closed.then((end) => {
      if (socket === this.#socket) this.#announcement.tell(end, socket.signal.reason);
    });
  }

  async #lookUp(host: string): Promise<void> {
    this.#lookingUp = true;
    const { sockets, clock } = this.#network;
    const before = this.#socket;
    const { family, port } = this.remoteAddress;
    try {
      const known = await sockets.resolve(host, family as 4 | 6).catch(() => []);
      if (!known.some((ip) => Address.fromIp("udp", ip, port).equals(this.remoteAddress))) {
        this.#move(before, await this.#name.open());
      }
    } catch {
      // The peer may still be where it was.
    }
    this.#lookedUpAt = clock.now();
    this.#lookingUp = false;
  }

  #move(before: DatagramSocket, next: DatagramSocket): void {
    if (this.#closing || before.signal.aborted) {
      void next.close();
      return;
    }
    if (!this.#referenced) next.interop.unref();
    this.#socket = next;
    this.#watch(next);
    void before.close();
  }
}
