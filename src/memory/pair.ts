/** Two connected stream sockets in memory. */

import { Address } from "../core/address/address.ts";
import { ByteQueue } from "../core/bytes/byte-queue.ts";
import { ConnectionError, UsageError } from "../core/errors.ts";
import { StreamSocket } from "../io/stream/socket.ts";
import { checkOptions, type OptionRules } from "../core/options/check-options.ts";
import { CONNECTION_RULES, type ConnectionOptions, connectionSettings } from "../io/stream/settings.ts";
import type { Clock, Network, StreamSink, StreamTraits, StreamTransport } from "../io/network/network.ts";
import type * as api from "../io/stream/public.ts";

/** Bytes that one end holds for the other before a write has to wait: a kernel's buffer. */
const CAPACITY_BYTES = 65_536;

/** Two ends of one connection over the clock of `network`; see the public `pair`, whose own options have more `rules`. */
export function pairOver(
  network: Network,
  options: ConnectionOptions = {},
  rules: OptionRules = CONNECTION_RULES,
): [api.StreamSocket, api.StreamSocket] {
  const a = new MemoryStream(network.clock, "a");
  const b = new MemoryStream(network.clock, "b");
  a.join(b);
  b.join(a);
  const settings = connectionSettings(checkOptions({ op: "pair" }, options, rules));
  return [new StreamSocket(network, a, settings), new StreamSocket(network, b, settings)];
}

/** One end of a pair. Like a socket, it delivers in a later turn of the event loop, never inside the sender's call. */
class MemoryStream implements StreamTransport {
  readonly localAddress: Address;
  readonly traits: StreamTraits = { reset: true, halfClose: true };
  readonly tls = undefined;
  readonly native = undefined;
  readonly #clock: Clock;
  #peer: MemoryStream | undefined;
  #sink: StreamSink | undefined;
  /** What the peer has sent and this end has not delivered. */
  readonly #arrived: ByteQueue = new ByteQueue();
  #paused = false;
  #scheduled = false;
  /** What follows the bytes: the peer's FIN, or its reset. */
  #tail: "none" | "fin" | "reset" = "none";
  #released = false;
  /** The peer's write that waits for room here. */
  #blockedWrite: (() => void) | undefined;

  constructor(clock: Clock, name: string) {
    this.#clock = clock;
    this.localAddress = Address.fromPath(`\0pair/${name}`);
  }

  get remoteAddress(): Address {
    return (this.#peer ?? this).localAddress;
  }

  join(peer: MemoryStream): void {
    this.#peer = peer;
  }

  start(sink: StreamSink): void {
    this.#sink = sink;
    this.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  write(chunks: readonly Uint8Array[], done: (error?: unknown) => void): boolean {
    const peer = this.#peer as MemoryStream;
    if (peer.#released) {
      this.#clock.defer(() => this.#lose());
      return false;
    }
    for (const chunk of chunks) peer.#arrived.append(chunk);
    peer.#schedule();
    if (peer.#arrived.length <= CAPACITY_BYTES) return true;
    peer.#blockedWrite = done;
    return false;
  }

  unsentBytes(): number {
    return Math.max(0, (this.#peer as MemoryStream).#arrived.length - CAPACITY_BYTES);
  }

  end(done: (error?: unknown) => void): void {
    this.#finish("fin");
    this.#clock.defer(done);
  }

  reset(): void {
    this.#release();
    this.#finish("reset");
  }

  destroy(): void {
    // As a kernel does: closing with unread bytes is a reset (RFC 9293 section 3.6.1, RFC 2525 section 2.17).
    const unread = this.#arrived.length > 0;
    this.#release();
    this.#finish(unread ? "reset" : "fin");
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  setReferenced(): void {}

  startTls(): Promise<StreamTransport> {
    this.reset();
    const detail = "an in-memory pair has no TLS; use it without";
    return Promise.reject(new UsageError("UNSUPPORTED", { op: "startTls", detail }));
  }

  #release(): void {
    this.#released = true;
    this.#sink = undefined;
    this.#arrived.clear();
  }

  #finish(tail: "fin" | "reset"): void {
    const peer = this.#peer as MemoryStream;
    if (peer.#tail !== "none" && tail === "fin") return;
    peer.#tail = tail;
    peer.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#sink === undefined) return;
    this.#scheduled = true;
    this.#clock.defer(() => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    // What comes while this is delivered has a turn of its own: a receiver may send to itself.
    let due = this.#arrived.length;
    while (!this.#paused && due > 0 && this.#arrived.length > 0) {
      const bytes = this.#arrived.shift(Math.min(due, CAPACITY_BYTES)) as Buffer;
      due -= bytes.length;
      this.#sink?.received(bytes);
    }
    if (this.#arrived.length <= CAPACITY_BYTES && this.#blockedWrite !== undefined) {
      const done = this.#blockedWrite;
      this.#blockedWrite = undefined;
      done();
    }
    if (this.#arrived.length > 0) this.#schedule();
    if (this.#paused || this.#arrived.length > 0) return;
    if (this.#tail === "reset") this.#lose();
    else if (this.#tail === "fin") this.#sink?.ended();
    if (this.#tail === "fin") this.#tail = "none";
  }

  #lose(): void {
    const sink = this.#sink;
    this.#release();
    const names = { local: this.localAddress.toString(), remote: this.remoteAddress.toString() };
    sink?.failed(new ConnectionError("CONNECTION_RESET", { op: "read", ...names, outcome: "unknown" }));
  }
}
