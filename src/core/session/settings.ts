/** What a session is made of. */

import type { HandshakeLimits } from "../handshake/limits.ts";

/** Bounds of the messages that are not acknowledged. */
export interface ReplayBounds {
  /** Most bytes of messages. Default 1 MiB. */
  readonly maxBytes: number;
  /** Most messages. Default 16,384. */
  readonly maxMessages: number;
  /**
   * How long a message may stay without acknowledgement, in milliseconds, since it was sent, or since the peer has shown last
   * that something arrives: a slow line takes its time. Then the session ends. Default 120,000.
   */
  readonly maxAgeMs: number;
}

/** The default of every bound. */
export const DEFAULT_REPLAY: ReplayBounds = { maxBytes: 1_048_576, maxMessages: 16_384, maxAgeMs: 120_000 };

/** What a session is made of. It is kept: one object can serve all sessions that are made of the same. */
export interface SessionSettings {
  /** Which side of the handshake this is. */
  readonly role: "client" | "server";
  /** What this side is ready to receive. */
  readonly limits: HandshakeLimits;
  /** What the peer is ready to receive. */
  readonly peerLimits: HandshakeLimits;
  /** Bounds of the messages that are not acknowledged. */
  readonly replay: ReplayBounds;
  /** How long the session lives without a connection, in milliseconds. */
  readonly keptMs: number;
  /** Whether both sides know sessions that go on in another process, and messages of a log. */
  readonly moves?: boolean | undefined;
  /** Whether nothing leaves before it is kept by a journal: see `Session.kept`. */
  readonly journaled?: boolean | undefined;
}

/** The default of `keptMs`, a minute: long enough for a train in a tunnel. */
export const DEFAULT_KEPT_MS = 60_000;

/** The three counters with which a client asks to continue. */
export interface ResumePoint {
  /** The number of the last message that was received. */
  readonly received: number;
  /** The number of the last own message that the peer has acknowledged. */
  readonly acknowledged: number;
  /** The number of the last own message that was ever handed to a connection. */
  readonly sent: number;
  /** The place in the server's log up to which this client needs nothing; undefined where there is none. */
  readonly place?: number | undefined;
}
