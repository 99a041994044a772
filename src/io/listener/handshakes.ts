/** What comes before a connection may be used: its PROXY header and its TLS handshake, bounded in time and in number. */

import type { Address } from "../../core/address/address.ts";
import { ProtocolError } from "../../core/errors.ts";
import type { ProxyHeader } from "../../core/proxy/header.ts";
import { parseProxyHeader } from "../../core/proxy/parse.ts";
import type { Clock, StreamSink, StreamTransport } from "../network/network.ts";
import { timeoutError } from "../operation/deadline.ts";
import type { Announced } from "../stream/socket.ts";
import type { ServerTls } from "../stream/tls-settings.ts";
import type { ListenOptions, RefusalReason } from "./public.ts";

const DEFAULT_HANDSHAKE_MS = 10_000;
const DEFAULT_MAX_HANDSHAKES = 1000;
/** Why a handshake is given up that has to make room. */
const OUSTED: unique symbol = Symbol("ousted");

/** What the handshakes need of their listener. */
interface HandshakeOwner {
  readonly localAddress: Address;
  /** Where it speaks TLS. */
  readonly currentTls: ServerTls | undefined;
  /** Whether this peer may come in; counts it if so. */
  admit(peer: Address): RefusalReason | undefined;
}

/** A connection that may be used. */
export interface Arrival {
  readonly transport: StreamTransport;
  readonly peer: Announced | undefined;
  /** Bytes that came behind a PROXY header; the transport is then paused. */
  readonly unread: Uint8Array | undefined;
}

/** A connection that may not. */
export interface Rejection {
  readonly reason: RefusalReason;
  /** Who it is, as far as that is known. */
  readonly remote: Address;
  /** The peer had come in and is counted. */
  readonly admitted: boolean;
  /** What went wrong in the handshake itself. */
  readonly cause?: unknown;
}

/** The handshakes of one listener that are under way. */
export class Handshakes {
  readonly #owner: HandshakeOwner;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #max: number;
  /** Gives one up; the oldest first. */
  readonly #running: Set<(reason: unknown) => void> = new Set();

  constructor(owner: HandshakeOwner, clock: Clock, { limits = {}, timeouts = {} }: ListenOptions) {
    this.#owner = owner;
    this.#clock = clock;
    this.#timeoutMs = timeouts.handshakeMs ?? DEFAULT_HANDSHAKE_MS;
    this.#max = limits.maxHandshakes ?? DEFAULT_MAX_HANDSHAKES;
  }

  get size(): number {
    return this.#running.size;
  }

  /** The oldest makes room; answers whether there was one. */
  oust(): boolean {
    const [giveUp] = this.#running;
    if (giveUp === undefined) return false;
    this.#running.delete(giveUp);
    giveUp(OUSTED);
    return true;
  }

  /** Gives all up. */
  giveUp(reason: unknown): void {
    for (const giveUp of this.#running) giveUp(reason);
  }

  /** Takes a connection through; `trusted` says that it comes from a proxy that must announce the peer. */
  async run(transport: StreamTransport, trusted: boolean): Promise<Arrival | Rejection> {
    let giveUp = (_reason: unknown): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    late.catch(() => undefined);
    if (this.#running.size >= this.#max) this.oust();
    this.#running.add(giveUp);
    const timeoutMs = this.#timeoutMs;
    const local = this.#owner.localAddress.toString();
    const context = { op: "handshake", local, remote: transport.remoteAddress.toString() };
    const timer = this.#clock.setTimer(() => giveUp(timeoutError(timeoutMs, context)), timeoutMs, true);
    try {
      return await this.#steps(transport, trusted, late);
    } finally {
      timer.cancel();
      this.#running.delete(giveUp);
    }
  }

  async #steps(transport: StreamTransport, trusted: boolean, late: Promise<never>): Promise<Arrival | Rejection> {
    let remote = transport.remoteAddress;
    let peer: Announced | undefined;
    let unread: Uint8Array | undefined;
    let admitted = false;
    try {
      if (trusted) {
        const prelude = await Promise.race([readProxyHeader(transport), late]);
        unread = prelude.unread;
        peer = announced(prelude.header, this.#owner.localAddress, remote);
        remote = peer.remoteAddress;
      }
      const reason = this.#owner.admit(remote);
      if (reason !== undefined) return { reason, remote, admitted };
      admitted = true;
      const tls = this.#owner.currentTls;
      if (tls === undefined) return { transport, peer, unread };
      const secured = transport.startTls(tls, unread ?? new Uint8Array(0));
      secured.catch(() => undefined);
      return { transport: await Promise.race([secured, late]), peer, unread: undefined };
    } catch (cause) {
      if (cause === OUSTED) return { reason: "max-handshakes", remote, admitted };
      return { reason: "handshake", remote, admitted, cause };
    }
  }
}

/** Most headers are shorter. */
const FIRST_BYTES = 256;

const PARSING = { op: "accept" };

/** The header, and the bytes that came behind it and belong to the next layer. */
interface ProxyPrelude {
  readonly header: ProxyHeader;
  readonly unread: Uint8Array;
}

/** Resolves with the header; rejects with `PROXY_HEADER_INVALID`, or with the error of the transport. */
function readProxyHeader(transport: StreamTransport): Promise<ProxyPrelude> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.allocUnsafe(FIRST_BYTES);
    let length = 0;
    const sink: StreamSink = {
      received(view) {
        // Doubled, so that a header that comes byte by byte is not copied for each.
        if (length + view.length > bytes.length) {
          bytes = Buffer.concat([bytes.subarray(0, length)], Math.max(length + view.length, 2 * bytes.length));
        }
        bytes.set(view, length);
        length += view.length;
        try {
          const found = parseProxyHeader(bytes.subarray(0, length), PARSING);
          if (found === undefined) return;
          transport.pause();
          resolve({ header: found.header, unread: bytes.subarray(found.length, length) });
        } catch (error) {
          transport.pause();
          reject(error);
        }
      },
      ended() {
        const detail = "the proxy ended the connection before its PROXY header was complete";
        reject(new ProtocolError("PROXY_HEADER_INVALID", { op: "accept", detail }));
      },
      failed: reject,
    };
    transport.start(sink);
  });
}

/** What a header announces at a listener, in its terms; `proxy` is the address of the proxy itself. */
function announced(header: ProxyHeader, listener: Address, proxy: Address): Announced {
  const { command, source } = header;
  if (command !== "proxy" || source === undefined) return { remoteAddress: proxy, proxy: header };
  const peer = source.unmapped();
  // What comes in here is a stream, whatever the proxy calls it.
  const transport = listener.isIp ? listener.transport : "tcp";
  return { remoteAddress: peer.isIp ? peer.with({ transport }) : peer, proxy: header };
}
