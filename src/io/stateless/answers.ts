/** The messages of a server over datagrams: what is answered, and what is not. */

import type { Address } from "../../core/address/address.ts";
import type { Contract } from "../../core/contract/contract.ts";
import type { RemoteError } from "../../core/contract/remote-error.ts";
import type { ProtocolError } from "../../core/errors.ts";
import { peerError } from "../../core/peer-error.ts";
import { AddressProof, UNPROVED_FACTOR } from "../../core/stateless/address-proof.ts";
import * as wire from "../../core/stateless/datagram.ts";
import { ERROR_FORMS, errorBody, ofAnswer, ofHandler, ofQuestion } from "../contract/error-body.ts";
import { CallMetrics } from "../contract/call-metrics.ts";
import { CallWatch } from "../contract/call-watch.ts";
import { type AnyHandler, handlersOf } from "../contract/handlers.ts";
import { decodeMetadata, type Metadata, METADATA_MARK, NO_METADATA, PLACE_BITS } from "../contract/metadata.ts";
import { ContractPlan, type MethodPlan } from "../contract/plan.ts";
import type { DatagramContext, DatagramRequest, DatagramServerStats } from "../datagram/server.ts";
import type { Clock, Network } from "../network/network.ts";
import { codecOf, headOf, tooLarge } from "./format.ts";
import type { StatelessContext, StatelessServerStats } from "./public.ts";
import { type AnyServerOptions, DEFAULT_DATAGRAM_BYTES } from "./settings.ts";

const SECRET_BYTES = 32;

/** What is counted beside the datagrams and the requests. */
type Counts = { -readonly [K in Exclude<keyof StatelessServerStats, keyof DatagramServerStats>]: number };

/** What a server makes of the datagrams of its clients. */
export class StatelessAnswers {
  readonly contract: Contract;
  readonly #clock: Clock;
  readonly maxDatagramBytes: number;
  readonly #plan: ContractPlan;
  readonly #hash: bigint;
  readonly #handlers: object;
  readonly #handlerList: readonly AnyHandler[];
  readonly watch: CallWatch;
  readonly #proof: AddressProof;
  /** Calls whose handlers run, by caller and id. No more than `limits.maxConcurrentRequests`. */
  readonly #running = new Set<string>();
  readonly counts: Counts = { events: 0, calls: 0, repeated: 0, retries: 0, refused: 0, invalid: 0 };

  constructor(network: Network, contract: Contract, options: AnyServerOptions) {
    this.contract = contract;
    this.#clock = network.clock;
    this.maxDatagramBytes = options.limits?.maxDatagramBytes ?? DEFAULT_DATAGRAM_BYTES;
    this.#plan = new ContractPlan(contract, "server", options.validate);
    this.#hash = headOf(contract, "msgpack").hash;
    this.#handlers = options.handlers ?? {};
    const handlers = this.#handlers as Readonly<Record<string, unknown>>;
    this.#handlerList = handlersOf(this.#plan.own, handlers, "serveStateless");
    const { around, metrics } = options;
    this.watch = new CallWatch(
      contract,
      around,
      metrics === true ? new CallMetrics(this.#plan.own, () => this.#clock.now()) : undefined,
    );
    this.#proof = new AddressProof(network.random.bytes(SECRET_BYTES));
  }

  /** One datagram came. Only calls are answered, and only those that make sense: never an answer, never noise. */
  async serve(request: DatagramRequest, context: DatagramContext): Promise<Uint8Array | undefined> {
    const { from } = request;
    const received = wire.decodeDatagram(request.data);
    const asks = received?.type === wire.EVENT || received?.type === wire.CALL;
    // Groups never send (RFC 1122 section 3.2.1.3).
    if (!asks || from.isMulticast || from.isBroadcast || from.isUnspecified) {
      this.counts.invalid += 1;
      return undefined;
    }
    if (received.hash !== this.#hash) return this.#refuse(received, wire.CONTRACT_DIFFERS, request);
    const codec = codecOf(received.codec);
    if (codec === undefined) return this.#refuse(received, wire.CODEC_UNKNOWN, request);
    const method = this.#plan.of(codec).own.methods[received.method & PLACE_BITS];
    if (received.type === wire.CALL) return await this.#call(received, method, request, context);
    if (method?.kind !== "event") throw unknownMethod(received.method);
    this.counts.events += 1;
    const { input, metadata } = decode(method, received);
    const told = new RequestContext(this.#clock, from, context, Number.POSITIVE_INFINITY, metadata);
    await this.#handle(method, input, told);
    return undefined;
  }

  /** An event has no id to which an answer could belong. */
  #refuse(
    received: wire.CallDatagram | wire.EventDatagram,
    reason: number,
    request: DatagramRequest,
  ): Uint8Array | undefined {
    this.counts.refused += 1;
    if (received.type === wire.EVENT) return undefined;
    const head = { codec: received.codec, hash: this.#hash };
    const { name, version } = this.contract;
    return wire.encodeRefusal(head, received.id, reason, `${name} ${version}`, request.data.length * UNPROVED_FACTOR);
  }

  async #call(
    call: wire.CallDatagram,
    method: MethodPlan | undefined,
    request: DatagramRequest,
    context: DatagramContext,
  ): Promise<Uint8Array | undefined> {
    // Nobody waits any more.
    if (call.remainingMs === 0) return undefined;
    const key = `${call.id} ${request.from.toString()}`;
    if (this.#running.has(key)) {
      this.counts.repeated += 1;
      return undefined;
    }
    this.counts.calls += 1;
    this.#running.add(key);
    let toTell = ofQuestion;
    try {
      if (method?.kind !== "call") throw unknownMethod(call.method);
      const { input, metadata } = decode(method, call);
      toTell = ofHandler;
      const deadline = this.#clock.now() + call.remainingMs;
      const told = new RequestContext(this.#clock, request.from, context, deadline, metadata);
      const value = await this.#handle(method, input, told);
      toTell = ofAnswer;
      return this.#permitted(this.#result(call, method, value, request.from), call, request);
    } catch (error) {
      const told = toTell(error);
      const answer = this.#permitted(this.#error(call, told), call, request);
      if (told === error) return answer;
      // The caller must not wait for `onError`, which the server calls because of what is thrown here.
      void request.reply(answer);
      throw error;
    } finally {
      this.#running.delete(key);
    }
  }

  /** Calls the handler of a method. */
  async #handle(method: MethodPlan, input: unknown, context: StatelessContext): Promise<unknown> {
    const run = (): unknown => (this.#handlerList[method.place] as AnyHandler).call(this.#handlers, input, context);
    return await (this.watch.watches(method) ? this.watch.handle(method, input, context, run) : run());
  }

  #result(call: wire.CallDatagram, method: MethodPlan, value: unknown, from: Address): Buffer {
    const body = method.response.encode(value);
    const bytes = wire.ANSWER_OVERHEAD_BYTES + body.end - body.start;
    if (bytes > this.maxDatagramBytes) throw tooLarge(method.name, bytes, this.maxDatagramBytes, from.toString());
    return wire.encodeAnswer(wire.RESULT, call, call.id, body);
  }

  /** An error, with as much as a datagram can hold. */
  #error(call: wire.CallDatagram, error: RemoteError): Buffer {
    const room = this.maxDatagramBytes - wire.ANSWER_OVERHEAD_BYTES;
    for (let form = 0; ; form += 1) {
      try {
        const body = errorBody(error, form);
        if (body.end - body.start <= room || form === ERROR_FORMS - 1)
          return wire.encodeAnswer(wire.ERROR, call, call.id, body);
      } catch {
        // Its data cannot be sent.
      }
    }
  }

  /** The answer itself, or the request for a proof where it is too long for an address that nobody has proved. */
  #permitted(answer: Buffer, call: wire.CallDatagram, request: DatagramRequest): Buffer {
    if (answer.length <= request.data.length * UNPROVED_FACTOR) return answer;
    const now = this.#clock.now();
    const from = request.from.toString();
    if (this.#proof.proves(from, call.cookie, now)) return answer;
    this.counts.retries += 1;
    const cookie = this.#proof.cookie(from, now);
    return wire.encodeAnswer(wire.RETRY, call, call.id, { bytes: cookie, start: 0, end: cookie.length });
  }
}

/** What is asked, and the metadata before it. */
function decode(
  { request }: MethodPlan,
  { method, body }: wire.CallDatagram | wire.EventDatagram,
): { readonly input: unknown; readonly metadata: Metadata } {
  const { start, end } = body;
  const bytes = body.bytes as Buffer;
  const head = { metadata: NO_METADATA, bodyAt: start };
  const { metadata, bodyAt } = method < METADATA_MARK ? head : decodeMetadata(bytes, start, end);
  return { input: request.decode(bytes, bodyAt, end), metadata };
}

function unknownMethod(place: number): ProtocolError {
  const detail = `method ${place} is not offered, or is of another kind`;
  return peerError("METHOD_UNKNOWN", { op: "receive", detail });
}

class RequestContext implements StatelessContext {
  readonly from: Address;
  readonly localAddress: Address;
  readonly deadline: number;
  readonly metadata: Metadata;
  readonly #clock: Clock;
  readonly #context: DatagramContext;

  constructor(clock: Clock, from: Address, context: DatagramContext, deadline: number, metadata: Metadata) {
    this.from = from;
    this.localAddress = context.localAddress;
    this.deadline = deadline;
    this.#clock = clock;
    this.#context = context;
    this.metadata = metadata;
  }

  get draining(): AbortSignal {
    return this.#context.draining;
  }
  get signal(): AbortSignal {
    return this.#context.signal;
  }
  get remainingMs(): number {
    return Math.max(0, this.deadline - this.#clock.now());
  }
}
