/** A contract, prepared for one side: each method by its name and number, with the formats of what it carries. */

import { isBytes, type Schema, validate } from "../../core/contract/schema.ts";
import { type Contract, type Methods, methodNames } from "../../core/contract/contract.ts";
import type { Method } from "../../core/contract/method.ts";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import { InvalidContent } from "../../core/framing/frame-error.ts";
import { DEFAULT_MAX_VALUES } from "../../core/framing/formats/value-limits.ts";
import { peerError } from "../../core/peer-error.ts";
import type { BodyPlace } from "../../core/session/outgoing.ts";
import { type BodyFormat, formatOf, RAW, type SessionCodec } from "./format.ts";

/**
 * When values are checked against their schemas. `receive`: what the peer sends, and the handler gets the schema's output.
 * `both`: also what this side sends; the result is discarded, since the wire carries the schema's input. `none`: nothing, and
 * what comes is what the peer says it is, without defaults and transformations.
 */
export type ValidationPolicy = "receive" | "both" | "none";

/** The values of one schema in one codec, with the checks that the policy asks for. */
export class ValuePlan {
  readonly #format: BodyFormat;
  readonly #what: string;
  readonly #checkedOnSending: Schema | undefined;
  readonly #checkedOnReceipt: Schema | undefined;

  /** @param what - Names the values in errors, which both sides read: `the question of "join"`. */
  constructor(schema: Schema | undefined, format: BodyFormat, policy: ValidationPolicy, what: string) {
    this.#what = what;
    this.#format = isBytes(schema) ? RAW : format;
    // Its format checks it already.
    const checked = isBytes(schema) || policy === "none" ? undefined : schema;
    this.#checkedOnReceipt = checked;
    this.#checkedOnSending = policy === "both" ? checked : undefined;
  }

  /** Where the body of a value stands, until the next one is encoded. @throws UsageError `FRAME_INVALID`. */
  encode(value: unknown): BodyPlace {
    if (this.#checkedOnSending !== undefined) {
      const result = validate(this.#checkedOnSending, value);
      if (!result.valid) {
        const detail = `${this.#what} is not what its schema says: ${describeIssues(result.issues)}`;
        throw new UsageError("FRAME_INVALID", { op: "send", detail, side: "local", outcome: "none" });
      }
    }
    try {
      return this.#format.encode(value);
    } catch (error) {
      if (!(error instanceof ZocaloError)) throw error;
      const { code, cause } = error;
      const detail = `${this.#what}: ${error.detail}`;
      throw new UsageError(code, { op: "send", detail, side: "local", outcome: "none", cause });
    }
  }

  /** A copy of a value, as its body carries it, and the length of that body. @throws UsageError `FRAME_INVALID`. */
  copy(value: unknown): { readonly value: unknown; readonly bytes: number } {
    const { bytes, start, end } = this.encode(value);
    const body = Buffer.from(bytes.subarray(start, end));
    const copy = this.#format.tryDecode(body, 0, body.length);
    // The limits of this side may be lower than those of its peer.
    return { value: copy instanceof InvalidContent ? value : copy, bytes: body.length };
  }

  /** The value of a body of this side; undefined when its own limits are too low for that. */
  reread(bytes: Buffer, start: number, end: number): { readonly value: unknown } | undefined {
    const value = this.#format.tryDecode(bytes, start, end);
    return value instanceof InvalidContent ? undefined : { value };
  }

  /** The value of a body. @throws ProtocolError `FRAME_INVALID`, `FRAME_TOO_LONG`. */
  decode(bytes: Buffer, start: number, end: number): unknown {
    const value = this.#format.tryDecode(bytes, start, end);
    if (value instanceof InvalidContent) {
      const { code, detail, cause } = value;
      throw peerError(code, { op: "receive", detail: `${this.#what}: ${detail}`, cause });
    }
    if (this.#checkedOnReceipt === undefined) return value;
    const result = validate(this.#checkedOnReceipt, value);
    if (result.valid) return result.value;
    const detail = `${this.#what} is not what its schema says: ${describeIssues(result.issues)}`;
    throw peerError("FRAME_INVALID", { op: "receive", detail });
  }
}

/** One method in one codec. */
export interface MethodPlan {
  readonly name: string;
  readonly kind: Method["kind"];
  /** Its place in the list of what this version of the contract offers. */
  readonly place: number;
  /** A call that waits on the lane of the events. */
  readonly serial: boolean;
  /** A call that no other server handles again when its server dies. */
  readonly atMostOnce: boolean;
  /** An event that may be lost. */
  readonly volatile: boolean;
  /** The question, or the message of an event. */
  readonly request: ValuePlan;
  /** The response of a call. */
  readonly response: ValuePlan;
  /** Items that the side which offers a stream sends, and receives; undefined for a direction that it does not have. */
  readonly sends: ValuePlan | undefined;
  readonly receives: ValuePlan | undefined;
}

/** What one side of a contract offers, in one codec. */
export class OffersPlan {
  /** The names, in the order in which messages number them. */
  readonly names: readonly string[];
  readonly methods: readonly MethodPlan[];

  constructor(offered: Methods, format: BodyFormat, policy: ValidationPolicy) {
    this.names = methodNames(offered);
    const plan = (schema: Schema | undefined, what: string): ValuePlan => new ValuePlan(schema, format, policy, what);
    const nothing = plan(undefined, "nothing");
    this.methods = this.names.map((name, place): MethodPlan => {
      const method = offered[name] as Method;
      const rest = {
        request: nothing,
        response: nothing,
        sends: undefined,
        receives: undefined,
        serial: false,
        atMostOnce: false,
        volatile: false,
      };
      const { kind } = method;
      if (kind === "event") {
        const { volatile } = method;
        return { ...rest, name, kind, place, request: plan(method.message, `the event "${name}"`), volatile };
      }
      const request = plan(method.request, `the question of "${name}"`);
      if (kind === "call") {
        return {
          ...rest,
          name,
          kind,
          place,
          request,
          response: plan(method.response, `the answer of "${name}"`),
          serial: method.order === "serial",
          atMostOnce: method.atMostOnce,
        };
      }
      const item = `an item of "${name}"`;
      const sends = method.sends === undefined ? undefined : plan(method.sends, item);
      const receives = method.receives === undefined ? undefined : plan(method.receives, item);
      return { ...rest, name, kind, place, request, sends, receives };
    });
  }
}

/** What both sides of a contract offer, as one of them sees it, in one codec. */
export interface CodecPlan {
  readonly own: OffersPlan;
  readonly peer: OffersPlan;
}

/** A contract, prepared for one side. The plan of a codec is made when the first session uses it. */
export class ContractPlan {
  readonly contract: Contract;
  readonly role: "client" | "server";
  readonly #policy: ValidationPolicy;
  readonly #maxValues: number;
  readonly #plans: Map<SessionCodec, CodecPlan> = new Map();

  /** @param maxValues - Most values in one message, both ways. */
  constructor(
    contract: Contract,
    role: "client" | "server",
    policy: ValidationPolicy = "receive",
    maxValues: number = DEFAULT_MAX_VALUES,
  ) {
    this.contract = contract;
    this.role = role;
    this.#policy = policy;
    this.#maxValues = maxValues;
  }

  /** What this side offers. */
  get own(): Methods {
    return this.contract[this.role];
  }

  /** What the other side offers. */
  get peer(): Methods {
    return this.contract[this.role === "client" ? "server" : "client"];
  }

  /** The plan of a codec. */
  of(codec: SessionCodec): CodecPlan {
    const known = this.#plans.get(codec);
    if (known !== undefined) return known;
    const format = formatOf(codec, this.#maxValues);
    const plan = {
      own: new OffersPlan(this.own, format, this.#policy),
      peer: new OffersPlan(this.peer, format, this.#policy),
    };
    this.#plans.set(codec, plan);
    return plan;
  }
}

/**
 * Where the methods of the peer stand in its own list, which another version of the contract may have in another order: by
 * their place in ours, -1 for one that it does not offer. Undefined when the two lists are the same.
 */
export function peerPlaces(ours: readonly string[], theirs: readonly string[]): readonly number[] | undefined {
  if (ours.length === theirs.length && ours.every((name, index) => theirs[index] === name)) return undefined;
  const places = new Map(theirs.map((name, index) => [name, index]));
  return ours.map((name) => places.get(name) ?? -1);
}

function describeIssues(issues: readonly { readonly message: string; readonly path: readonly string[] }[]): string {
  return issues.map(({ message, path }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join("; ");
}
