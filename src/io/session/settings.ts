/** What all sessions of a server or client have in common: their options with the defaults. */

import { DEFAULT_LIMITS, type HandshakeLimits } from "../../core/handshake/limits.ts";
import { type Agreement, MOVES_FEATURE } from "../../core/handshake/negotiate.ts";
import type { OverflowPolicy } from "../../core/options/check-options.ts";
import type { SessionSnapshot } from "../../core/session/gate.ts";
import { DEFAULT_REPLAY, type ReplayBounds } from "../../core/session/settings.ts";
import { SESSION_CODECS, type SessionCodec } from "../contract/format.ts";
import { CallMetrics } from "../contract/call-metrics.ts";
import { type AnyInterceptor, CallWatch } from "../contract/call-watch.ts";
import { type AnyHandler, handlersOf } from "../contract/handlers.ts";
import { METADATA_FEATURE, type WhileAway } from "../contract/metadata.ts";
import type { ContractPlan, MethodPlan } from "../contract/plan.ts";
import type { Clock } from "../network/network.ts";
import type { PeerProblems } from "../operation/peer-problems.ts";
import type { ResumeOptions, SessionLimits, SessionTuning } from "./options.ts";
import type { SessionSchedule } from "./schedule.ts";
import { AgreedTerms } from "./terms.ts";

/** The message that a handler is called for. */
export interface Handled {
  readonly session: object;
  /** The name of the message: the same each time that it comes. */
  readonly messageId: string;
  /** Its number in the session. */
  readonly number: number;
  /** Nobody waits for the answer any more. */
  readonly isCancelled: boolean;
}

/** Calls `run`, which calls the handler of a message. Answers what it answers, or a promise of it. */
export type HandlingWithin = (handled: Handled, method: MethodPlan, run: () => unknown) => unknown;

/** What all sessions of a server or a client have in common. */
export interface EndpointSettings {
  readonly clock: Clock;
  readonly schedule: SessionSchedule;
  /** Decides which problems of the peers are told one by one. */
  readonly peerProblems: PeerProblems;
  readonly plan: ContractPlan;
  readonly terms: AgreedTerms;
  readonly codecs: readonly SessionCodec[];
  /** Optional parts of the protocol that it knows. */
  readonly features: readonly string[];
  /** What is told in the handshake. */
  readonly limits: HandshakeLimits;
  readonly replay: ReplayBounds;
  /** Whether a journal keeps the sessions. */
  readonly journaled: boolean;
  readonly overflow: OverflowPolicy;
  readonly maxHeldBytesPerSession: number;
  readonly callMs: number;
  /** Of calls that do not say. */
  readonly whileAway: WhileAway;
  readonly maxConcurrentCalls: number;
  readonly maxMessagesPerSecond: number;
  readonly maxWrongMessages: number;
  readonly handshakeMs: number;
  readonly finishMs: number;
  /** As the program gave them: `this` of each handler. */
  readonly handlers: object;
  /** By the place of their methods. */
  readonly handlerList: readonly AnyHandler[];
  /** What happens around calls, both ways. */
  readonly watch: CallWatch;
  /** Runs each handler, where a journal must know what is said in it. */
  readonly within?: HandlingWithin | undefined;
}

/** What a session is made of. */
export interface EndpointOrder {
  readonly id: string;
  readonly agreement: Agreement;
  readonly keptMs: number;
  /** What a journal has of it; undefined for a new one. */
  readonly kept?: SessionSnapshot | undefined;
}

/** What a side is made of, whichever it is. */
interface EndpointOptions extends SessionTuning {
  readonly limits?: SessionLimits | undefined;
  readonly resume?: ResumeOptions | undefined;
  readonly handlers?: object | undefined;
  readonly around?: unknown;
  readonly metrics?: boolean | undefined;
  readonly whileAway?: WhileAway | undefined;
  readonly journal?: unknown;
}

/** Fills in the defaults of options that were checked. @throws UsageError `OPTION_INVALID` for a handler that is missing. */
export function endpointSettings(
  { limits = {}, timeouts = {}, resume = {}, handlers = {}, around, metrics, journal, ...tuning }: EndpointOptions,
  common: Pick<EndpointSettings, "clock" | "schedule" | "peerProblems" | "plan" | "within">,
): EndpointSettings {
  const { plan, clock } = common;
  const op = plan.role === "server" ? "serveSessions" : "connectSession";
  // A client has chosen its server.
  const [mostMessages, mostWrong] = plan.role === "server" ? [1_000_000, 1000] : [Infinity, Infinity];
  return {
    ...common,
    terms: new AgreedTerms(),
    codecs: tuning.codecs ?? SESSION_CODECS,
    features: [METADATA_FEATURE, MOVES_FEATURE],
    limits: {
      maxMessageBytes: limits.maxMessageBytes ?? DEFAULT_LIMITS.maxMessageBytes,
      windowBytes: limits.windowBytes ?? DEFAULT_LIMITS.windowBytes,
      streamWindowBytes: limits.streamWindowBytes ?? DEFAULT_LIMITS.streamWindowBytes,
      maxCalls: limits.maxCalls ?? DEFAULT_LIMITS.maxCalls,
      maxStreams: limits.maxStreams ?? DEFAULT_LIMITS.maxStreams,
      heartbeatMs: timeouts.heartbeatMs ?? DEFAULT_LIMITS.heartbeatMs,
    },
    replay: {
      maxBytes: resume.maxReplayBytes ?? DEFAULT_REPLAY.maxBytes,
      maxMessages: resume.maxReplayMessages ?? DEFAULT_REPLAY.maxMessages,
      maxAgeMs: resume.maxReplayAgeMs ?? DEFAULT_REPLAY.maxAgeMs,
    },
    journaled: journal !== undefined,
    overflow: tuning.overflow ?? "block",
    maxHeldBytesPerSession: limits.maxHeldBytesPerSession ?? 33_554_432,
    callMs: timeouts.callMs ?? 30_000,
    whileAway: tuning.whileAway ?? "wait",
    maxConcurrentCalls: limits.maxConcurrentCalls ?? 64,
    maxMessagesPerSecond: limits.maxMessagesPerSecond ?? mostMessages,
    maxWrongMessages: limits.maxWrongMessages ?? mostWrong,
    handshakeMs: timeouts.handshakeMs ?? 10_000,
    finishMs: timeouts.finishMs ?? 30_000,
    handlers,
    handlerList: handlersOf(plan.own, handlers as Readonly<Record<string, unknown>>, op),
    watch: new CallWatch(
      plan.contract,
      around as AnyInterceptor | undefined,
      metrics === true ? new CallMetrics(plan.own, () => clock.now()) : undefined,
    ),
  };
}
