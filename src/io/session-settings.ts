/** What can be set about sessions, with its defaults; one object serves all sessions of a server or client. */

import { type Methods, methodNames } from "../core/contract/contract.ts";
import { UsageError } from "../core/errors.ts";
import { DEFAULT_LIMITS, type SessionLimits } from "../core/handshake/limits.ts";
import type { ReplayBounds } from "../core/session/outgoing.ts";
import type { OverflowPolicy } from "../core/session/waiting-events.ts";
import type { Clock } from "./network.ts";
import { SESSION_CODECS, type SessionCodec } from "./session-format.ts";
import type { ContractPlan, ValidationPolicy } from "./session-plan.ts";
import type { SessionSchedule } from "./session-schedule.ts";

export type { SessionLimits } from "../core/handshake/limits.ts";
export type { ReplayBounds } from "../core/session/outgoing.ts";
export type { OverflowPolicy } from "../core/session/waiting-events.ts";

/** What both sides can set about their sessions. */
export interface SessionTuning {
  /** The codecs to offer or accept, the favourite first. Default: `msgpack`, `json`, `bytes`. */
  readonly codecs?: readonly SessionCodec[] | undefined;
  /** When values are checked against their schemas. Default `receive`: what the peer sends. */
  readonly validate?: ValidationPolicy | undefined;
  /** What this side is ready to receive: sizes, windows, calls, streams, heartbeat. Each has a default of its own. */
  readonly limits?: Partial<SessionLimits> | undefined;
  /** Bounds of the messages that are sent and not acknowledged. Default: 1 MiB, 16,384 messages, 120 seconds. */
  readonly replay?: Partial<ReplayBounds> | undefined;
  /**
   * What happens to an event when there is no room for it: `block` (default) lets its sender wait, `strict` rejects it with
   * `QUEUE_FULL`, `drop-oldest` and `drop-newest` keep at most 1,024 events or 1 MiB waiting and drop the others. An event
   * that has its number is never dropped (SEMANTICS D.2).
   */
  readonly overflow?: OverflowPolicy | undefined;
  /** The time-out of calls that name none, in milliseconds. Default 30,000; `Infinity` for none. */
  readonly callTimeoutMs?: number | undefined;
  /** Handlers of calls that run at once in one session. Default 64; those that come later wait in the order of the wire. */
  readonly maxConcurrentCalls?: number | undefined;
  /**
   * Messages a second that are taken from one peer. Who sends more is read more slowly, and loses nothing. Default 1,000,000
   * at a server, so that one client takes a part of a processor at most; no limit at a client.
   */
  readonly maxMessagesPerSecond?: number | undefined;
  /** Longest time for the whole handshake, `authenticate` included, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number | undefined;
}

/** A handler, whatever its method. */
export type AnyHandler = (input: unknown, ...rest: readonly unknown[]) => unknown;

/** What all sessions of a server or a client have in common. */
export interface EndpointSettings {
  readonly clock: Clock;
  readonly schedule: SessionSchedule;
  readonly plan: ContractPlan;
  readonly codecs: readonly SessionCodec[];
  readonly limits: SessionLimits;
  readonly replay: Partial<ReplayBounds>;
  readonly overflow: OverflowPolicy;
  readonly callTimeoutMs: number;
  readonly maxConcurrentCalls: number;
  readonly maxMessagesPerSecond: number;
  readonly handshakeTimeoutMs: number;
  /** As the program gave them: `this` of each handler. */
  readonly handlers: object;
  /** By the place of their methods. */
  readonly handlerList: readonly AnyHandler[];
}

const OVERFLOWS: readonly OverflowPolicy[] = ["block", "strict", "drop-oldest", "drop-newest"];
const VALIDATIONS: readonly ValidationPolicy[] = ["receive", "both", "none"];

/** Checks the options and fills in the defaults. @throws UsageError `OPTION_INVALID`. */
export function endpointSettings(
  tuning: SessionTuning & { readonly handlers?: object | undefined },
  common: Pick<EndpointSettings, "clock" | "schedule" | "plan">,
): EndpointSettings {
  const { plan } = common;
  const op = plan.role === "server" ? "serveSessions" : "openSession";
  const positive = (name: string, value: number | undefined, standard: number): number => {
    if (value === undefined) return standard;
    if (value > 0) return value;
    throw invalid(op, `${name} must be a positive number, or Infinity for no limit, not ${String(value)}`);
  };
  const { codecs = SESSION_CODECS, overflow = "block", validate = "receive", handlers = {} } = tuning;
  if (codecs.length === 0 || !codecs.every((codec) => SESSION_CODECS.includes(codec))) {
    throw invalid(op, `codecs must be some of ${SESSION_CODECS.join(", ")}`);
  }
  if (!OVERFLOWS.includes(overflow)) throw invalid(op, `overflow must be one of ${OVERFLOWS.join(", ")}`);
  if (!VALIDATIONS.includes(validate)) throw invalid(op, `validate must be one of ${VALIDATIONS.join(", ")}`);
  return {
    ...common,
    codecs,
    limits: checkedLimits(tuning.limits ?? {}, op),
    replay: tuning.replay ?? {},
    overflow,
    callTimeoutMs: positive("callTimeoutMs", tuning.callTimeoutMs, 30_000),
    maxConcurrentCalls: positive("maxConcurrentCalls", tuning.maxConcurrentCalls, 64),
    maxMessagesPerSecond: positive(
      "maxMessagesPerSecond",
      tuning.maxMessagesPerSecond,
      plan.role === "server" ? 1_000_000 : Infinity,
    ),
    handshakeTimeoutMs: positive("handshakeTimeoutMs", tuning.handshakeTimeoutMs, 10_000),
    handlers,
    handlerList: handlersOf(plan.own, handlers as Readonly<Record<string, unknown>>, op),
  };
}

function checkedLimits(asked: Partial<SessionLimits>, op: string): SessionLimits {
  const limits = { ...DEFAULT_LIMITS, ...asked };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 0) throw invalid(op, `limits.${name} must be a whole number, not ${value}`);
  }
  return limits;
}

/** The handlers in the order of the places of their methods: one for each, and none for anything else. */
function handlersOf(own: Methods, handlers: Readonly<Record<string, unknown>>, op: string): readonly AnyHandler[] {
  for (const name of Object.keys(handlers)) {
    if (!Object.hasOwn(own, name))
      throw invalid(op, `there is a handler for "${name}", which this side does not offer`);
  }
  return methodNames(own).map((name) => {
    const handler = handlers[name];
    if (typeof handler === "function") return handler as AnyHandler;
    throw invalid(op, `handlers must have a function for "${name}": nothing may arrive before its handler`);
  });
}

function invalid(op: string, detail: string): UsageError {
  return new UsageError("OPTION_INVALID", { op, detail });
}
