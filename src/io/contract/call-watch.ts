/** What happens around the calls of a client or a server, both ways: its interceptor, its figures, and the tracing channels. */

import type { Address } from "../../core/address/address.ts";
import type { Contract } from "../../core/contract/contract.ts";
import { callsAreTraced, type CallTrace, traceCall } from "../operation/call-channel.ts";
import { type OperationContext, refusedAtOnce, SESSION_CALL_RULES } from "../operation/deadline.ts";
import { handled, rejectedQuietly } from "../operation/handled-rejection.ts";
import type { CallMetrics } from "./call-metrics.ts";
import type { InterceptedMessage, Interceptor } from "./interceptor.ts";
import type { Metadata, RemoteCallOptions, SessionCallOptions, WhileAway } from "./metadata.ts";
import type { MethodPlan } from "./plan.ts";

/** An interceptor, whatever the messages. */
export type AnyInterceptor = Interceptor<InterceptedMessage & { readonly session: never; readonly peer: never }>;

/** What a handler is told, over sessions and over datagrams. */
interface AnyContext {
  readonly metadata: Metadata;
  readonly signal: AbortSignal;
  readonly deadline: number;
  readonly session?: object;
  readonly from?: Address;
  readonly localAddress?: Address;
}

/** Who is asked. */
export interface AskedPeer {
  readonly session?: object | undefined;
  readonly peer?: Address | undefined;
  /** Names the connection, in errors and traces. */
  readonly context: OperationContext;
  readonly now: () => number;
  /** The time-out of calls that name none. */
  readonly callMs: number;
}

type Asked = (input: unknown, options?: RemoteCallOptions) => unknown;

/** Around the calls of one client or server. */
export class CallWatch {
  readonly metrics: CallMetrics | undefined;
  readonly #contract: string;
  readonly #around: AnyInterceptor | undefined;
  readonly #always: boolean;

  constructor({ name, version }: Contract, around: AnyInterceptor | undefined, metrics: CallMetrics | undefined) {
    this.#contract = `${name} ${version}`;
    this.#around = around;
    this.metrics = metrics;
    this.#always = around !== undefined || metrics !== undefined;
  }

  /** Whether the handler of a method is to be called by `handle`. */
  watches(method: MethodPlan): boolean {
    return this.#always || (method.kind === "call" && callsAreTraced());
  }

  /** Calls a handler. Answers what it answers, or a promise of it. */
  handle(method: MethodPlan, question: unknown, context: object, run: () => unknown): unknown {
    const message = new IncomingMessage(method, question, context as AnyContext);
    const intercepted = (): unknown => intercept(this.#around, message, run);
    const traced = (): unknown =>
      method.kind === "call" && callsAreTraced()
        ? traceCall(this.#trace(message, message.place), intercepted)
        : intercepted();
    return this.metrics === undefined ? traced() : this.metrics.measure(method.name, traced);
  }

  /** The function of a call or event of the peer, which sends by `send`. `peerOf` says who is asked, and is called for each message. */
  asking(method: MethodPlan, send: Asked, peerOf: () => AskedPeer): Asked {
    if (this.isIntercepted) return (input, options) => this.ask(method, input, options, peerOf(), send);
    if (method.kind !== "call") return send;
    return (input, options) =>
      callsAreTraced() ? this.ask(method, input, options, peerOf(), send) : send(input, options);
  }

  /** Whether there is an interceptor. */
  get isIntercepted(): boolean {
    return this.#around !== undefined;
  }

  /** Asks the peer by `send`, through the interceptor. */
  ask(
    method: MethodPlan,
    input: unknown,
    options: RemoteCallOptions | undefined,
    asked: AskedPeer,
    send: Asked,
  ): Promise<unknown> {
    const refused = refusedAtOnce(options, () => ({ ...asked.context, op: method.name }), SESSION_CALL_RULES);
    if (refused !== undefined) return rejectedQuietly(refused.reason);
    const message = new OutgoingMessage(method, input, options, asked);
    const go = (): unknown => send(input, message.options());
    const traced = (): unknown =>
      method.kind === "call" && callsAreTraced() ? traceCall(this.#trace(message, asked.context), go) : go();
    return handled(new Promise((resolve) => resolve(intercept(this.#around, message, traced))));
  }

  #trace(
    { direction, method, metadata, session }: IncomingMessage | OutgoingMessage,
    { local, remote }: Omit<OperationContext, "op">,
  ): CallTrace {
    const { id } = (session ?? {}) as { readonly id?: string };
    return { direction, contract: this.#contract, method, metadata, session: id, local, remote };
  }
}

/** Calls `around`, if there is one, and `run` when it says so. */
function intercept(around: AnyInterceptor | undefined, message: InterceptedMessage, run: () => unknown): unknown {
  if (around === undefined) return run();
  let going: Promise<unknown> | undefined;
  return around(message as never, () => (going ??= handled(new Promise((resolve) => resolve(run())))));
}

class IncomingMessage implements InterceptedMessage {
  readonly direction = "incoming" as const;
  readonly method: string;
  readonly kind: MethodPlan["kind"];
  readonly question: unknown;
  readonly #context: AnyContext;

  constructor({ name, kind }: MethodPlan, question: unknown, context: AnyContext) {
    this.method = name;
    this.kind = kind;
    this.question = question;
    this.#context = context;
  }

  get metadata(): Metadata {
    return this.#context.metadata;
  }
  get signal(): AbortSignal {
    return this.#context.signal;
  }
  get deadline(): number {
    return this.#context.deadline;
  }
  get session(): object | undefined {
    return this.#context.session;
  }
  get peer(): Address | undefined {
    return this.#context.from;
  }

  /** Between which addresses it came. */
  get place(): Omit<OperationContext, "op"> {
    const { session, from, localAddress } = this.#context;
    const { localAddress: own = localAddress, remoteAddress = from } = (session ?? {}) as Partial<Endpoints>;
    return { local: own?.toString(), remote: remoteAddress?.toString() };
  }
}

/** The addresses of a session. */
interface Endpoints {
  readonly localAddress: Address | undefined;
  readonly remoteAddress: Address | undefined;
}

class OutgoingMessage implements InterceptedMessage {
  readonly direction = "outgoing" as const;
  readonly method: string;
  readonly kind: MethodPlan["kind"];
  readonly question: unknown;
  readonly metadata: Record<string, string>;
  readonly signal: AbortSignal | undefined;
  readonly deadline: number;
  readonly session: object | undefined;
  readonly peer: Address | undefined;
  readonly #whileAway: WhileAway | undefined;
  readonly #now: () => number;

  constructor(
    { name, kind }: MethodPlan,
    question: unknown,
    { signal, timeoutMs, metadata, whileAway }: SessionCallOptions = {},
    asked: AskedPeer,
  ) {
    this.method = name;
    this.kind = kind;
    this.question = question;
    this.metadata = { ...metadata };
    this.signal = signal;
    this.deadline = asked.now() + (timeoutMs ?? (kind === "call" ? asked.callMs : Infinity));
    this.session = asked.session;
    this.peer = asked.peer;
    this.#whileAway = whileAway;
    this.#now = asked.now;
  }

  /** The options with which it is sent now. An event of a session has no end that could be named. */
  options(): RemoteCallOptions {
    const { metadata, signal, deadline } = this;
    if (deadline === Infinity && signal === undefined) return { metadata };
    const options = { metadata, signal, timeoutMs: Math.max(0, deadline - this.#now()) };
    return this.#whileAway === undefined ? options : ({ ...options, whileAway: this.#whileAway } as RemoteCallOptions);
  }
}
