/** The one implementation of {@link StreamSocket}, over any network's transport. */

import type { Address } from "../../core/address/address.ts";
import { ConnectionError, type ErrorCode, UsageError, ZocaloError } from "../../core/errors.ts";
import type { Codec } from "../../core/framing/codec.ts";
import type { ProxyHeader } from "../../core/proxy/header.ts";
import { showAs } from "../../core/show-as.ts";
import type { Network, StreamSink, StreamTraits, StreamTransport } from "../network/network.ts";
import type { TlsInfo } from "../network/tls.ts";
import { checkOptions, CODEC, type OptionRules } from "../../core/options/check-options.ts";
import {
  type OperationContext,
  type OperationOptions,
  type ReceiveOptions,
  refusedAtOnce,
} from "../operation/deadline.ts";
import { withDeadline } from "../operation/within.ts";
import { publish } from "../operation/diagnostics.ts";
import { EndAnnouncement } from "../operation/end-announcement.ts";
import { attempt, handled } from "../operation/handled-rejection.ts";
import { OwnClock } from "../operation/own-clock.ts";
import { restated } from "../operation/restated.ts";
import { textBytes } from "../operation/arguments.ts";
import { CLOSE_RULES, type CloseOptions, howLost, type StreamEnd } from "./end.ts";
import { FramedStream } from "./framed-stream.ts";
import type { StreamPartOwner } from "./owner.ts";
import { Inbound } from "./inbound.ts";
import { ConnectionLimits } from "./limits.ts";
import { linger } from "./linger.ts";
import { Outbound } from "./outbound.ts";
import {
  READ_ANY,
  READ_RULES,
  READ_UNTIL_RULES,
  expectText,
  peek,
  readExactly,
  readInto,
  readSome,
  readLoop,
  readUntil,
} from "./reads.ts";
import { type ConnectionSettings, IDLE_RULES } from "./settings.ts";
import type * as api from "./public.ts";
import { clientTls, serverTls, START_TLS_RULES, type StartTlsOptions } from "./tls-settings.ts";
import { StreamInterop, TcpSettings } from "./bridges.ts";

const DEFAULT_DELIMITED_BYTES = 65_536;

/** What only some connections ever need; kept apart so that an idle one stays small. */
interface Extras {
  announcement?: EndAnnouncement<StreamEnd>;
  interop?: StreamInterop;
  closing?: Promise<void>;
  limits?: ConnectionLimits;
  clock?: OwnClock;
}

/** A peer that comes through a trusted proxy: who it is (the proxy itself where that names none), and all that the proxy says. */
export interface Announced {
  readonly remoteAddress: Address;
  readonly proxy: ProxyHeader;
}

/** What a connection needs of its owner, the listener that counts it: to be told when it is over. */
export interface ConnectionOwner {
  over(connection: StreamSocket): void;
}

/** A connection over a transport. */
export class StreamSocket implements api.StreamSocket, StreamSink, StreamPartOwner {
  readonly #network: Network;
  readonly settings: ConnectionSettings;
  transport: StreamTransport;
  readonly inbound: Inbound;
  #outbound: Outbound | undefined;
  readonly #announced: Announced | undefined;
  #owner: ConnectionOwner | undefined;
  #end: StreamEnd | undefined;
  #lazy: Extras | undefined;
  /** The host that this program has connected to; undefined on a connection that came in. */
  connectedTo: string | undefined;

  static {
    showAs(StreamSocket, "StreamSocket", (socket) => ({
      localAddress: socket.localAddress,
      remoteAddress: socket.remoteAddress,
      bytesReceived: socket.bytesReceived,
      bytesSent: socket.bytesSent,
      end: socket.#end?.how,
    }));
  }

  constructor(network: Network, transport: StreamTransport, settings: ConnectionSettings, announced?: Announced) {
    this.#network = network;
    this.settings = settings;
    this.transport = transport;
    this.#announced = announced;
    this.inbound = new Inbound(this);
    if (Number.isFinite(settings.idleMs) || Number.isFinite(settings.lifetimeMs)) {
      this.#extras.limits = new ConnectionLimits(this, this.#network.clock);
    }
    publish("open", () => ({ kind: "stream", ...this.#names() }), this);
    transport.start(this);
  }

  /** Made for the first deadline: most connections have none. */
  get clock(): OwnClock {
    return (this.#extras.clock ??= new OwnClock(this.#network.clock));
  }
  get #extras(): Extras {
    return (this.#lazy ??= {});
  }
  get #limits(): ConnectionLimits {
    return (this.#extras.limits ??= new ConnectionLimits(this, this.#network.clock));
  }

  get outbound(): Outbound {
    this.#outbound ??= new Outbound(this);
    return this.#outbound;
  }

  get localAddress(): Address {
    return this.transport.localAddress;
  }
  get remoteAddress(): Address {
    return this.#announced?.remoteAddress ?? this.transport.remoteAddress;
  }
  get proxy(): ProxyHeader | undefined {
    return this.#announced?.proxy;
  }
  get traits(): StreamTraits {
    return this.transport.traits;
  }
  get tls(): TlsInfo | undefined {
    return this.transport.tls;
  }
  get bytesReceived(): number {
    return this.inbound.bytesReceived;
  }
  get bytesSent(): number {
    return this.#outbound?.bytesSent ?? 0;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }
  /** Whether it is over, or this program is closing it. */
  get isClosing(): boolean {
    return this.#end !== undefined || this.#lazy?.closing !== undefined;
  }
  get closed(): Promise<StreamEnd> {
    return this.#announcement.closed;
  }
  get signal(): AbortSignal {
    return this.#announcement.signal;
  }
  get #announcement(): EndAnnouncement<StreamEnd> {
    const extras = this.#extras;
    if (extras.announcement === undefined) {
      extras.announcement = new EndAnnouncement();
      if (this.#end !== undefined) extras.announcement.tell(this.#end, this.#reasonOf(this.#end));
    }
    return extras.announcement;
  }

  read(options?: api.ReadOptions): Promise<Buffer | null> {
    if (options === undefined) return this.inbound.read(READ_ANY, options);
    return this.#checked("read", options, READ_RULES, ({ maxBytes = Number.POSITIVE_INFINITY, ...operation }) =>
      this.inbound.read(readSome(maxBytes), operation),
    );
  }

  readInto(target: Uint8Array, options?: ReceiveOptions): Promise<number | null> {
    return this.inbound.read(readInto(target, this), options);
  }

  readExactly(count: number, options?: OperationOptions): Promise<Buffer> {
    return attempt(() => this.inbound.read(readExactly(count, this), options));
  }

  readUntil(delimiter: string | Uint8Array, options: api.ReadUntilOptions = {}): Promise<Buffer> {
    return this.#checked(
      "readUntil",
      options,
      READ_UNTIL_RULES,
      ({ maxBytes = DEFAULT_DELIMITED_BYTES, ...operation }) => {
        const isText = typeof delimiter === "string";
        const bytes = isText ? textBytes(delimiter, "delimiter", () => this.context("readUntil")) : delimiter;
        return this.inbound.read(readUntil(bytes, maxBytes, this), operation);
      },
    );
  }

  peek(bytes: number | api.PeekRange, options?: OperationOptions): Promise<Buffer> {
    return attempt(() => this.inbound.read(peek(bytes, this), options));
  }
  unread(bytes: Uint8Array): void {
    if (this.#lazy?.closing === undefined && this.#end?.how !== "aborted") this.inbound.unread(bytes);
  }
  expect(pattern: RegExp, options?: api.ExpectOptions): Promise<api.Expected> {
    return expectText(this, pattern, options);
  }

  chunks(options?: ReceiveOptions): AsyncIterableIterator<Buffer> {
    return readLoop(this.inbound, options);
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return this.chunks();
  }

  write(data: api.WriteInput, options?: OperationOptions): Promise<void> {
    this.#lazy?.limits?.moved();
    return this.outbound.write(data, options);
  }

  end(options?: OperationOptions): Promise<void> {
    const context = this.context("end");
    const refused = refusedAtOnce(options, () => context);
    if (refused !== undefined) return Promise.reject(refused.reason);
    const ended = this.outbound.end().then(() => this.#maybeEnded());
    return handled(withDeadline(this.clock, ended, options, context));
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#checked("close", options, CLOSE_RULES, ({ lingerMs, maxLingerMs, lingerBytes, ...operation }) => {
      const refused = refusedAtOnce(operation, () => this.context("close"));
      if (refused !== undefined) return Promise.reject(refused.reason);
      const closing = this.#extras.closing ?? handled(this.#closeGracefully({ lingerMs, maxLingerMs, lingerBytes }));
      this.#extras.closing = closing;
      return handled(withDeadline(this.clock, closing, operation, this.context("close")));
    });
  }

  abort(reason?: unknown): void {
    if (this.#end !== undefined) return;
    const error = new ConnectionError("CONNECTION_ABORTED", { ...this.context("abort"), cause: reason });
    this.transport.reset();
    this.#over({ how: "aborted", error }, false);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
  setIdleTimeout(idleMs: number): void {
    checkOptions(this.context("setIdleTimeout"), { idleMs }, IDLE_RULES);
    if (!this.isClosing) this.#limits.idleMs = idleMs;
  }
  get tcp(): api.TcpSettings {
    return new TcpSettings(this);
  }
  get interop(): api.StreamInterop {
    return (this.#extras.interop ??= new StreamInterop(this));
  }

  /** Does `call` with its options if they keep the rules; a call never throws, it rejects. */
  #checked<Given, T>(op: string, given: Given, rules: OptionRules, call: (options: Given) => Promise<T>): Promise<T> {
    return attempt(() => call(checkOptions(this.context(op), given, rules)));
  }

  async startTls(given: StartTlsOptions): Promise<TlsInfo> {
    const context = this.context("startTls");
    const { role, signal, timeoutMs, ...options } = checkOptions(context, given ?? null, START_TLS_RULES);
    const tls = role === "client" ? clientTls(context, options, this.connectedTo, "") : serverTls(context, options, "");
    this.#network.sockets.checkTls(tls, context, "");
    const operation = { signal, timeoutMs };
    // A handler of a framed reader may call this in the middle of an arrival: let the rest of it reach the queue first.
    await Promise.resolve();
    const refused = refusedAtOnce(operation, () => context);
    if (refused !== undefined) throw refused.reason;
    if (this.inbound.hasWaiters || this.outbound.busy || this.tls !== undefined || this.outbound.state !== "open") {
      const detail = "TLS can start only on an open, plain connection without pending reads and writes";
      throw new UsageError("OPTION_INVALID", { ...context, detail });
    }
    const plain = this.transport;
    plain.pause();
    const unread = this.inbound.queue.take(this.inbound.queue.length);
    const handshake = plain.startTls(tls, unread).then(
      (secure) => {
        this.transport = secure;
        this.inbound.restart();
        secure.start(this);
      },
      (error: unknown) => {
        this.failed(error);
        throw error;
      },
    );
    handshake.catch(() => undefined);
    try {
      await withDeadline(this.clock, handshake, operation, context);
    } catch (error) {
      // Half a handshake cannot be used: neither plain nor encrypted bytes make sense from here on.
      this.abort(error);
      throw error;
    }
    return (this.transport as StreamTransport & { readonly tls: TlsInfo }).tls;
  }

  framed<In, Out = In>(codec: Codec<In, Out>): api.FramedStream<In, Out> {
    checkOptions(this.context("framed"), { codec }, { codec: CODEC });
    return new FramedStream(this, codec);
  }

  /** Tells `owner` once when the connection is over, at once if it is. */
  belongsTo(owner: ConnectionOwner): void {
    if (this.#end === undefined) this.#owner = owner;
    else owner.over(this);
  }

  /** Names this connection in an error. */
  context(op: string): OperationContext {
    return { op, ...this.#names() };
  }

  blocked(): void {
    this.#limits.blocked();
  }

  // What the transport reports.

  received(view: Uint8Array): void {
    this.#lazy?.limits?.moved();
    this.inbound.received(view);
  }

  ended(): void {
    this.inbound.ended();
    this.#maybeEnded();
  }

  failed(cause: unknown): void {
    const details = { ...this.context("read"), cause, outcome: "unknown" } as const;
    const error = cause instanceof ZocaloError ? cause : new ConnectionError("CONNECTION_RESET", details);
    this.#over({ how: howLost(error.code), error }, true);
  }

  #names(): { readonly local: string; readonly remote: string } {
    return { local: this.transport.localAddress.toString(), remote: this.remoteAddress.toString() };
  }

  expire(code: ErrorCode, detail: string): void {
    const error = new ConnectionError(code, { ...this.context("read"), detail, outcome: "unknown" });
    this.transport.reset();
    this.#over({ how: "timeout", error }, true);
  }

  /** Both sides have sent FIN: the socket can be released; what has not been read stays readable. */
  #maybeEnded(): void {
    if (this.isClosing || this.inbound.state !== "ended" || this.#outbound?.state !== "ended") return;
    this.transport.destroy();
    this.#over({ how: "ended" }, true);
  }

  async #closeGracefully(options: CloseOptions): Promise<void> {
    if (this.#end !== undefined) return;
    // From here on `lingerMs` bounds the wait. A reset would destroy what the kernel still delivers.
    if (this.#lazy?.limits !== undefined) this.#lazy.limits.idleMs = Infinity;
    const closed = new ConnectionError("CLOSED", this.context("read"));
    this.inbound.refuseReads(closed);
    try {
      await linger(this.clock, this.inbound, this.outbound, options, this.context("close"));
    } catch (error) {
      this.abort(error);
      throw error instanceof ConnectionError ? restated(error, this.context("close"), error.outcome) : error;
    }
    this.transport.destroy();
    this.#over({ how: "closed" }, false);
  }

  #over(end: StreamEnd, keepQueue: boolean): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#lazy?.limits?.stop();
    const error = this.#reasonOf(end);
    if (end.how !== "ended") {
      this.inbound.fail(error, keepQueue);
      this.outbound.fail(error);
    }
    publish("close", () => ({ kind: "stream", ...this.#names(), how: end.how, error: end.error }), this);
    this.#lazy?.announcement?.tell(end, error);
    this.#owner?.over(this);
  }

  #reasonOf(end: StreamEnd): ZocaloError {
    return (
      end.error ?? new ConnectionError("CLOSED", { ...this.context("read"), detail: `the connection is ${end.how}` })
    );
  }
}
