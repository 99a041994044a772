/** A connection of the kernel as a {@link StreamTransport}: TCP or Unix, plain or with TLS. */

import type net from "node:net";
import { Socket } from "node:net";
import type { Address } from "../core/address/address.ts";
import type { StreamSink, StreamTraits, StreamTransport } from "../io/network/network.ts";
import type { TlsInfo, TlsOptions } from "../io/network/tls.ts";
import { afterHiddenReset, resetBehindFin } from "./end-or-reset.ts";
import { systemError } from "./errno.ts";
import { peerIsGone, resetSocket, unsentBytes } from "./native-handle.ts";
import { deliverBytes, own, release, type SocketOwner } from "./socket-events.ts";

const TCP_TRAITS: StreamTraits = { reset: true, halfClose: true };
const UNIX_TRAITS: StreamTraits = { reset: false, halfClose: true };

/** How a socket hands over its bytes, and what it stands on. One object serves many connections. */
export interface KernelStreamOptions {
  /** `events`: as any Node stream; `shared`: the socket was made with {@link sharedRead}. */
  readonly reads: "events" | "shared";
  /** The TCP socket beneath TLS. */
  readonly beneath?: net.Socket | undefined;
  readonly tls?: TlsInfo | undefined;
  /** Puts TLS on the socket; `plain` was its transport and has let go of it. */
  readonly startTls: (socket: net.Socket, options: StartTlsOptions, plain: KernelStream) => Promise<StreamTransport>;
}

/** What a handshake needs to know. */
export type StartTlsOptions = TlsOptions & { readonly role: "client" | "server" };

/** The present writes: how many of its parts Node has yet to report, and whom to tell. */
interface WriteInProgress {
  open: number;
  done: ((error?: unknown) => void) | undefined;
  readonly settled: (error?: Error | null) => void;
}

/** A connection of the kernel. */
export class KernelStream implements StreamTransport, SocketOwner {
  readonly native: net.Socket;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #options: KernelStreamOptions;
  #sink: StreamSink | undefined;
  #flowing = true;
  #released = false;
  #finSent = false;
  /** What the peer's side has come to: `ended` is known to be no reset, and a sink that starts later is told too. */
  #incoming: "open" | "ending" | "ended" = "open";
  #writing: WriteInProgress | undefined;

  constructor(socket: net.Socket, local: Address, remote: Address, options: KernelStreamOptions) {
    this.native = socket;
    this.localAddress = local;
    this.remoteAddress = remote;
    this.#options = options;
    own(socket, this);
  }

  get tls(): TlsInfo | undefined {
    return this.#options.tls;
  }
  get traits(): StreamTraits {
    return this.localAddress.transport === "unix" ? UNIX_TRAITS : TCP_TRAITS;
  }
  /** The socket of the kernel: beneath TLS, or the only one. */
  get #kernelSocket(): net.Socket {
    return this.#options.beneath ?? this.native;
  }

  start(sink: StreamSink): void {
    const first = this.#sink === undefined;
    this.#sink = sink;
    if (!first) return;
    if (this.#options.reads === "events") deliverBytes(this.native);
    if (this.#flowing) this.native.resume();
    if (this.native.destroyed) this.onClose();
    else if (this.#incoming === "ended") sink.ended();
  }

  pause(): void {
    this.#flowing = false;
    this.native.pause();
  }
  resume(): void {
    this.#flowing = true;
    this.native.resume();
  }

  isLost(): boolean {
    // The kernel forgets the peer, too, when both sides have ended.
    return !this.#finSent && peerIsGone(this.#kernelSocket) === true;
  }

  write(chunks: readonly Uint8Array[], done: (error?: unknown) => void): boolean {
    const socket = this.native;
    const writing = (this.#writing ??= this.#beginWriting());
    writing.open += 1;
    if (chunks.length === 1) socket.write(chunks[0] as Uint8Array, writing.settled);
    else this.#writeMany(chunks, writing.settled);
    // A write that failed at once leaves no length either, but an error.
    if (socket.writableLength === 0 && socket.errored === null && !socket.destroyed) return true;
    writing.done = done;
    return false;
  }

  unsentBytes(): number {
    return unsentBytes(this.#kernelSocket);
  }

  end(done: (error?: unknown) => void): void {
    this.#finSent = true;
    // Node passes an error when the socket was lost before the FIN.
    const settled = (error?: Error | null): void => done(error ?? undefined);
    this.native.end(settled);
  }

  reset(): void {
    const socket = this.#kernelSocket;
    this.#release();
    if (!this.traits.reset || !(socket instanceof Socket) || socket.destroyed) this.destroy();
    else if (this.#finSent && !this.native.writableFinished) resetBehindFin(this.native, socket, () => this.destroy());
    else {
      resetSocket(socket);
      this.native.destroy();
    }
  }

  destroy(): void {
    this.#release();
    this.native.destroy();
    this.#options.beneath?.destroy();
  }

  setNoDelay(on: boolean): void {
    this.#kernelSocket.setNoDelay(on);
  }
  setKeepAlive(on: boolean, idleMs: number): void {
    this.#kernelSocket.setKeepAlive(on, idleMs);
  }
  setReferenced(on: boolean): void {
    const socket = this.#kernelSocket;
    if (on) socket.ref();
    else socket.unref();
  }

  async startTls(options: StartTlsOptions, unread: Uint8Array): Promise<StreamTransport> {
    const socket = this.native;
    if (socket.destroyed) throw systemError({ code: "ECONNRESET" }, { op: "startTls", ...this.#names() });
    this.#release();
    release(socket);
    if (unread.length > 0) socket.unshift(Buffer.from(unread));
    return await this.#options.startTls(socket, options, this);
  }

  /** Bytes arrived. False stops the reading. */
  onBytes(view: Uint8Array): boolean {
    this.#sink?.received(view);
    return this.#flowing;
  }

  onEnd(): void {
    if (this.#incoming !== "open" || this.#released) return;
    this.#incoming = "ending";
    afterHiddenReset(this.native, this.#options.beneath, () => {
      this.#incoming = "ended";
      this.#sink?.ended();
    });
  }

  onError(error: unknown): void {
    if (this.#released) return;
    const sink = this.#sink;
    this.destroy();
    sink?.failed(systemError(error, { op: "read", ...this.#names() }));
  }

  onClose(): void {
    if (this.#released) return;
    // Released by the runtime: expected behind an end in both directions, a loss otherwise.
    if (this.#incoming !== "open" && this.#finSent) return;
    this.onError({ code: "ECONNRESET" });
  }

  #release(): void {
    this.#released = true;
    this.#sink = undefined;
    if (this.#writing !== undefined) this.#writing.done = undefined;
  }

  #writeMany(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    const last = chunks.length - 1;
    this.native.cork();
    for (let index = 0; index < last; index += 1) this.native.write(chunks[index] as Uint8Array);
    this.native.write(chunks[last] as Uint8Array, done);
    this.native.uncork();
  }

  #beginWriting(): WriteInProgress {
    const writing: WriteInProgress = {
      open: 0,
      done: undefined,
      settled: (error) => {
        writing.open -= 1;
        // An idle connection has none.
        if (writing.open === 0) this.#writing = undefined;
        if (writing.done === undefined || (writing.open > 0 && !error)) return;
        const { done } = writing;
        writing.done = undefined;
        done(error ?? undefined);
      },
    };
    return writing;
  }

  #names(): { readonly local: string; readonly remote: string } {
    return { local: this.localAddress.toString(), remote: this.remoteAddress.toString() };
  }
}
