/** What a side of a contract offers: calls, events and streams. */

import { UsageError } from "../errors.ts";
import { ANY_TEXT, ANYTHING, checkOptions, FLAG, oneOf, type RulesOf } from "../options/check-options.ts";
import { type InputOf, isSchema, type OutputOf, type Schema, type SchemaOrNone, type TypeOnly } from "./schema.ts";

const DESCRIPTION_RULES = { description: ANY_TEXT } as const;
const EVENT_RULES: RulesOf<EventOptions> = { ...DESCRIPTION_RULES, volatile: FLAG };
const CALL_RULES: RulesOf<CallOptions> = {
  ...DESCRIPTION_RULES,
  idempotent: FLAG,
  order: oneOf("concurrent", "serial"),
  atMostOnce: FLAG,
};
// What is no schema is told in its own words.
const STREAM_RULES: RulesOf<StreamOptions<SchemaOrNone, SchemaOrNone, SchemaOrNone>> = {
  ...DESCRIPTION_RULES,
  request: ANYTHING,
  sends: ANYTHING,
  receives: ANYTHING,
};

/** Options of {@link call}. */
export interface CallOptions<Idempotent extends boolean = boolean> {
  /** One sentence for the documentation of the contract. */
  readonly description?: string | undefined;
  /**
   * Doing it twice is the same as doing it once. Only such calls can go over datagrams, where a request is sent again until
   * it is answered. Default false.
   */
  readonly idempotent?: Idempotent | undefined;
  /**
   * `concurrent`: handlers of several calls run at once. `serial`: the call waits on the lane of the events until those
   * before it are handled. Either way handlers start in the order of the wire. Default `concurrent`.
   */
  readonly order?: "concurrent" | "serial" | undefined;
  /**
   * The handler must not run twice, also when its server dies: on a server with a journal it begins when the journal has it that it does,
   * one write later. If the server dies before the answer is kept, no other server runs it, and the caller gets `SESSION_MOVED`
   * with the outcome `unknown`: it was done, or it was not. What is behind it in its session waits until it has begun. Without a journal no
   * call is handed to another process anyway, and this says nothing new. Not together with `idempotent`. Default false.
   */
  readonly atMostOnce?: boolean | undefined;
}

/** Options of {@link event}. */
export interface EventOptions {
  /** One sentence for the documentation of the contract. */
  readonly description?: string | undefined;
  /**
   * At most once: for what is worth nothing a moment later, as where a cursor is, or that somebody types. Where there is no room or no connection
   * it is dropped, and nobody is told. It is stored nowhere, and may overtake others. Its function resolves at once. With a peer that is older
   * than this it goes as any other event. Default false.
   */
  readonly volatile?: boolean | undefined;
}

/** A question with an answer. Made by {@link call}. */
export interface CallMethod<
  Request extends SchemaOrNone = SchemaOrNone,
  Response extends SchemaOrNone = SchemaOrNone,
  Idempotent extends boolean = boolean,
> {
  /** Tells the kinds of methods apart. */
  readonly kind: "call";
  /** The schema of the question. */
  readonly request: Request;
  /** The schema of the answer. */
  readonly response: Response;
  /** Whether doing it twice is the same as doing it once. */
  readonly idempotent: Idempotent;
  /** Whether it waits on the lane of the events. */
  readonly order: "concurrent" | "serial";
  /** Whether no other server handles it again when its server dies. */
  readonly atMostOnce: boolean;
  /** One sentence for the documentation. */
  readonly description: string | undefined;
}

/** A message without an answer. Made by {@link event}. */
export interface EventMethod<Message extends SchemaOrNone = SchemaOrNone> {
  /** Tells the kinds of methods apart. */
  readonly kind: "event";
  /** The schema of the message. */
  readonly message: Message;
  /** Whether it may be lost. */
  readonly volatile: boolean;
  /** One sentence for the documentation. */
  readonly description: string | undefined;
}

/** A question that opens a stream of items, in one direction or both. Made by {@link stream}. */
export interface StreamMethod<
  Request extends SchemaOrNone = SchemaOrNone,
  Sends extends SchemaOrNone = SchemaOrNone,
  Receives extends SchemaOrNone = SchemaOrNone,
> {
  /** Tells the kinds of methods apart. */
  readonly kind: "stream";
  /** The schema of the question that opens the stream. */
  readonly request: Request;
  /** The schema of the items that the side which offers the stream sends; undefined when it sends none. */
  readonly sends: Sends;
  /** The schema of the items that the side which offers the stream receives; undefined when it receives none. */
  readonly receives: Receives;
  /** One sentence for the documentation. */
  readonly description: string | undefined;
}

/** Anything that a side can offer. */
export type Method = CallMethod | EventMethod | StreamMethod;

/** What a sender passes as the question or message of a method. */
export type RequestInput<M> = M extends { readonly request: infer S }
  ? InputOf<S>
  : M extends { readonly message: infer S }
    ? InputOf<S>
    : never;

/** What a handler gets as the question or message of a method. */
export type RequestOutput<M> = M extends { readonly request: infer S }
  ? OutputOf<S>
  : M extends { readonly message: infer S }
    ? OutputOf<S>
    : never;

/** What a handler answers to a call. */
export type ResponseInput<M> = M extends { readonly response: infer S } ? InputOf<S> : never;

/** What a caller gets as the answer to a call. */
export type ResponseOutput<M> = M extends { readonly response: infer S } ? OutputOf<S> : never;

/**
 * Declares a question with an answer.
 *
 * @param request - The schema of the question; left out, there is none.
 * @param response - The schema of the answer; left out, the answer only says that it was done.
 *
 * Without schemas the two types can be given instead. Then nothing is checked when the program runs.
 *
 * @example
 * ```ts
 * import { call, contract } from "zocalo/protocol";
 * export const clock = contract("clock", "1.0.0", { server: { add: call<{ a: number; b: number }, number>() } });
 * ```
 */
export function call(): CallMethod<undefined, undefined, false>;
/** Declares a question with an answer by two types alone. Nothing is checked when the program runs. */
export function call<Request, Response>(): CallMethod<TypeOnly<Request>, TypeOnly<Response>, false>;
/** Declares a question with an answer by their schemas. */
export function call<
  Request extends SchemaOrNone = undefined,
  Response extends SchemaOrNone = undefined,
  const Idempotent extends boolean = false,
>(
  request: Request,
  response?: Response,
  options?: CallOptions<Idempotent>,
): CallMethod<NoInfer<Request>, NoInfer<Response>, Idempotent>;
export function call(request?: Schema, response?: Schema, options: CallOptions = {}): CallMethod {
  const checkedOptions = checkOptions({ op: "call" }, options, CALL_RULES);
  const { idempotent = false, order = "concurrent", atMostOnce = false, description } = checkedOptions;
  if (idempotent && atMostOnce)
    throw invalid("call", "a call that is idempotent may run twice, so it cannot be atMostOnce as well");
  return {
    kind: "call",
    request: checked("call", request),
    response: checked("call", response),
    idempotent,
    order,
    atMostOnce,
    description,
  };
}

/**
 * Declares a message without an answer. Events of one session are handled one after the other, in the order of sending.
 *
 * @param message - The schema of the message; left out, the event carries nothing.
 *
 * @example
 * ```ts
 * import { contract, event } from "zocalo/protocol";
 * export const log = contract("log", "1.0.0", { server: { line: event<string>() } });
 * ```
 */
export function event(): EventMethod<undefined>;
/** Declares a message without an answer by its type alone. Nothing is checked when the program runs. */
export function event<Message>(): EventMethod<TypeOnly<Message>>;
/** Declares a message without an answer by its schema. */
export function event<Message extends SchemaOrNone>(message: Message, options?: EventOptions): EventMethod<Message>;
/** The same with options: `event<number>(undefined, { volatile: true })`. */
export function event<Message>(message: undefined, options: EventOptions): EventMethod<TypeOnly<Message>>;
export function event(message?: Schema, options: EventOptions = {}): EventMethod {
  const { volatile = false, description } = checkOptions({ op: "event" }, options, EVENT_RULES);
  return { kind: "event", message: checked("event", message), volatile, description };
}

/** Options of {@link stream}. */
export interface StreamOptions<
  Request extends SchemaOrNone,
  Sends extends SchemaOrNone,
  Receives extends SchemaOrNone,
> {
  /** The schema of the question that opens the stream. Default: there is none. */
  readonly request?: Request;
  /** The schema of the items that the side which offers the stream sends. Default: it sends none. */
  readonly sends?: Sends;
  /** The schema of the items that the side which offers the stream receives. Default: it receives none. */
  readonly receives?: Receives;
  /** One sentence for the documentation of the contract. */
  readonly description?: string | undefined;
}

/**
 * Declares a stream of items, in one direction or both. Each stream has its own credit, so that a slow one never holds up
 * another.
 *
 * @example
 * ```ts
 * import { bytes, contract, stream } from "zocalo/protocol";
 * export const files = contract("files", "1.0.0", { server: { upload: stream({ receives: bytes }) } });
 * ```
 */
export function stream<
  Request extends SchemaOrNone = undefined,
  Sends extends SchemaOrNone = undefined,
  Receives extends SchemaOrNone = undefined,
>(
  options: StreamOptions<Request, Sends, Receives>,
  // What is left out must not be guessed from where the method is used.
): StreamMethod<NoInfer<Request>, NoInfer<Sends>, NoInfer<Receives>> {
  const { request, sends, receives, description } = checkOptions({ op: "stream" }, options, STREAM_RULES);
  if (sends === undefined && receives === undefined) throw invalid("stream", "a stream needs `sends` or `receives`");
  for (const schema of [request, sends, receives]) checked("stream", schema);
  return { kind: "stream", request, sends, receives, description } as StreamMethod<Request, Sends, Receives>;
}

function checked(op: string, schema: Schema | undefined): Schema | undefined {
  if (schema === undefined || isSchema(schema)) return schema;
  throw invalid(op, "a schema must keep Standard Schema version 1, as zod, valibot and arktype do");
}

function invalid(op: string, detail: string): UsageError {
  return new UsageError("OPTION_INVALID", { op, detail });
}
