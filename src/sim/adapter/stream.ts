/** A simulated connection as a {@link StreamTransport}. */

import type { Address } from "../../core/address/address.ts";
import type { StreamSink, StreamTraits, StreamTransport } from "../../io/network/network.ts";
import type { TlsInfo, TlsOptions } from "../../io/network/tls.ts";
import { NO_DATA, type TcpFailure } from "../kernel/packet.ts";
import type { TcpNotice } from "../kernel/tcp-connection.ts";
import type { KernelDriver } from "./kernel-driver.ts";
import type { TcpSocket } from "../kernel/tcp-stack.ts";
import { addressOf, failureError } from "./translation.ts";
import { shakeHands } from "./tls.ts";

/** Most bytes that one read gives, as a read of Node does. */
const READ_BYTES = 65_536;
/** One read in so many is cut at a seeded place, half of these after a single byte. */
const CUT_ONE_IN = 4;

const TRAITS: StreamTraits = { reset: true, halfClose: true };

/** A connection of a simulated host. */
export class SimStream implements StreamTransport {
  readonly traits: StreamTraits = TRAITS;
  tls: TlsInfo | undefined;
  readonly native = undefined;
  readonly remoteAddress: Address;
  #local: Address | undefined;
  readonly #kernel: KernelDriver;
  readonly #socket: TcpSocket;
  #opened: ((failure?: TcpFailure) => void) | undefined;
  #sink: StreamSink | undefined;
  #paused = false;
  #scheduled = false;
  #endTold = false;
  #released = false;
  /** Bytes that came behind a TLS handshake, to be delivered first. */
  #putBack: Buffer = NO_DATA;
  #writing: { readonly chunks: readonly Uint8Array[]; index: number; offset: number; done: () => void } | undefined;

  constructor(kernel: KernelDriver, socket: TcpSocket, remote: Address) {
    this.#kernel = kernel;
    this.#socket = socket;
    this.remoteAddress = remote;
    kernel.users.set(socket, (notice) => this.#noticed(notice));
  }

  get localAddress(): Address {
    // Made when somebody asks: connections are many, and few are asked.
    this.#local ??= addressOf(this.#socket.route.from, this.remoteAddress.transport === "tls" ? "tls" : "tcp");
    return this.#local;
  }

  /** Calls `opened` when the connection stands, or with the reason why it does not. */
  whenOpen(opened: (failure?: TcpFailure) => void): void {
    this.#opened = opened;
  }

  start(sink: StreamSink): void {
    this.#sink = sink;
    this.#schedule();
  }

  stop(): void {
    this.#sink = undefined;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  write(chunks: readonly Uint8Array[], done: (error?: unknown) => void): boolean {
    if (this.#kernel.process.isZombie()) return false;
    if (this.#socket.connection.failure !== undefined || this.#released) {
      this.#wake(() => this.#lose());
      return false;
    }
    this.#writing = { chunks, index: 0, offset: 0, done };
    return this.#flush();
  }

  unsentBytes(): number {
    if (this.#writing === undefined) return 0;
    const { chunks, index, offset } = this.#writing;
    return chunks.slice(index).reduce((sum, chunk) => sum + chunk.length, -offset);
  }

  end(done: (error?: unknown) => void): void {
    this.#socket.connection.finish();
    this.#kernel.poll(this.#socket);
    this.#wake(done);
  }

  reset(): void {
    this.#release(() => this.#socket.connection.abort());
  }

  destroy(): void {
    this.#release(() => this.#socket.connection.close(this.#kernel.nowUs));
  }

  setNoDelay(): void {}

  setKeepAlive(on: boolean, idleMs: number): void {
    this.#socket.connection.setKeepAlive(on, idleMs, this.#kernel.nowUs);
    this.#kernel.poll(this.#socket);
  }

  setReferenced(): void {}

  async startTls(
    options: TlsOptions & { readonly role: "client" | "server" },
    unread: Uint8Array,
  ): Promise<StreamTransport> {
    const context = { op: "startTls", ...this.#names() };
    const { certificateFault: fault } = this.#kernel.process;
    const { info, rest } = await shakeHands({ carrier: this, settings: options, fault, context }, unread);
    this.tls = info;
    this.#putBack = rest;
    return this;
  }

  /** The simulated kernel has news. */
  #noticed(notice: TcpNotice | undefined): void {
    const { failure } = this.#socket.connection;
    const [opened, writing] = [this.#opened, this.#writing];
    if (notice === "writable") {
      if (writing === undefined) return;
      this.#wake(() => {
        if (this.#writing === writing && this.#flush()) writing.done();
      });
    } else if (notice !== "readable" && opened !== undefined) {
      this.#opened = undefined;
      this.#wake(() => opened(failure));
    } else this.#schedule();
  }

  /** Gives the kernel what it has room for; true when it has all of it. */
  #flush(): boolean {
    const writing = this.#writing;
    const { connection } = this.#socket;
    if (writing === undefined || this.#released || connection.failure !== undefined) return false;
    for (let room = connection.room; room > 0 && writing.index < writing.chunks.length; room = connection.room) {
      const chunk = writing.chunks[writing.index] as Uint8Array;
      const whole = writing.offset === 0 && chunk.length <= room;
      const part = whole ? chunk : chunk.subarray(writing.offset, writing.offset + room);
      connection.write(part);
      writing.offset += part.length;
      if (writing.offset < chunk.length) continue;
      writing.index += 1;
      writing.offset = 0;
    }
    this.#kernel.poll(this.#socket);
    if (writing.index < writing.chunks.length) return false;
    this.#writing = undefined;
    return true;
  }

  /** Runs program code in an event of its own. */
  #wake(action: () => void): void {
    this.#kernel.process.wake(this.#socket.flow, action);
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#sink === undefined) return;
    if (this.#putBack.length === 0 && !this.#hasNews()) return;
    this.#scheduled = true;
    this.#wake(() => this.#deliver());
  }

  #hasNews(): boolean {
    // Behind the end a program hears of a loss only by a write, since nobody reads any more.
    if (this.#endTold && this.#writing === undefined) return false;
    const { readableBytes, ended, failure } = this.#socket.connection;
    return readableBytes > 0 || ended || failure !== undefined;
  }

  #deliver(): void {
    this.#scheduled = false;
    const { connection } = this.#socket;
    if (this.#putBack.length > 0 && !this.#paused && this.#sink !== undefined) {
      const bytes = this.#putBack;
      this.#putBack = NO_DATA;
      this.#sink.received(bytes);
    }
    let left = this.#cutAt(connection.readableBytes);
    while (left > 0 && !this.#paused && this.#sink !== undefined) {
      const bytes = connection.read(left);
      if (bytes === undefined) break;
      left -= bytes.length;
      this.#sink.received(bytes);
    }
    this.#kernel.poll(this.#socket);
    if (this.#paused || this.#sink === undefined) return;
    if (connection.readableBytes > 0) this.#schedule();
    else if (connection.ended && !this.#endTold) {
      this.#endTold = true;
      this.#sink.ended();
      // A reset that came right behind the FIN.
      if (connection.failure !== undefined) this.#schedule();
    } else if (connection.failure !== undefined) this.#lose();
  }

  /** How many of the bytes that are there this read gives. */
  #cutAt(available: number): number {
    const most = Math.min(available, READ_BYTES);
    const { cuts } = this.#kernel;
    if (cuts === undefined || most < 2) return most;
    const draw = cuts.below(CUT_ONE_IN * 2);
    if (draw === 0) return 1;
    return draw === 1 ? 1 + cuts.below(most) : most;
  }

  #lose(): void {
    const sink = this.#sink;
    const { failure } = this.#socket.connection;
    this.#release(() => undefined);
    if (failure !== undefined) sink?.failed(failureError(failure, { op: "read", ...this.#names() }));
  }

  #release(last: () => void): void {
    if (this.#released) return;
    this.#released = true;
    this.#sink = undefined;
    this.#writing = undefined;
    this.#opened = undefined;
    this.#kernel.users.delete(this.#socket);
    if (this.#kernel.process.isZombie()) return;
    last();
    this.#kernel.poll(this.#socket);
  }

  #names(): { readonly local: string; readonly remote: string } {
    return { local: this.localAddress.toString(), remote: this.remoteAddress.toString() };
  }
}
