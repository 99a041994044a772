/** The options of sessions that both sides have, and what they must look like. */

import {
  countFrom,
  FROM_ZERO,
  OBJECT,
  oneOf,
  options as object,
  OVERFLOW,
  type OverflowPolicy,
  POSITIVE,
  type RulesOf,
  wholeNumber,
} from "../../core/options/check-options.ts";
import { LARGEST_MAX_VALUES } from "../../core/framing/formats/value-limits.ts";
import { OWN_RANGES } from "../../core/handshake/limits.ts";
import { SESSION_CODECS, type SessionCodec } from "../contract/format.ts";
import type { ValidationPolicy } from "../contract/plan.ts";

/** Limits of one session. All are on by default. The first five are told to the peer in the handshake, which must keep to them. */
export interface SessionLimits {
  /** The longest message in bytes: what follows the length field of its frame. Default 1 MiB, at most 536,870,888. */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Bytes of events, calls and openings of streams that may wait to be handled, counted as their frames stand on the
   * wire. Default 1 MiB, as much as the peer retains by default: with less, a fast sender waits on a local network.
   */
  readonly windowBytes?: number | undefined;
  /** Bytes of items that may wait in one stream, counted as their frames stand on the wire. Default 256 KiB. */
  readonly streamWindowBytes?: number | undefined;
  /** Calls of the peer that may be unanswered. Default 256. */
  readonly maxCalls?: number | undefined;
  /** Streams of the peer that may be open. Default 64. */
  readonly maxStreams?: number | undefined;
  /**
   * Most values in one message, sent or received: each number, text, array and map in it counts. More is `FRAME_TOO_LONG`.
   * Default 10,000: a value can take sixty times as much memory as it takes on the wire, which `maxMessageBytes`
   * bounds. It is not told in the handshake: give both sides the same.
   */
  readonly maxMessageValues?: number | undefined;
  /**
   * Memory that one session may hold, in bytes. Default 32 MiB. What this side sends and would have to wait beyond it is
   * refused with `QUEUE_FULL`; an event for which nobody waits is dropped. What the peer may let wait is bounded by the limits above.
   */
  readonly maxHeldBytesPerSession?: number | undefined;
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
}

/** Time-outs of sessions, in milliseconds. */
export interface SessionTimeouts {
  /** The time-out of calls that name none. Default 30,000; `Infinity` for none. */
  readonly callMs?: number | undefined;
  /** Longest time for the whole handshake, `authenticate` included. Default 10,000. */
  readonly handshakeMs?: number | undefined;
  /**
   * How long the handlers of events that were accepted have when a session is over, however it ended. Default
   * 30,000, as a call has. What has not begun then is not handled: `closed` counts it (`unhandled`), and `onError` is told.
   */
  readonly finishMs?: number | undefined;
  /** Ends a connection whose peer takes no bytes of a pending write for so long. Default 60,000; `Infinity` for never. */
  readonly writeStallMs?: number | undefined;
  /**
   * When nothing was heard from the peer for so long, it is asked for a sign of life; after the same time
   * again the connection is lost. The smaller number of the two sides holds for both. Default 15,000.
   */
  readonly heartbeatMs?: number | undefined;
}

/** Bounds of what a side keeps to send it again on the next connection: the messages that are sent and not acknowledged. */
export interface ResumeOptions {
  /** Most bytes of messages. Default 1 MiB. */
  readonly maxReplayBytes?: number | undefined;
  /** Most messages. Default 16,384. */
  readonly maxReplayMessages?: number | undefined;
  /**
   * How long a message may stay without acknowledgement, in milliseconds, since it was sent, or since the peer has shown last
   * that something arrives: a slow line takes its time. Default 120,000. It holds for events that wait for room too: what a peer
   * does not take for so long ends the session with `REPLAY_OVERFLOW`.
   */
  readonly maxReplayAgeMs?: number | undefined;
}

/** What both sides can set about their sessions. */
export interface SessionTuning {
  /** The codecs to offer or accept, the favourite first. Default: `msgpack`, `json`, `bytes`. */
  readonly codecs?: readonly SessionCodec[] | undefined;
  /** When values are checked against their schemas. Default `receive`: what the peer sends. */
  readonly validate?: ValidationPolicy | undefined;
  /**
   * What happens to an event when there is no room for it: `block` (default) lets its sender wait, up to 65,536 events or 16
   * MiB, and rejects those behind them with `QUEUE_FULL`; `strict` rejects it with `QUEUE_FULL` at once; `drop-oldest` and
   * `drop-newest` keep at most 1,024 events or 1 MiB waiting and drop the others. Events that go to many sessions at once, for which nobody
   * waits, are kept within the latter bounds under `block` as well. The bytes are the memory that the events pin. An event
   * that has its number is never dropped (docs/semantics.md, rule D2).
   */
  readonly overflow?: OverflowPolicy | undefined;
  /** What ends calls, handshakes and connections. */
  readonly timeouts?: SessionTimeouts | undefined;
}

/** The rules of {@link SessionLimits}; the peer checks the ranges of the first five again in the handshake. */
export const SESSION_LIMIT_RULES: RulesOf<SessionLimits> = {
  maxMessageBytes: wholeNumber(...OWN_RANGES.maxMessageBytes),
  windowBytes: wholeNumber(...OWN_RANGES.windowBytes),
  streamWindowBytes: wholeNumber(...OWN_RANGES.streamWindowBytes),
  maxCalls: wholeNumber(...OWN_RANGES.maxCalls),
  maxStreams: wholeNumber(...OWN_RANGES.maxStreams),
  maxMessageValues: wholeNumber(1, LARGEST_MAX_VALUES),
  maxHeldBytesPerSession: POSITIVE,
  maxConcurrentCalls: countFrom(1),
  maxMessagesPerSecond: POSITIVE,
  maxWrongMessages: countFrom(0),
};

/** The rules of {@link ResumeOptions}. */
export const RESUME_RULES: RulesOf<ResumeOptions> = {
  maxReplayBytes: POSITIVE,
  maxReplayMessages: POSITIVE,
  maxReplayAgeMs: POSITIVE,
};

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
  overflow: OVERFLOW,
  timeouts: object({
    callMs: POSITIVE,
    handshakeMs: POSITIVE,
    finishMs: FROM_ZERO,
    writeStallMs: POSITIVE,
    heartbeatMs: wholeNumber(...OWN_RANGES.heartbeatMs),
  } satisfies RulesOf<SessionTimeouts>),
  handlers: OBJECT,
};
