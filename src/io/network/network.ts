/**
 * The port between Zócalo and the outside world. Everything in this folder takes a {@link Network}; the kernel's sockets
 * (`src/node`) and the simulator implement it. Nothing is a module global.
 *
 * The transports here are raw and driven by callbacks: one object a connection, no Promise a chunk. The public sockets
 * ({@link "../stream/public.ts"}, {@link "../datagram/public.ts"}) stand on them and add queues, deadlines and limits.
 */

import type { Address } from "../../core/address/address.ts";
import type { ErrorDetails } from "../../core/errors.ts";
import type { DatagramTransport, TransportBindOptions } from "./datagrams.ts";
import type { TlsInfo, TlsOptions } from "./tls.ts";

/** A timer of a {@link Clock}. */
export interface Timer {
  /** Stops the timer; harmless when it has fired. */
  cancel(): void;
}

/** Time. Everything that waits goes through it, so that a simulated network can decide what time it is. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary moment, with a fraction. */
  now(): number;
  /**
   * Calls `callback` once, `delayMs` milliseconds from now. A timer that is `background` does not keep the process
   * alive.
   */
  setTimer(callback: () => void, delayMs: number, background?: boolean): Timer;
  /** Calls `callback` at the end of this turn of the event loop, after everything that arrived in it. */
  defer(callback: () => void): void;
}

/** Randomness. */
export interface Random {
  /** A number in [0, 1). Not for secrets. */
  next(): number;
  /** Unpredictable bytes. */
  bytes(count: number): Uint8Array;
}

/** What a stream transport can promise. */
export interface StreamTraits {
  /** `abort` reaches the peer as a reset; without it the peer sees an end. */
  readonly reset: boolean;
  /** One direction can end while the other goes on. */
  readonly halfClose: boolean;
}

/** Receives what happens on a stream transport. Called synchronously; must not throw. */
export interface StreamSink {
  /** Bytes arrived. The view is valid only during the call: whoever keeps bytes copies them. */
  received(view: Uint8Array): void;
  /** The peer sent FIN: no bytes will follow. */
  ended(): void;
  /** The connection is lost (reset, timed out, ...). The transport has released its socket. */
  failed(error: unknown): void;
}

/** One connection, raw. */
export interface StreamTransport {
  /** The own address, with the port that the system chose. */
  readonly localAddress: Address;
  /** The peer's address. */
  readonly remoteAddress: Address;
  /** What this connection can promise. */
  readonly traits: StreamTraits;
  /** What TLS agreed on; undefined on a plain connection. */
  readonly tls: TlsInfo | undefined;
  /** The object beneath: a `net.Socket`, a `tls.TLSSocket`, or what the network has. */
  readonly native: unknown;
  /** Begins to deliver. Before it, nothing is read. Called again with another sink, the sink is replaced. */
  start(sink: StreamSink): void;
  /** Stops delivering bytes until `resume`. */
  pause(): void;
  /** Delivers again after `pause`. */
  resume(): void;
  /** Whether the peer has reset the connection, told or not: a system may tell nothing while delivery is paused. */
  isLost?(): boolean;
  /**
   * Hands bytes to the kernel, in order, in one system call where it can. Answers true when the kernel has them already;
   * otherwise `done` is called once when it has, or with the error. The next write must wait for that.
   */
  write(chunks: readonly Uint8Array[], done: (error?: unknown) => void): boolean;
  /** Bytes of the present write that the kernel has not taken yet, for noticing progress. */
  unsentBytes(): number;
  /** Sends FIN behind everything written; `done` when the kernel has it. */
  end(done: (error?: unknown) => void): void;
  /** Resets the connection (RST where there is one) and releases the socket. */
  reset(): void;
  /** Closes and releases the socket. */
  destroy(): void;
  /** Sends small writes at once, or lets TCP gather them. */
  setNoDelay(on: boolean): void;
  /** `idleMs` is the time without traffic before the first probe; the system's default when 0. */
  setKeepAlive(on: boolean, idleMs: number): void;
  /** Whether the socket keeps the process alive. */
  setReferenced(on: boolean): void;
  /**
   * Puts TLS on this connection. `unread` are bytes that had arrived and nobody read: they belong to the handshake. The
   * transport that results takes the place of this one. Rejects with a typed error and has then released the socket.
   */
  startTls(options: TlsOptions & { readonly role: "client" | "server" }, unread: Uint8Array): Promise<StreamTransport>;
}

/** How to reach a peer. The host is an IP address (or the transport is `unix`): names were resolved before. */
export interface TransportConnectOptions {
  /** The address to bind before connecting. */
  readonly localAddress: Address | undefined;
  /** Send small writes at once. */
  readonly noDelay: boolean;
  /** Aborts the attempt: the promise rejects with the signal's reason and the socket is released. */
  readonly signal: AbortSignal | undefined;
}

/** Receives what happens on a raw listener. */
export interface ListenerSink {
  /** A connection came in; it delivers nothing before its `start`. */
  accepted(transport: StreamTransport): void;
  /** One connection could not be accepted (say, no file descriptors left). The listener goes on. */
  failed(error: unknown): void;
}

/** An open listener, raw. */
export interface ListenerTransport {
  /** The own address, with the port that the system chose. */
  readonly localAddress: Address;
  /** Whether others may accept at the same address: when this one closes, clients come to them. Default false. */
  readonly isShared?: boolean;
  /** The object beneath. */
  readonly native: unknown;
  /** Begins to hand over connections; those that came before are handed over now. */
  start(sink: ListenerSink): void;
  /** Stops accepting and releases the listener; accepted connections live on. */
  close(): Promise<void>;
  /** Whether the listener keeps the process alive. */
  setReferenced(on: boolean): void;
}

/** How to open a listener. */
export interface TransportListenOptions {
  /** Longest queue of connections that the kernel completes before they are accepted. */
  readonly backlog: number;
  /** SO_REUSEPORT: the kernel spreads connections over several listeners. */
  readonly reusePort: boolean;
  /** On `[::]`, no IPv4. */
  readonly ipv6Only: boolean;
  /** Accepted connections send small writes at once. */
  readonly noDelay: boolean;
  /** Permission bits of a Unix socket's file; undefined leaves the process's umask to decide. */
  readonly mode: number | undefined;
  /** Take over an open file descriptor instead of binding an address. */
  readonly fd: number | undefined;
}

/** The socket calls of a network. */
export interface Sockets {
  /** All addresses of one family that a host name has, as IP texts; rejects `NAME_NOT_FOUND`, `NAME_LOOKUP_FAILED`. */
  resolve(host: string, family: 4 | 6): Promise<readonly string[]>;
  /**
   * Throws a `UsageError` of the call in `context` when a certificate, a key, a list or the ciphers of these settings cannot be
   * used (`CERTIFICATE_INVALID`, `OPTION_INVALID`). `path` stands before the names of the options, as in `tls.ca`.
   */
  checkTls(options: TlsOptions, context: Pick<ErrorDetails, "op" | "local" | "remote">, path: string): void;
  /** Connects to a `tcp` or `unix` address. */
  connect(target: Address, options: TransportConnectOptions): Promise<StreamTransport>;
  /** Opens a `tcp` or `unix` listener. */
  listen(local: Address, options: TransportListenOptions): Promise<ListenerTransport>;
  /**
   * Opens a `udp` datagram socket. A `local` that is a multicast group receives what is sent to that group and port; a system
   * that cannot bind a group binds the wildcard instead. On a socket for both families (`[::]` without `ipv6Only`) IPv4
   * peers are `Address`es of family 4, in both directions.
   */
  bind(local: Address, options: TransportBindOptions): Promise<DatagramTransport>;
}

/**
 * The outside world of a program: sockets, a clock and randomness. The kernel's is the default of every call; pass
 * another as `network` to run the same program elsewhere.
 */
export interface Network {
  /** Opening and connecting. */
  readonly sockets: Sockets;
  /** What time it is, and timers. */
  readonly clock: Clock;
  /** For back-off, jitter and identifiers. */
  readonly random: Random;
}
