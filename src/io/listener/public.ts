/** The public types of listeners, where connections come in, and of servers. */

import type { Address } from "../../core/address/address.ts";
import type { MessageBroadcastOptions, StreamBroadcastOptions, StreamBroadcastReport } from "../stream/broadcast.ts";
import type { StreamLimits, StreamTimeouts, TcpOptions } from "../stream/settings.ts";
import type { OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import type { NativeInterop } from "../operation/own-clock.ts";
import type { OnError } from "../operation/peer-problems.ts";
import type { CloseReport, CloseServerOptions, ServerEnd } from "../operation/graceful-close.ts";
import type { StreamSocket, WriteInput } from "../stream/public.ts";
import type { TlsOptions } from "../network/tls.ts";

/** Trust in proxies that announce the true peer with the PROXY protocol (versions 1 and 2); see `StreamSocket.proxy`. */
export interface ProxyProtocolOptions {
  /**
   * The proxies, as addresses and CIDR networks. From them a header is required; from anybody else none is ever parsed,
   * because whoever may write one may claim to be anyone. With a `unix:` address it is `["unix"]`: there peers have no
   * addresses, and whoever may use the socket's file is trusted, so say with `mode` and the folder who that is.
   */
  readonly from: readonly string[];
}

/** Limits of a listener and of each of its connections. All are on by default; `Infinity` turns one off. */
export interface ListenerLimits extends StreamLimits {
  /** Connections that the kernel completes before this program takes them. Default 511; the kernel caps it (somaxconn). */
  readonly maxBacklog?: number | undefined;
  /**
   * Connections that wait for `accept`. Default 128. One more is accepted, reset and counted: its client sees
   * `CONNECTION_RESET` instead of waiting for an answer that does not come.
   */
  readonly maxWaitingConnections?: number | undefined;
  /**
   * Open connections, those in a handshake included. Default 10000. One more resets the oldest that is in a handshake, or is
   * reset itself where there is none, and is counted.
   */
  readonly maxConnections?: number | undefined;
  /**
   * Open connections of one IPv4 address or one IPv6 /64. Default: no limit, because many users may share one address
   * behind a NAT or an unannounced proxy.
   */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * Connections that have not brought their PROXY header, or finished their TLS handshake, yet. Default 1000. One more resets
   * the oldest of them and counts it, so that silent connections cannot keep out those that speak.
   */
  readonly maxHandshakes?: number | undefined;
}

/** Time-outs of a listener and of each of its connections, in milliseconds. */
export interface ListenerTimeouts extends StreamTimeouts {
  /** Longest time for the PROXY header and the TLS handshake together. Default 10000. */
  readonly handshakeMs?: number | undefined;
}

/** What only listeners on TCP and TLS have. */
export interface ListenerTcpOptions extends TcpOptions {
  /** Several processes listen on one port and the kernel spreads the connections (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean | undefined;
  /** On `[::]`, take IPv6 only. Default false: IPv4 too. An IPv4 peer has its IPv4 address. */
  readonly ipv6Only?: boolean | undefined;
}

/** Options of `listen`. `signal` and `timeoutMs` end the opening only; they never close an open listener. */
export interface ListenOptions extends OperationOptions {
  /** Bounds of the listener and of the buffers of its connections. */
  readonly limits?: ListenerLimits | undefined;
  /** What ends its handshakes and its connections. */
  readonly timeouts?: ListenerTimeouts | undefined;
  /** Only these addresses and CIDR networks may connect. Default: all. */
  readonly allow?: readonly string[] | undefined;
  /** These may not; stronger than `allow`. */
  readonly deny?: readonly string[] | undefined;
  /** Proxies whose word on the peer's address is taken. The lists and limits above then apply to the announced peer. */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
  /** What only TCP has; refused with a `unix:` address. */
  readonly tcp?: ListenerTcpOptions | undefined;
  /** TLS settings of a `tls:` address; `cert` and `key`, or `sni`, are required. */
  readonly tls?: TlsOptions | undefined;
  /**
   * Permission bits of a Unix socket's file, such as `0o600`; only with a `unix:` address that is a file. The file has them
   * before anybody can connect. Default: the process's umask decides. `UNSUPPORTED` in a worker of `node:cluster`, whose primary
   * makes the file.
   */
  readonly mode?: number | undefined;
  /** Take over a listening descriptor (socket activation) instead of binding; the address then only names it. */
  readonly fd?: number | undefined;
}

/** Why a connection was turned away: a limit, a list, a PROXY header or TLS handshake that failed or took too long, or a close. */
export type RefusalReason =
  | "max-waiting-connections"
  | "max-connections"
  | "max-connections-per-address"
  | "max-handshakes"
  | "not-allowed"
  | "denied"
  | "handshake"
  | "closing";

/** What a listener has counted. */
export interface ListenerStats {
  /** Connections handed to the program. */
  readonly accepted: number;
  /** Connections that are open now, those in a handshake included. */
  readonly open: number;
  /** Connections that are in a handshake now. */
  readonly handshakes: number;
  /** Connections that wait for `accept`. */
  readonly waiting: number;
  /** Memory that these pin, in bytes: some thousands for each, and what was read ahead. */
  readonly heldBytes: number;
  /** Connections turned away, by reason. */
  readonly refused: Readonly<Record<RefusalReason, number>>;
}

/** How a listener came to its end. */
export interface ListenerEnd {
  /** `closed`: this program closed it. Nothing else ends a listener: what the system refuses to accept does not. */
  readonly how: "closed";
}

/**
 * An open listener for connections. Iterate over it, or call `accept`.
 *
 * Closing it resets connections that wait in the accept queue or in the kernel's backlog; accepted ones live on.
 *
 * @example
 * ```ts
 * import { connect, listen } from "zocalo";
 * await using listener = await listen("tcp://127.0.0.1:0");
 * const call = await connect(listener.localAddress);
 * for await (const peer of listener) {
 *   await peer.close();
 *   break;
 * }
 * await call.close();
 * ```
 */
export interface Listener extends AsyncDisposable, AsyncIterable<StreamSocket> {
  /** The address, with the port that the system chose. */
  readonly localAddress: Address;
  /** What it has counted so far. */
  readonly stats: ListenerStats;
  /** What ties it to this process: the object beneath (`net.Server`), `ref` and `unref`. */
  readonly interop: NativeInterop;
  /** Resolves when the listener is closed and its address free. Never rejects. */
  readonly closed: Promise<ListenerEnd>;
  /** The next connection. Rejects with `CLOSED` when the listener is closed, pending calls included. */
  accept(options?: OperationOptions): Promise<StreamSocket>;
  /**
   * Connections until the listener is closed, or `until` aborts; `timeoutMs` is for each. `break`, an error, and `return()` of
   * the iterator while a step waits, leave it open.
   *
   * @example
   * ```ts
   * import { connect, listen } from "zocalo";
   * await using listener = await listen("tcp://127.0.0.1:0");
   * await using call = await connect(listener.localAddress);
   * const enough = new AbortController();
   * for await (const peer of listener.connections({ timeoutMs: 5_000, until: enough.signal })) {
   *   peer.abort();
   *   enough.abort();
   * }
   * ```
   */
  connections(options?: ReceiveOptions): AsyncIterableIterator<StreamSocket>;
  /** As `connections()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<StreamSocket>;
  /**
   * Uses other settings for connections from now on; those that are open keep theirs. Settings that do not do throw
   * `OPTION_INVALID` or `CERTIFICATE_INVALID`, and change nothing.
   */
  setTls(options: TlsOptions): void;
  /** Stops accepting. */
  close(): Promise<void>;
}

/** A connection in the hands of a server's handler. */
export interface Peer extends StreamSocket {
  /**
   * Aborts when the server begins to close: finish what you are doing and return. For a connection that was in its handshake then, it is
   * aborted from the start.
   */
  readonly draining: AbortSignal;
  /** Takes the connection out of the server's care: it stays open when the handler returns, and `close` of the server ignores it. */
  detach(): StreamSocket;
}

/** Serves one connection. When it returns, or its promise resolves, the connection is closed; when it throws, it is aborted. */
export type PeerHandler = (peer: Peer) => unknown;

/** Options of `serve`. `signal` and `timeoutMs` end the opening only. `timeouts.idleMs` is 300000 by default. */
export interface ServeOptions extends ListenOptions {
  /**
   * Told of what a handler threw and of a close that could not deliver; not of an end in order, which is the end of the peer between
   * two reads, or a close of the connection or the server. Default: on the kernel's network the
   * first failure that is no doing of the peer is a warning of the process (`ZOCALO_NO_ON_ERROR`); the channel `zocalo:error` has all. What it throws itself goes to that channel too; nothing here ever becomes an unhandled rejection.
   */
  readonly onError?: OnError<Peer> | undefined;
}

/** A running server. `await using` closes it, which takes 5 seconds at most. */
export interface Server extends AsyncDisposable {
  /** The address, with the port that the system chose. */
  readonly localAddress: Address;
  /** What it has counted so far. */
  readonly stats: ListenerStats;
  /** What ties it to this process: the object beneath (`net.Server`), `ref` and `unref`. */
  readonly interop: NativeInterop;
  /** The connections that are being served. */
  readonly peers: ReadonlySet<Peer>;
  /** Aborts as soon as `close` or `abort` is called: a readiness check answers no from then on. */
  readonly draining: AbortSignal;
  /** Resolves when the server accepts no more and its last connection is over, and says how. Never rejects. */
  readonly closed: Promise<ServerEnd>;
  /**
   * Stops accepting, tells the handlers (`peer.draining`), and waits for them; connections in their handshake are still served. When `timeoutMs` (default 5000) is over, or
   * `signal` aborts, the rest is aborted. A second call shares the first one's report; it may shorten the wait. Rejects with
   * `OPTION_INVALID` only.
   */
  close(options?: CloseServerOptions): Promise<CloseReport>;
  /** Stops accepting and aborts every connection at once; await `closed` for the end. `reason` is the `cause` of its errors. */
  abort(reason?: unknown): void;
  /**
   * Sends data to all connections, or to those that the options name. A slow one stops no other: `slow` says what becomes of it. A
   * piece is sent whole or not at all, behind what its member was sent before. Who comes later does not get it. What a member gets
   * in one turn of the event loop leaves in one system call, at the end of the turn or with the next write.
   *
   * Resolves with counts: at once, unless `slow` is `wait`. A member that is lost is no error of this call. Under `wait`,
   * `signal` and `timeoutMs` end the wait, and the call resolves all the same: from a member that has not begun to take the piece
   * it is taken back, and counts as `dropped`. Rejects with `OPTION_INVALID`, and where nothing was begun, because the signal is
   * aborted or `timeoutMs` is 0.
   *
   * @example
   * ```ts
   * import { connect, serve } from "zocalo";
   * const server = await serve("tcp://127.0.0.1:0", async (peer) => {
   *   await peer.readUntil("\n");
   *   await server.broadcast("somebody has come\n", { except: peer, slow: "disconnect" });
   *   await peer.read();
   * });
   * await using first = await connect(server.localAddress);
   * await using second = await connect(server.localAddress);
   * await second.write("hola\n");
   * console.log(String(await first.readUntil("\n")).trim()); // somebody has come
   * await server.close({ timeoutMs: 0 });
   * ```
   */
  broadcast(data: WriteInput, options?: StreamBroadcastOptions): Promise<StreamBroadcastReport>;
  /** With `codec`, sends a message, which is encoded once. Rejects with `FRAME_TOO_LONG` or `FRAME_INVALID` when it has no form. */
  broadcast<In>(message: In, options: MessageBroadcastOptions<In>): Promise<StreamBroadcastReport>;
  /**
   * Its figures as text in the OpenMetrics format 1.0, which Prometheus reads: connections, refusals and bytes. Serve it with the content type
   * `application/openmetrics-text; version=1.0.0; charset=utf-8`. The guide has the whole list. Never rejects.
   */
  metrics(): Promise<string>;
  /** Uses other settings for connections from now on; see `Listener.setTls`. */
  setTls(options: TlsOptions): void;
}
