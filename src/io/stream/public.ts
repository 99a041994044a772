/** The public contract of a connection. TCP, TLS, Unix stream, in-memory pair and simulated sockets keep it. */

import type { Duplex } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";
import type { Address } from "../../core/address/address.ts";
import type { Codec } from "../../core/framing/codec.ts";
import type { ProxyHeader } from "../../core/proxy/header.ts";
import type { StreamTraits } from "../network/network.ts";
import type { TlsInfo } from "../network/tls.ts";
import type { OperationOptions, ReceiveOptions } from "../operation/deadline.ts";
import type { NativeInterop } from "../operation/own-clock.ts";
import type { CloseOptions, StreamEnd } from "./end.ts";
import type { FramedStreamOver } from "./framed-public.ts";
import type { StartTlsOptions } from "./tls-settings.ts";

/** Bytes to write: one piece or many. Strings are sent as UTF-8, each by itself; half of a surrogate pair has none. */
export type WriteInput = string | Uint8Array | readonly (string | Uint8Array)[];

/** Options of {@link StreamSocket.readUntil}. */
export interface ReadUntilOptions extends OperationOptions {
  /** Longest answer in bytes, delimiter included. Default 65536, so that a peer cannot fill the memory. */
  readonly maxBytes?: number | undefined;
}

/** Options of {@link StreamSocket.read}. */
export interface ReadOptions extends ReceiveOptions {
  /** Most bytes to return. Default: as many as are there in one piece. */
  readonly maxBytes?: number | undefined;
}

/** How many bytes {@link StreamSocket.peek} shows. */
export interface PeekRange {
  /** Waits until so many are there. Default 1; with 0 it shows at once what there is. */
  readonly min?: number | undefined;
  /** Shows no more than so many. Default: all that have arrived. */
  readonly max?: number | undefined;
}

/** Options of {@link StreamSocket.expect}. */
export interface ExpectOptions extends OperationOptions {
  /**
   * Most bytes to look through, the line included. Default 8192: more than any greeting, and a bound for the pattern, which may
   * take time that grows with the square of a line, or worse.
   */
  readonly maxBytes?: number | undefined;
  /**
   * Looks at the line that has not ended, too, each time when some of it comes: for a peer that asks and waits in the same line, as
   * `login: ` does. All that has come is then taken. Where a piece ends is up to the network: let the pattern end with `$`. Default false.
   */
  readonly prompt?: boolean | undefined;
}

/** What {@link StreamSocket.expect} has read. */
export interface Expected {
  /** The line that matched, without its end. */
  readonly line: string;
  /** How the pattern matched it, with its groups. */
  readonly match: RegExpExecArray;
  /** The lines before it, without their ends. */
  readonly before: readonly string[];
}

/** What only TCP has: `socket.tcp`. Its functions may be taken off. */
export interface TcpSettings {
  /** Sends small writes at once (true, the default here) or lets TCP gather them (Nagle, RFC 9293 section 3.7.4). */
  setNoDelay(this: void, on: boolean): void;
  /**
   * Probes an idle peer (RFC 9293 section 3.8.4); `idleMs` before the first probe, rounded up to whole seconds, at most
   * 32767000; the system's default when it is 0 or left out. Throws `OPTION_INVALID`.
   */
  setKeepAlive(this: void, on: boolean, idleMs?: number): void;
}

/** What ties a connection to its process and to other libraries: `socket.interop`. */
export interface StreamInterop extends NativeInterop {
  /** The receiving side as a Web Stream. Cancelling it aborts the connection. */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * The sending side as a Web Stream: closing it ends, aborting it aborts the connection. It fails as soon as the
   * connection is lost or closed.
   */
  readonly writable: WritableStream<WriteInput>;
  /** The connection as a Node stream, for libraries that want one. */
  toNodeStream(this: void): Duplex;
}

/**
 * A connection: a virtual path on which bytes are not lost, doubled or reordered until it ends (RFC 9293). It keeps no
 * message boundaries: what one `write` sent may arrive in many reads, or with the next one in a single read.
 *
 * Every operation takes `{ signal, timeoutMs }`. A time-out rejects with `TIMEOUT`, an abort with the signal's reason;
 * either ends that one call and leaves the connection usable. When the connection is lost, pending calls reject with
 * `CONNECTION_RESET`, `CONNECTION_TIMED_OUT` or the limit that ran out; when this program closes it, with `CLOSED`; when
 * it aborts it, with `CONNECTION_ABORTED`.
 *
 * `await using` closes gracefully.
 *
 * @example
 * ```ts
 * import { listen, connect } from "zocalo";
 * await using listener = await listen("tcp://127.0.0.1:0");
 * await using call = await connect(listener.localAddress);
 * await using peer = await listener.accept();
 * await call.write("hola\n");
 * console.log((await peer.readUntil("\n")).toString()); // hola
 * ```
 */
export interface StreamSocket extends AsyncDisposable, AsyncIterable<Buffer> {
  /** The own address, with the port that the system chose. */
  readonly localAddress: Address;
  /** The peer's address; behind a trusted proxy, the one that the proxy reported. */
  readonly remoteAddress: Address;
  /**
   * All that a trusted proxy said of this connection, its own included (`proxyProtocol` of the listener): where the client
   * connected to, which name it asked for, its TLS and its certificate. Undefined where no trusted proxy stands in between.
   */
  readonly proxy: ProxyHeader | undefined;
  /** What this kind of stream can promise. */
  readonly traits: StreamTraits;
  /** What TLS agreed on, with the peer's certificate and ALPN; undefined on a plain connection. */
  readonly tls: TlsInfo | undefined;
  /** Bytes received so far, read or not. */
  readonly bytesReceived: number;
  /** Bytes that the kernel has taken so far. */
  readonly bytesSent: number;
  /** Resolves when the connection is over, and says how. Never rejects. */
  readonly closed: Promise<StreamEnd>;
  /** Aborts when the connection is over; its reason is a `ZocaloError`. For work that is done on behalf of the peer. */
  readonly signal: AbortSignal;
  /** What only TCP has; without effect on other kinds of connection. */
  readonly tcp: TcpSettings;
  /** What ties the connection to this process and to other libraries: bridges, the object beneath, `ref` and `unref`. */
  readonly interop: StreamInterop;

  /**
   * The next bytes, as many as are there; null when the peer has ended, or `until` aborts. The buffer belongs to the caller. Concurrent
   * reads are served first come first served; a cancelled read consumes nothing.
   *
   * A reset is never reported as an end: see `docs/guide/streams.md` for the one case that old Node versions hide.
   */
  read(options?: ReadOptions): Promise<Buffer | null>;
  /**
   * Reads into `target` and resolves with the number of bytes that were put there; null as in `read`. Saves the
   * allocation of `read`. `target` must not be touched before the promise settles; an empty `target` resolves with 0.
   */
  readInto(target: Uint8Array, options?: ReceiveOptions): Promise<number | null>;
  /**
   * Exactly `count` bytes. Rejects with `END_OF_STREAM` when the peer ends before; the error carries the partial bytes.
   * Memory follows what arrives, not `count`.
   */
  readExactly(count: number, options?: OperationOptions): Promise<Buffer>;
  /**
   * The bytes up to and including `delimiter`. Rejects with `DELIMITER_NOT_FOUND` when it does not come within
   * `maxBytes` (nothing is consumed), with `END_OF_STREAM` when the peer ends before (the error carries the rest).
   */
  readUntil(delimiter: string | Uint8Array, options?: ReadUntilOptions): Promise<Buffer>;
  /**
   * Shows the next bytes without taking them: exactly `bytes` of them, or from `min` to `max`. When the peer has ended it shows
   * what there is, which may be fewer, or none. The copy belongs to the caller. It waits in line with the reads; like `readExactly` it
   * may ask for more than `limits.maxReadAheadBytes`, and memory follows what arrives. Rejects with `OPTION_INVALID`, with
   * `READER_TAKEN` under `framed`, and as the reads do when the connection is lost.
   *
   * @example
   * ```ts
   * import { pair } from "zocalo";
   * const [left, right] = pair();
   * await left.write("GET / HTTP/1.1\r\n");
   * console.log(String(await right.peek(3))); // GET
   * console.log(String(await right.readUntil("\r\n")).trim()); // GET / HTTP/1.1
   * await Promise.all([left.close(), right.close()]);
   * ```
   */
  peek(bytes: number | PeekRange, options?: OperationOptions): Promise<Buffer>;
  /**
   * Puts bytes in front of those that have not been read, for whoever reads next: a read, `framed`, `startTls`, a bridge. They are
   * copied. They may be others than were read, but all together no more than were: so nothing grows beyond what arrived. Throws
   * `OPTION_INVALID`, and `READER_TAKEN` under `framed` or while a read waits. After `close` and `abort` it does nothing.
   *
   * @example
   * ```ts
   * import { pair } from "zocalo";
   * const [left, right] = pair();
   * await left.write("one two\n");
   * right.unread(await right.readExactly(3));
   * console.log(String(await right.readUntil("\n")).trim()); // one two
   * await Promise.all([left.close(), right.close()]);
   * ```
   */
  unread(bytes: Uint8Array): void;
  /**
   * Reads lines until `pattern` matches one, as a dialogue in text needs it (SMTP, FTP, a modem): that line, and those before it. A
   * line ends with LF or CR LF, or where the peer ends. The pattern sees one line at a time, without its end, decoded as UTF-8.
   *
   * Rejects with `TIMEOUT`, with `DELIMITER_NOT_FOUND` when the line does not come within `maxBytes`, with `END_OF_STREAM` when the peer
   * ends before (the error carries the rest). Each says what came instead. The first two consume nothing, so that another call can
   * look at it. An answer that says no is a line, too: let the pattern match it, and look at `match`.
   *
   * @example
   * ```ts
   * import { pair } from "zocalo";
   * const [here, server] = pair();
   * await server.write("250-mail.example\r\n250 STARTTLS\r\n");
   * const { before, match } = await here.expect(/^(\d{3}) (.*)/, { timeoutMs: 5_000 });
   * console.log(before, match[1], match[2]); // [ '250-mail.example' ] 250 STARTTLS
   * await Promise.all([here.close(), server.close()]);
   * ```
   */
  expect(pattern: RegExp, options?: ExpectOptions): Promise<Expected>;
  /**
   * Iterates over `read(options)`: `timeoutMs` is for each step. `break`, an error and `until` neither close the connection
   * nor lose bytes. `return()` of the iterator, which `break` calls, ends a step that waits.
   *
   * @example
   * ```ts
   * import { serve } from "zocalo";
   * await using server = await serve("tcp://127.0.0.1:0", async (peer) => {
   *   for await (const bytes of peer.chunks({ timeoutMs: 30_000, until: peer.draining })) await peer.write(bytes);
   * });
   * ```
   */
  chunks(options?: ReceiveOptions): AsyncIterableIterator<Buffer>;
  /** As `chunks()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;

  /**
   * Sends bytes. Resolves when the kernel has them all: that is the backpressure, and from then on the input may be
   * reused. It does not mean that the peer has read them.
   *
   * Concurrent writes are sent in the order of the calls and never interleave. A write that is cancelled while it waits
   * in the queue is removed (`outcome: "none"`); one that has begun is completed in the background (`outcome: "all"`).
   * When the connection is lost, a write that had begun rejects with `outcome: "unknown"`.
   * Rejects with `QUEUE_FULL` when more than `limits.maxWriteQueueBytes` already wait, with `CLOSED` after `end` or `close`, and with
   * `OPTION_INVALID` for a text with half of a surrogate pair, as `"\u{1f999}".slice(0, 1)` is, which would arrive as U+FFFD.
   */
  write(data: WriteInput, options?: OperationOptions): Promise<void>;
  /** Sends FIN behind everything written: this side has no more to say and still listens (half-close). */
  end(options?: OperationOptions): Promise<void>;
  /**
   * Ends gracefully: sends what was accepted, then FIN, then discards what the peer still sends until it ends too, so that the
   * last answer is not destroyed by a reset. It goes on as long as the peer reads (`lingerMs`, `maxLingerMs`), and discards no
   * more than `lingerBytes`. Pending reads reject with `CLOSED`. Rejects when accepted bytes did not reach the kernel; the
   * connection is then reset. A second call shares the outcome of the first.
   *
   * It waits for the peer. A program that holds both ends of one connection closes them together (`Promise.all`), since
   * one after the other, as several `await using` of one scope do, the first waits its `lingerMs` out.
   */
  close(options?: CloseOptions): Promise<void>;
  /**
   * Resets the connection at once: the peer gets `CONNECTION_RESET` (on Unix sockets, which have no reset, an end).
   * Pending calls reject with `CONNECTION_ABORTED`, whose `cause` is `reason`.
   */
  abort(reason?: unknown): void;

  /**
   * Changes `timeouts.idleMs` of this connection from now on: short until the first message, longer for a peer that is known.
   * `Infinity` turns it off. Throws `OPTION_INVALID`; on a connection that is over it does nothing.
   *
   * @example
   * ```ts
   * import { serve } from "zocalo";
   * await using server = await serve(
   *   "tcp://127.0.0.1:0",
   *   async (peer) => {
   *     if (String(await peer.readUntil("\n")) !== "hello\n") return peer.abort();
   *     peer.setIdleTimeout(3_600_000);
   *     for await (const bytes of peer) await peer.write(bytes);
   *   },
   *   { timeouts: { idleMs: 5_000 } },
   * );
   * ```
   */
  setIdleTimeout(idleMs: number): void;

  /**
   * Puts TLS on this connection (STARTTLS). Bytes that had arrived and were not read, or were put back, go to the TLS engine, so that an
   * attacker cannot inject plain commands before the handshake. Reads and writes must not be pending (`OPTION_INVALID`).
   * A client looks for the host that was connected to in the certificate. A connection that was accepted, or goes to a Unix
   * socket, has none: there `servername` is required, unless `insecure`.
   * Rejects with `TLS_FAILED` or `CERTIFICATE_*`; the connection is then lost.
   */
  startTls(options: StartTlsOptions): Promise<TlsInfo>;
  /**
   * Messages instead of bytes, by a codec of `zocalo/framing`. From now on reads of bytes reject with `READER_TAKEN`, until
   * `detach()` of what is returned.
   */
  framed<In, Out = In>(codec: Codec<In, Out>): FramedStream<In, Out>;
}

/** Messages over a connection: what `socket.framed(codec)` returns. See {@link FramedStreamOver}. */
export type FramedStream<In, Out = In> = FramedStreamOver<In, Out, StreamSocket>;
