/** What can be set about sessions, with its defaults; one object serves all sessions of a server or client. */

import { LARGEST_MAX_VALUES } from "../../core/framing/formats/value-limits.ts";
import { DEFAULT_LIMITS, OWN_RANGES, type SessionLimits } from "../../core/handshake/limits.ts";
import { DEFAULT_REPLAY, type ReplayBounds } from "../../core/session/settings.ts";
import type { OverflowPolicy } from "../../core/session/waiting-events.ts";
import {
  countFrom,
  FROM_ZERO,
  OBJECT,
  oneOf,
  type OptionRules,
  type RulesOf,
  options,
  POSITIVE,
  wholeNumber,
} from "../../core/options/check-options.ts";
import type { Clock } from "../network/network.ts";
import type { PeerProblems } from "../operation/peer-problems.ts";
import { SESSION_CODECS, type SessionCodec } from "../contract/format.ts";
import { type AnyHandler, handlersOf } from "../contract/handlers.ts";
import type { ContractPlan, ValidationPolicy } from "../contract/plan.ts";
import type { SessionSchedule } from "./schedule.ts";
import { AgreedTerms } from "./terms.ts";

export type { SessionLimits } from "../../core/handshake/limits.ts";
export type { ReplayBounds } from "../../core/session/settings.ts";
export type { OverflowPolicy } from "../../core/session/waiting-events.ts";

/** What both sides can set about their sessions. */
export interface SessionTuning {
  /** The codecs to offer or accept, the favourite first. Default: `msgpack`, `json`, `bytes`. */
  readonly codecs?: readonly SessionCodec[] | undefined;
  /** When values are checked against their schemas. Default `receive`: what the peer sends. */
  readonly validate?: ValidationPolicy | undefined;
  /** What this side is ready to receive: sizes, windows, calls, streams, heartbeat. Each has a default of its own. */
  readonly limits?: Partial<SessionLimits> | undefined;
  /**
   * Most values in one message, sent or received: each number, text, array and map in it counts. More is `FRAME_TOO_LONG`.
   * Default 10,000: a value can take sixty times as much memory as it takes on the wire, which `limits.maxMessageBytes`
   * bounds. It is not told in the handshake: give both sides the same.
   */
  readonly maxMessageValues?: number | undefined;
  /**
   * Bounds of the messages that are sent and not acknowledged. Default: 1 MiB, 16,384 messages, 120 seconds. The time holds
   * for events that wait for room too: what a peer does not take for so long ends the session with `REPLAY_OVERFLOW`.
   */
  readonly replay?: Partial<ReplayBounds> | undefined;
  /**
   * What happens to an event when there is no room for it: `block` (default) lets its sender wait, up to 65,536 events or 16
   * MiB, and rejects those behind them with `QUEUE_FULL`; `strict` rejects it with `QUEUE_FULL` at once; `drop-oldest` and
   * `drop-newest` keep at most 1,024 events or 1 MiB waiting and drop the others. Events that go to many sessions at once, for which nobody
   * waits, are kept within the latter bounds under `block` as well. The bytes are the memory that the events pin. An event
   * that has its number is never dropped (docs/semantics.md, rule D2).
   */
  readonly overflow?: OverflowPolicy | undefined;
  /**
   * Memory that one session may hold, in bytes. Default 32 MiB. What this side sends and would have to wait beyond it is
   * refused with `QUEUE_FULL`; an event for which nobody waits is dropped. What the peer may let wait is bounded by `limits`.
   */
  readonly maxHeldBytesPerSession?: number | undefined;
  /** The time-out of calls that name none, in milliseconds. Default 30,000; `Infinity` for none. */
  readonly callTimeoutMs?: number | undefined;
  /** Handlers of calls that run at once in one session. Default 64; those that come later wait in the order of the wire. */
  readonly maxConcurrentCalls?: number | undefined;
  /**
   * Frames a second that are taken from one peer: messages, and what goes with them, such as acknowledgements. What is dear
   * counts for more: opening a stream and cancelling as 10, a message that makes no sense as 1,000. Who sends more is read more
   * slowly, and loses nothing. Default 1,000,000 at a server, so that one client takes a part of a processor at most; no limit
   * at a client.
   */
  readonly maxMessagesPerSecond?: number | undefined;
  /**
   * Messages in a row that make no sense: of a method that is not offered, with a body that cannot be decoded, or that is not
   * what its schema says. One more ends the session with `LIMIT_EXCEEDED`. The first ten in a row are told to `onError` one by
   * one, of all peers together 100 in a second; the others are told as a number. Default 1,000 at a server; no limit at a
   * client.
   */
  readonly maxWrongMessages?: number | undefined;
  /** Longest time for the whole handshake, `authenticate` included, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * How long the handlers of events that were accepted have when a session is over, however it ended, in milliseconds. Default
   * 30,000, as a call has. What has not begun then is not handled: `closed` counts it (`unhandled`), and `onError` is told.
   */
  readonly finishTimeoutMs?: number | undefined;
}

/** What all sessions of a server or a client have in common. */
export interface EndpointSettings {
  readonly clock: Clock;
  readonly schedule: SessionSchedule;
  /** Decides which problems of the peers are told one by one. */
  readonly peerProblems: PeerProblems;
  readonly plan: ContractPlan;
  readonly terms: AgreedTerms;
  readonly codecs: readonly SessionCodec[];
  readonly limits: SessionLimits;
  readonly replay: ReplayBounds;
  readonly overflow: OverflowPolicy;
  readonly maxHeldBytesPerSession: number;
  readonly callTimeoutMs: number;
  readonly maxConcurrentCalls: number;
  readonly maxMessagesPerSecond: number;
  readonly maxWrongMessages: number;
  readonly handshakeTimeoutMs: number;
  readonly finishTimeoutMs: number;
  /** As the program gave them: `this` of each handler. */
  readonly handlers: object;
  /** By the place of their methods. */
  readonly handlerList: readonly AnyHandler[];
}

/** The ranges of the limits, which the peer checks again in the handshake. */
const LIMIT_RULES: OptionRules = Object.fromEntries(
  Object.entries(OWN_RANGES).map(([name, [least, most]]) => [name, wholeNumber(least, most)]),
);

/** The rules of {@link SessionTuning}. */
export const TUNING_RULES: RulesOf<SessionTuning & { readonly handlers: object }> = {
  codecs: {
    wanted: `an array of some of ${SESSION_CODECS.join(", ")}`,
    holds: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      Array.from(value).every((one) => SESSION_CODECS.includes(one as SessionCodec)),
  },
  validate: oneOf("receive", "both", "none"),
  maxMessageValues: wholeNumber(1, LARGEST_MAX_VALUES),
  limits: options(LIMIT_RULES),
  replay: options({ maxBytes: POSITIVE, maxMessages: POSITIVE, maxAgeMs: POSITIVE }),
  overflow: oneOf("block", "strict", "drop-oldest", "drop-newest"),
  maxHeldBytesPerSession: POSITIVE,
  callTimeoutMs: POSITIVE,
  maxConcurrentCalls: countFrom(1),
  maxMessagesPerSecond: POSITIVE,
  maxWrongMessages: countFrom(0),
  handshakeTimeoutMs: POSITIVE,
  finishTimeoutMs: FROM_ZERO,
  handlers: OBJECT,
};

/** Fills in the defaults of options that were checked. @throws UsageError `OPTION_INVALID` for a handler that is missing. */
export function endpointSettings(
  tuning: SessionTuning & { readonly handlers?: object | undefined },
  common: Pick<EndpointSettings, "clock" | "schedule" | "peerProblems" | "plan">,
): EndpointSettings {
  const { plan } = common;
  const op = plan.role === "server" ? "serveSessions" : "connectSession";
  const { handlers = {} } = tuning;
  // A client has chosen its server.
  const [mostMessages, mostWrong] = plan.role === "server" ? [1_000_000, 1000] : [Infinity, Infinity];
  return {
    ...common,
    terms: new AgreedTerms(),
    codecs: tuning.codecs ?? SESSION_CODECS,
    limits: { ...DEFAULT_LIMITS, ...tuning.limits },
    replay: { ...DEFAULT_REPLAY, ...tuning.replay },
    overflow: tuning.overflow ?? "block",
    maxHeldBytesPerSession: tuning.maxHeldBytesPerSession ?? 33_554_432,
    callTimeoutMs: tuning.callTimeoutMs ?? 30_000,
    maxConcurrentCalls: tuning.maxConcurrentCalls ?? 64,
    maxMessagesPerSecond: tuning.maxMessagesPerSecond ?? mostMessages,
    maxWrongMessages: tuning.maxWrongMessages ?? mostWrong,
    handshakeTimeoutMs: tuning.handshakeTimeoutMs ?? 10_000,
    finishTimeoutMs: tuning.finishTimeoutMs ?? 30_000,
    handlers,
    handlerList: handlersOf(plan.own, handlers as Readonly<Record<string, unknown>>, op),
  };
}
