/** The messages of a client over datagrams: what is sent, what is sent again, and who waits for an answer. */

import type { Contract } from "../../core/contract/contract.ts";
import {
  ConnectionError,
  type ErrorOutcome,
  ProtocolError,
  TimeoutError,
  UsageError,
  ZocaloError,
} from "../../core/errors.ts";
import * as wire from "../../core/stateless/datagram.ts";
import { Exchange, RoundTrip } from "../../core/stateless/exchange.ts";
import type { AskedPeer } from "../contract/call-watch.ts";
import { readErrorBody } from "../contract/error-body.ts";
import { behindMetadata, encodeMetadata, METADATA_MARK, type RemoteCallOptions } from "../contract/metadata.ts";
import type { MethodPlan } from "../contract/plan.ts";
import type { ConnectedDatagramSocket } from "../datagram/connected-socket.ts";
import type { Network, Timer } from "../network/network.ts";
import type { Datagram } from "../network/datagrams.ts";
import {
  CALL_RULES,
  Deadline,
  type OperationContext,
  type OperationOptions,
  refusedAtOnce,
} from "../operation/deadline.ts";
import { type CloseReport, GracefulClose, type GracefulCloseOptions } from "../operation/graceful-close.ts";
import { handled, rejectedQuietly } from "../operation/handled-rejection.ts";
import { OwnClock } from "../operation/own-clock.ts";
import { tooLarge } from "./format.ts";
import type { CallLimits } from "./settings.ts";
import type { StatelessClientStats } from "./public.ts";

/** What is set about the calls of one client, and what their datagrams have in common. */
interface CallSettings extends CallLimits {
  readonly contract: Contract;
  readonly head: wire.DatagramHead;
}

const NO_COOKIE = new Uint8Array(0);
const ID_BYTES = 8;
/** Datagrams that are looked at in one turn. */
const MOST_AT_ONCE = 256;

/** A call that waits for its answer, or for its turn. */
interface PendingCall {
  readonly method: MethodPlan;
  /** The number of the method, with the mark if metadata stand before the body. */
  readonly place: number;
  readonly body: Buffer;
  readonly deadline: number;
  id: bigint;
  readonly exchange: Exchange;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  limit: Deadline | undefined;
  retransmission: Timer | undefined;
  /** A datagram of it may have left this machine. */
  sent: boolean;
  /** What went wrong last on the way: it explains why no answer came. */
  problem: unknown;
}

/** The calls and events of one client. */
export class StatelessCalls {
  readonly #network: Network;
  readonly #clock: OwnClock;
  readonly #socket: ConnectedDatagramSocket;
  readonly #settings: CallSettings;
  readonly #roundTrip: RoundTrip;
  readonly #active = new Map<bigint, PendingCall>();
  readonly #waiting = new Set<PendingCall>();
  /** What the server gave last: it belongs to the address, so all calls show it. */
  #cookie: Uint8Array = NO_COOKIE;
  #retransmissions = 0;
  #ignored = 0;
  readonly #closing: GracefulClose<CloseReport>;
  /** Calls that the end of the socket has ended. */
  #cut = 0;
  /** Nothing is sent or taken any more. */
  #over = false;

  constructor(network: Network, socket: ConnectedDatagramSocket, settings: CallSettings) {
    this.#network = network;
    this.#clock = new OwnClock(network.clock);
    this.#socket = socket;
    this.#settings = settings;
    this.#roundTrip = new RoundTrip(settings.times);
    const context = { op: "close", local: socket.localAddress.toString() };
    this.#closing = new GracefulClose(
      this.#clock,
      () => context,
      () => this.#close(),
    );
    void this.#run();
    void socket.closed.then(() => this.#rejectAll());
  }

  /** Who is asked. */
  get asked(): AskedPeer {
    const { localAddress, remoteAddress: peer } = this.#socket;
    const context = { op: "call", local: localAddress.toString(), remote: peer.toString() };
    return { peer, context, now: () => this.#clock.now(), callMs: this.#settings.callMs };
  }

  get stats(): StatelessClientStats {
    return {
      calls: this.#active.size,
      waiting: this.#waiting.size,
      retransmissions: this.#retransmissions,
      ignored: this.#ignored,
      roundTripMs: this.#roundTrip.smoothedMs,
    };
  }

  /** Whether the client keeps the process alive. */
  refer(referenced: boolean): void {
    this.#clock.setReferenced(referenced);
    this.#socket.refer(referenced);
  }

  close(options: GracefulCloseOptions | undefined): Promise<CloseReport> {
    return this.#closing.close(options);
  }

  abort(reason: unknown): void {
    this.#closing.abort(reason);
    this.#socket.abort(reason);
    this.#rejectAll();
  }

  /** Sends an event, once. */
  event(method: MethodPlan, input: unknown, options: RemoteCallOptions | undefined): Promise<void> {
    const refused = refusedAtOnce(options, () => this.#context(method), CALL_RULES);
    if (refused !== undefined) return rejectedQuietly(refused.reason);
    let datagram: Buffer;
    try {
      if (this.#closing.draining.aborted) throw this.#closedError(method, "none");
      const head = encodeMetadata(method.name, options?.metadata);
      const body = behindMetadata(head, method.request.encode(input));
      this.#checkSize(method.name, wire.EVENT_OVERHEAD_BYTES + body.end - body.start);
      datagram = wire.encodeEvent(this.#settings.head, placeOf(method, head), body);
    } catch (error) {
      return rejectedQuietly(error);
    }
    const { signal, timeoutMs } = options ?? {};
    return handled(this.#send(datagram, { signal, timeoutMs }));
  }

  /** Calls a method of the server. */
  call(method: MethodPlan, input: unknown, options: RemoteCallOptions | undefined): Promise<unknown> {
    const refused = refusedAtOnce(options, () => this.#context(method), CALL_RULES);
    if (refused !== undefined) return rejectedQuietly(refused.reason);
    const { maxCalls, callMs, times } = this.#settings;
    let head: Buffer | undefined;
    let body: Buffer;
    try {
      this.#admit(method);
      head = encodeMetadata(method.name, options?.metadata);
      body = this.#question(method, head, input);
    } catch (error) {
      return rejectedQuietly(error);
    }
    const timeoutMs = options?.timeoutMs ?? callMs;
    const signal = options?.signal;
    return handled(
      new Promise((resolve, reject) => {
        const call: PendingCall = {
          method,
          place: placeOf(method, head),
          body,
          deadline: this.#clock.now() + timeoutMs,
          id: 0n,
          exchange: new Exchange(this.#roundTrip, times),
          resolve,
          reject,
          limit: undefined,
          retransmission: undefined,
          sent: false,
          problem: undefined,
        };
        call.limit = new Deadline(this.#clock, { signal, timeoutMs }, (cause) => this.#expire(call, cause));
        if (this.#active.size < maxCalls) this.#start(call);
        else this.#waiting.add(call);
      }),
    );
  }

  /** Throws when no call can be taken now. */
  #admit(method: MethodPlan): void {
    const { maxCalls, maxWaitingCalls } = this.#settings;
    if (this.#over || this.#closing.draining.aborted) throw this.#closedError(method, "none");
    if (this.#active.size < maxCalls || this.#waiting.size < maxWaitingCalls) return;
    const detail = `${this.#waiting.size} calls wait for their turn; await each call, or raise limits.maxWaitingCalls`;
    throw new UsageError("QUEUE_FULL", { ...this.#context(method), detail, outcome: "none" });
  }

  /** The body of a call, which stays as long as the call may be sent again. */
  #question(method: MethodPlan, head: Buffer | undefined, input: unknown): Buffer {
    const { bytes, start, end } = behindMetadata(head, method.request.encode(input));
    this.#checkSize(method.name, wire.CALL_OVERHEAD_BYTES + end - start);
    return Buffer.from(bytes.subarray(start, end));
  }

  #context(method: MethodPlan): OperationContext {
    const { localAddress, remoteAddress } = this.#socket;
    return { op: method.name, local: localAddress.toString(), remote: remoteAddress.toString() };
  }

  #checkSize(op: string, bytes: number): void {
    const { maxDatagramBytes } = this.#settings;
    if (bytes > maxDatagramBytes) throw tooLarge(op, bytes, maxDatagramBytes, String(this.#socket.remoteAddress));
  }

  /** 64 bits that nobody guesses who does not see the datagrams; none that is in use. */
  #newId(): bigint {
    let id = Buffer.from(this.#network.random.bytes(ID_BYTES)).readBigUInt64BE(0);
    while (this.#active.has(id)) id = BigInt.asUintN(64, id + 1n);
    return id;
  }

  #start(call: PendingCall): void {
    call.id = this.#newId();
    this.#active.set(call.id, call);
    this.#transmit(call);
  }

  /** Sends a call, and again after a while if no answer has come by then. */
  #transmit(call: PendingCall): void {
    const { id, place: method, body, exchange, deadline } = call;
    const now = this.#clock.now();
    const cookie = this.#cookie;
    const fields = { id, method, remainingMs: deadline - now, cookie };
    const datagram = wire.encodeCall(this.#settings.head, fields, { bytes: body, start: 0, end: body.length });
    if (exchange.transmissions > 0) this.#retransmissions += 1;
    const pauseMs = exchange.sent(now, cookie, this.#network.random.next(), deadline);
    call.retransmission?.cancel();
    call.retransmission = this.#clock.setTimer(() => this.#transmit(call), pauseMs);
    this.#send(datagram).then(
      () => {
        call.sent = true;
      },
      (error: unknown) => {
        call.problem = error;
      },
    );
  }

  async #send(datagram: Buffer, options?: OperationOptions): Promise<void> {
    try {
      await this.#socket.send(datagram, options);
    } catch (error) {
      // It tells of an earlier datagram, and nothing was sent; this one goes.
      if (!(error instanceof ZocaloError && error.code === "CONNECTION_REFUSED")) throw error;
      for (const call of this.#active.values()) call.problem = error;
      await this.#socket.send(datagram, options);
    }
  }

  /** Takes what comes until the datagram socket is closed. */
  async #run(): Promise<void> {
    while (!this.#over) {
      try {
        for (const datagram of await this.#socket.receiveMany(MOST_AT_ONCE)) this.#received(datagram);
      } catch (error) {
        // Nobody listens there, say. The server may be about to start: it is asked again until the time is up.
        for (const call of this.#active.values()) call.problem = error;
        await new Promise<void>((resolve) => this.#clock.defer(resolve));
      }
    }
  }

  #received({ data, from }: Datagram): void {
    const answer = wire.decodeDatagram(data);
    // Rule D12 (docs/semantics.md): the id and the source must both be right.
    if (answer === undefined || answer.type === wire.EVENT || answer.type === wire.CALL || !this.#isServer(from)) {
      this.#ignored += 1;
      return;
    }
    const call = this.#active.get(answer.id);
    const { hash, codec } = this.#settings.head;
    if (call === undefined || answer.codec !== codec || (answer.type !== wire.REFUSAL && answer.hash !== hash)) {
      this.#ignored += 1;
      return;
    }
    const verdict = call.exchange.received(answer, this.#clock.now());
    if (verdict === "over") this.#answered(call, answer);
    else if (verdict === "again") {
      this.#cookie = Buffer.from(answer.body.bytes.subarray(answer.body.start, answer.body.end));
      this.#transmit(call);
    }
  }

  #isServer(from: Datagram["from"]): boolean {
    return this.#socket.remoteAddress.equals(from);
  }

  #answered(call: PendingCall, answer: wire.AnswerDatagram): void {
    this.#finish(call);
    const { start, end } = answer.body;
    const bytes = answer.body.bytes as Buffer;
    try {
      if (answer.type === wire.REFUSAL)
        call.reject(this.#refused(call, answer.reason, bytes.toString("utf8", start, end)));
      else if (answer.type === wire.ERROR) call.reject(readErrorBody(bytes, start, end));
      else call.resolve(call.method.response.decode(bytes, start, end));
    } catch (error) {
      call.reject(error);
    }
  }

  #refused(call: PendingCall, reason: number, offer: string): ProtocolError {
    const { name, version, hash } = this.#settings.contract;
    const context = { ...this.#context(call.method), outcome: "none" } as const;
    if (reason === wire.CODEC_UNKNOWN) return new ProtocolError("CODEC_UNSUPPORTED", context);
    if (reason !== wire.CONTRACT_DIFFERS) return new ProtocolError("PROTOCOL_MISMATCH", context);
    const same = offer.split(" ")[0] === name;
    const rest = same ? `over datagrams both sides need the same contract (here ${hash})` : "check the address";
    const detail = `the server offers ${JSON.stringify(offer)}, this client speaks "${name} ${version}"; ${rest}`;
    return new ProtocolError(same ? "VERSION_UNSUPPORTED" : "CONTRACT_UNKNOWN", { ...context, detail });
  }

  /** The time of a call is up, or its signal has aborted. */
  #expire(call: PendingCall, cause: number | AbortSignal): void {
    this.#finish(call);
    if (typeof cause !== "number") return call.reject(cause.reason);
    const { transmissions } = call.exchange;
    const refused = call.problem instanceof ZocaloError && call.problem.code === "CONNECTION_REFUSED";
    const guess = refused ? "nobody listens there" : "is the server there?";
    const detail =
      transmissions === 0
        ? `${this.#active.size} other calls were in flight for ${cause} ms, so it was never sent; raise limits.maxCalls`
        : `no answer within ${cause} ms, though it was sent ${countOf(transmissions)}; ${guess}`;
    const outcome = outcomeOf(call);
    call.reject(new TimeoutError("TIMEOUT", { ...this.#context(call.method), detail, outcome, cause: call.problem }));
  }

  async #close(): Promise<CloseReport> {
    const running = this.#active.size + this.#waiting.size;
    const cutBefore = this.#cut;
    await this.#closing.untilIdle(() => this.#active.size + this.#waiting.size === 0);
    await this.#socket.close();
    this.#rejectAll();
    const cut = this.#cut - cutBefore;
    return { finished: running - cut, cut, durationMs: this.#closing.durationMs };
  }

  /** The datagram socket is closed. */
  #rejectAll(): void {
    this.#over = true;
    for (const call of [...this.#active.values(), ...this.#waiting]) {
      this.#finish(call);
      this.#cut += 1;
      call.reject(this.#closedError(call.method, outcomeOf(call)));
    }
  }

  #closedError(method: MethodPlan, outcome: ErrorOutcome): ConnectionError {
    return new ConnectionError("CLOSED", { ...this.#context(method), outcome });
  }

  #finish(call: PendingCall): void {
    call.limit?.cancel();
    call.retransmission?.cancel();
    this.#forget(call);
    this.#closing.look();
  }

  #forget(call: PendingCall): void {
    // It has its id with its turn.
    if (this.#waiting.delete(call)) return;
    this.#active.delete(call.id);
    const [next] = this.#waiting;
    if (next === undefined || this.#over) return;
    this.#waiting.delete(next);
    this.#start(next);
  }
}

/** The number of a method. */
function placeOf({ place }: MethodPlan, head: Buffer | undefined): number {
  return head === undefined ? place : place | METADATA_MARK;
}

function countOf(transmissions: number): string {
  return transmissions === 1 ? "once" : `${transmissions} times`;
}

/** Whether the server may have got it: not before it was handed to the kernel for the first time. */
function outcomeOf({ exchange, sent, problem }: PendingCall): ErrorOutcome {
  const underWay = exchange.transmissions > 0 && problem === undefined;
  return sent || underWay ? "unknown" : "none";
}
