/** Datagram sockets as a network has them: raw, driven by callbacks. */

import type { Address } from "../../core/address/address.ts";

/** One datagram that arrived. */
export interface Datagram {
  /** The whole payload; belongs to whoever received it. May be empty. */
  readonly data: Buffer;
  /** Who sent it, as the packet says (which can be forged). */
  readonly from: Address;
}

/** Receives what happens on a raw datagram socket. */
export interface DatagramSink {
  /** Datagrams arrived, in the order of arrival. The array is valid only during the call; the datagrams are owned. */
  received(batch: readonly Datagram[]): void;
  /** An error arrived for a socket that goes on (ICMP port unreachable), or the socket is lost when `fatal`. */
  failed(error: unknown, fatal: boolean): void;
}

/** One datagram to send. `to` is an IP address, or undefined on a connected socket. */
export interface OutgoingDatagram {
  /** The whole payload. */
  readonly data: Uint8Array;
  /** The receiver. */
  readonly to: Address | undefined;
}

/** A datagram of a batch that the kernel did not take, by its place in the batch. */
export interface SendFailure {
  /** Its place, from 0. */
  readonly index: number;
  /** Why. */
  readonly error: unknown;
}

/** Which group to join, and how. All are IP addresses; an interface is named by its address or its name. */
export interface GroupMembership {
  /** The address of the group. */
  readonly group: string;
  /** Default: the system chooses. */
  readonly interface?: string | undefined;
  /** Only datagrams of this sender (source-specific multicast, RFC 4607). */
  readonly source?: string | undefined;
}

/** A datagram socket, raw. Every method throws a typed error when the kernel refuses. */
export interface DatagramTransport {
  /** The own address, with the port that the system chose. */
  readonly localAddress: Address;
  /** The peer of a connected socket. */
  readonly remoteAddress: Address | undefined;
  /** The object beneath. */
  readonly native: unknown;
  /** Begins to deliver. */
  start(sink: DatagramSink): void;
  /** Whether `pause` works here; not every runtime can leave datagrams in the kernel's buffer. */
  readonly canPause: boolean;
  /** Stops delivering until `resume`; meanwhile the kernel's buffer fills and then drops. What was taken may still come. */
  pause(): void;
  /** Delivers again after `pause`. */
  resume(): void;
  /**
   * Hands datagrams to the kernel in order, as many in one system call as it can. One that the kernel refuses does not
   * hold up those behind it. `done` is called once, when all are decided (it may be before `send` returns), with those
   * that failed, in order; undefined when the kernel has taken all. Until then the bytes must not change. The next batch
   * must wait for that.
   */
  send(batch: readonly OutgoingDatagram[], done: (failures?: readonly SendFailure[]) => void): void;
  /** Joins a group; `leave` is its opposite. */
  join(membership: GroupMembership): void;
  /** Leaves a group that was joined in the same way. */
  leave(membership: GroupMembership): void;
  /** Permits sending to broadcast addresses. */
  setBroadcast(on: boolean): void;
  /** Hops that a datagram to one receiver may take, 1 to 255. */
  setTtl(hops: number): void;
  /** Hops that a datagram to a group may take, 0 to 255. */
  setMulticastTtl(hops: number): void;
  /** Whether groups on this machine hear what is sent from here. */
  setMulticastLoopback(on: boolean): void;
  /** The interface, by name or address, that datagrams to groups leave by. */
  setMulticastInterface(name: string): void;
  /** Kernel buffer sizes in bytes, as the kernel reports them. */
  bufferSizes(): { readonly receiveBytes: number; readonly sendBytes: number };
  /** Datagrams that the kernel has dropped here because its receive buffer was full; undefined where it does not tell. */
  kernelDrops(): Promise<number | undefined>;
  /** Whether the datagram socket keeps the process alive. */
  setReferenced(on: boolean): void;
  /** Releases the socket. Nothing is delivered any more. */
  close(): Promise<void>;
}

/** How to open a datagram socket. */
export interface TransportBindOptions {
  /** Connect the socket: only this peer's datagrams arrive, and its ICMP errors are seen. An IP address. */
  readonly remote: Address | undefined;
  /** SO_REUSEADDR: several datagram sockets share a multicast port. */
  readonly reuseAddress: boolean;
  /** SO_REUSEPORT: the kernel spreads datagrams over several datagram sockets. */
  readonly reusePort: boolean;
  /** On `[::]`, no IPv4. */
  readonly ipv6Only: boolean;
  /** Sizes of the kernel's buffers in bytes; undefined leaves the system's default. */
  readonly receiveBufferBytes: number | undefined;
  /** Where `receiveBufferBytes` is undefined: asked for if it is more than the default, and less is no error. */
  readonly wantedReceiveBufferBytes?: number | undefined;
  /** Size of the kernel's buffer in bytes; undefined leaves the system's default. */
  readonly sendBufferBytes: number | undefined;
  /** Aborts the opening. */
  readonly signal: AbortSignal | undefined;
}
