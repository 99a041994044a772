/** A connection of the kernel as a {@link StreamTransport}: TCP or Unix, plain or with TLS. */

import net from "node:net";
import { Socket } from "node:net";
import type { Address } from "../core/address/address.ts";
import type { StreamSink, StreamTraits, StreamTransport } from "../io/network.ts";
import type { TlsInfo, TlsOptions } from "../io/tls.ts";
import { afterHiddenReset } from "./end-or-reset.ts";
import { systemError } from "./errno.ts";
import { type SharedReadOptions, unsentBytes } from "./native-handle.ts";

/** One read of the kernel at most. */
const SCRATCH_BYTES = 65_536;

const owner: unique symbol = Symbol("zocalo.transport");

interface OwnedSocket extends net.Socket {
  [owner]?: KernelStream | undefined;
}

/**
 * All plain sockets of this thread read into one buffer: whoever is told of bytes copies what it keeps, before the event
 * loop reads again. An idle connection then holds no buffer at all.
 */
export const sharedRead: SharedReadOptions = {
  onread: {
    buffer: Buffer.allocUnsafeSlow(SCRATCH_BYTES),
    callback(this: OwnedSocket, count: number, buffer: Uint8Array): boolean {
      const transport = this[owner];
      if (transport === undefined) return false;
      return transport.onBytes(count === buffer.length ? buffer : buffer.subarray(0, count));
    },
  },
};

const TCP_TRAITS: StreamTraits = { reset: true, halfClose: true };
const UNIX_TRAITS: StreamTraits = { reset: false, halfClose: true };

function ownerOf(socket: net.Socket): KernelStream | undefined {
  return (socket as OwnedSocket)[owner];
}

// One function for all sockets, instead of one closure each.
function onData(this: net.Socket, bytes: Buffer): void {
  ownerOf(this)?.onBytes(bytes);
}
function onEnd(this: net.Socket): void {
  ownerOf(this)?.onEnd();
}
function onError(this: net.Socket, error: Error): void {
  ownerOf(this)?.onError(error);
}
function onClose(this: net.Socket): void {
  ownerOf(this)?.onClose();
}

/** How a socket hands over its bytes, and what it stands on. */
export interface KernelStreamOptions {
  /** `data`: by events, as any Node stream; `shared`: the socket was made with {@link sharedRead}. */
  readonly reads: "data" | "shared";
  /** The TCP socket beneath TLS. */
  readonly beneath?: net.Socket | undefined;
  readonly tls?: TlsInfo | undefined;
}

/** A connection of the kernel. */
export class KernelStream implements StreamTransport {
  readonly native: net.Socket;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly traits: StreamTraits;
  readonly tls: TlsInfo | undefined;
  readonly #reads: "data" | "shared";
  readonly #beneath: net.Socket | undefined;
  #sink: StreamSink | undefined;
  #flowing = true;
  #released = false;
  #finSent = false;
  #ended = false;
  #writes = 0;
  #written = 0;
  #done: ((error?: unknown) => void) | undefined;
  #onWritten: ((error?: Error | null) => void) | undefined;

  constructor(socket: net.Socket, local: Address, remote: Address, options: KernelStreamOptions) {
    this.native = socket;
    this.localAddress = local;
    this.remoteAddress = remote;
    this.#reads = options.reads;
    this.#beneath = options.beneath;
    this.tls = options.tls;
    this.traits = local.transport === "unix" ? UNIX_TRAITS : TCP_TRAITS;
    (socket as OwnedSocket)[owner] = this;
    socket.on("error", onError);
    socket.on("end", onEnd);
    socket.on("close", onClose);
  }

  start(sink: StreamSink): void {
    const first = this.#sink === undefined;
    this.#sink = sink;
    if (!first) return;
    if (this.#reads === "data") this.native.on("data", onData);
    if (this.#flowing) this.native.resume();
    if (this.native.destroyed) this.onClose();
  }

  pause(): void {
    this.#flowing = false;
    this.native.pause();
  }

  resume(): void {
    this.#flowing = true;
    this.native.resume();
  }

  write(chunks: readonly Uint8Array[], done: (error?: unknown) => void): boolean {
    const socket = this.native;
    this.#onWritten ??= (error) => this.#writeSettled(error);
    this.#writes += 1;
    if (chunks.length === 1) socket.write(chunks[0] as Uint8Array, this.#onWritten);
    else this.#writeMany(chunks, this.#onWritten);
    // A write that failed at once leaves no length either, but an error.
    if (socket.writableLength === 0 && socket.errored === null && !socket.destroyed) return true;
    this.#done = done;
    return false;
  }

  unsentBytes(): number {
    return unsentBytes(this.#beneath ?? this.native);
  }

  end(done: (error?: unknown) => void): void {
    this.#finSent = true;
    // Node passes an error when the socket was lost before the FIN.
    const settled = (error?: Error | null): void => done(error ?? undefined);
    this.native.end(settled as () => void);
  }

  reset(): void {
    const socket = this.#beneath ?? this.native;
    this.#release();
    if (this.traits.reset && socket instanceof Socket && !socket.destroyed) socket.resetAndDestroy();
    this.native.destroy();
  }

  destroy(): void {
    this.#release();
    this.native.destroy();
    this.#beneath?.destroy();
  }

  setNoDelay(on: boolean): void {
    (this.#beneath ?? this.native).setNoDelay(on);
  }

  setKeepAlive(on: boolean, idleMs: number): void {
    (this.#beneath ?? this.native).setKeepAlive(on, idleMs);
  }

  setReferenced(on: boolean): void {
    const socket = this.#beneath ?? this.native;
    if (on) socket.ref();
    else socket.unref();
  }

  async startTls(
    options: TlsOptions & { readonly role: "client" | "server" },
    unread: Uint8Array,
  ): Promise<StreamTransport> {
    // Loaded when needed: a program without TLS starts faster.
    const { startTls } = await import("./tls-transport.ts");
    const socket = this.native;
    if (socket.destroyed) throw systemError({ code: "ECONNRESET" }, { op: "upgradeTls", ...this.#names() });
    this.#release();
    socket.off("error", onError).off("end", onEnd).off("close", onClose).off("data", onData);
    if (unread.length > 0) socket.unshift(Buffer.from(unread));
    return await startTls(socket, options, this);
  }

  /** Bytes arrived. False stops the reading. */
  onBytes(view: Uint8Array): boolean {
    this.#sink?.received(view);
    return this.#flowing;
  }

  onEnd(): void {
    if (this.#ended || this.#released) return;
    this.#ended = true;
    afterHiddenReset(this.native, () => this.#sink?.ended());
  }

  onError(error: unknown): void {
    if (this.#released) return;
    const sink = this.#sink;
    this.#release();
    this.native.destroy();
    this.#beneath?.destroy();
    sink?.failed(systemError(error, { op: "read", ...this.#names() }));
  }

  onClose(): void {
    if (this.#released) return;
    // Released by the runtime: expected behind an end in both directions, a loss otherwise.
    if (this.#ended && this.#finSent) return;
    this.onError({ code: "ECONNRESET" });
  }

  #release(): void {
    this.#released = true;
    this.#sink = undefined;
    this.#done = undefined;
  }

  #writeMany(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    const last = chunks.length - 1;
    this.native.cork();
    for (let index = 0; index < last; index += 1) this.native.write(chunks[index] as Uint8Array);
    this.native.write(chunks[last] as Uint8Array, done);
    this.native.uncork();
  }

  #writeSettled(error?: Error | null): void {
    this.#written += 1;
    if (this.#done === undefined || (this.#written < this.#writes && error == null)) return;
    const done = this.#done;
    this.#done = undefined;
    done(error ?? undefined);
  }

  #names(): { readonly local: string; readonly remote: string } {
    return { local: this.localAddress.toString(), remote: this.remoteAddress.toString() };
  }
}
