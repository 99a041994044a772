/** The messages of the handshake. All are JSON objects; fields that are not known are ignored. */

import { MAX_METHODS } from "../contract/contract.ts";
import { isVersion, type VersionRange } from "../contract/version.ts";
import { Fields } from "./fields.ts";
import { readLimits, type HandshakeLimits } from "./limits.ts";

/** The numbers of messages go up to 2^53 - 1. */
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
const MAX_NAME_LENGTH = 64;
/** Longest text of a session, a token or an instance. */
const MAX_ID_LENGTH = 256;
const MAX_WORDS = 64;
/** Longest sentence of a refusal, in characters. */
export const MAX_MESSAGE_LENGTH = 1024;

/** What a client sends to continue a session. */
export interface ResumeRequest {
  /** Which session. */
  readonly session: string;
  /** The secret that came with the last welcome. */
  readonly token: string;
  /** The instance of the server that holds the session. */
  readonly server: string;
  /** Which attempt this is to connect this session; each one has a higher number. */
  readonly attempt: number;
  /** The number of the last message that the client has received from the server. */
  readonly received: number;
  /** The number of the last message of the client that the server has acknowledged, as far as the client knows. */
  readonly acknowledged: number;
  /** The number of the last message that the client has given to its own messages. */
  readonly sent: number;
  /** The place in the server's log up to which the client needs nothing; not set when it was never told one. */
  readonly place?: number | undefined;
}

/** What a client sends first. */
export interface Hello {
  /** The name of the contract. */
  readonly contract: string;
  /** The client's version of it. */
  readonly version: string;
  /** The versions of a server that the client accepts. */
  readonly accepts: VersionRange;
  /** What the client offers. Messages name a method by its place in this list. */
  readonly offers: readonly string[];
  /** The codecs that the client has, the favourite first. */
  readonly codecs: readonly string[];
  /** Optional parts of the protocol that the client knows. */
  readonly features: readonly string[];
  readonly limits: HandshakeLimits;
  /** Whatever the server's `authenticate` wants to see. */
  readonly auth?: unknown;
  readonly resume?: ResumeRequest | undefined;
}

/** Why a session that a client wanted to continue is a new one. */
export type FreshReason =
  /** The server knows nothing of it, or the token is wrong. */
  | "session-unknown"
  /** No connection came in the time for which the server keeps it. */
  | "expired"
  /** It had to make room for others. */
  | "evicted"
  /** The program of the server has given it up. */
  | "aborted"
  /** The server is another process than before. */
  | "server-restarted"
  /** Contract version, codec or limits are not those of before. */
  | "agreement-changed"
  /** The counters of the two sides do not go together. */
  | "counters-invalid"
  /** The server's log has lost what follows the client's place. */
  | "place-unknown";

const FRESH_REASONS: readonly string[] = [
  "session-unknown",
  "expired",
  "evicted",
  "aborted",
  "server-restarted",
  "agreement-changed",
  "counters-invalid",
  "place-unknown",
];

/** What a server answers when it takes the client. */
export interface Welcome {
  /** The server's version of the contract. */
  readonly version: string;
  /** What the server offers. Messages name a method by its place in this list. */
  readonly offers: readonly string[];
  /** The codec that both use from here on. */
  readonly codec: string;
  /** Optional parts of the protocol that both use. */
  readonly features: readonly string[];
  readonly limits: HandshakeLimits;
  /** Which session. */
  readonly session: string;
  /** The secret with which to continue it; valid from now on, and the previous one until the first acknowledgement. */
  readonly token: string;
  /** The instance of the server. */
  readonly server: string;
  /** How often a connection was accepted for this session, this one included. */
  readonly epoch: number;
  /** How long the server keeps the session after the connection is lost, in milliseconds. */
  readonly keptMs: number;
  /** Set when the session goes on: the number of the last message that the server has received. */
  readonly received?: number | undefined;
  /**
   * Set when the session goes on in another process than before: up to this number messages of the server may come again. Both
   * sides count their credit anew, and open streams end.
   */
  readonly moved?: number | undefined;
  /** Set when the client wanted to continue a session and this is a new one. */
  readonly fresh?: FreshReason | undefined;
}

/** What a server answers when it does not take the client. */
export interface Refusal {
  /** `VERSION_UNSUPPORTED`, `UNAUTHENTICATED`, `SERVER_BUSY`, ... */
  readonly code: string;
  /** One sentence that says what would be accepted. */
  readonly message: string;
  /** When to try again, in milliseconds; not set when that is of no use. */
  readonly retryAfterMs?: number | undefined;
}

/** Reads a hello. @throws ProtocolError `HANDSHAKE_INVALID`. */
export function readHello(body: unknown): Hello {
  const fields = new Fields(body, "hello");
  return {
    contract: fields.text("contract", MAX_NAME_LENGTH),
    version: readVersion(fields, "version"),
    accepts: readRange(fields.object("accepts")),
    offers: fields.texts("offers", MAX_METHODS, MAX_NAME_LENGTH),
    codecs: fields.texts("codecs", MAX_WORDS, MAX_NAME_LENGTH),
    features: fields.texts("features", MAX_WORDS, MAX_NAME_LENGTH),
    limits: readLimits(fields.object("limits")),
    auth: fields.any("auth"),
    resume: fields.has("resume") ? readResume(fields.object("resume")) : undefined,
  };
}

/** Reads a welcome. @throws ProtocolError `HANDSHAKE_INVALID`. */
export function readWelcome(body: unknown): Welcome {
  const fields = new Fields(body, "welcome");
  const fresh = fields.has("fresh") ? fields.text("fresh", MAX_NAME_LENGTH) : undefined;
  return {
    version: readVersion(fields, "version"),
    offers: fields.texts("offers", MAX_METHODS, MAX_NAME_LENGTH),
    codec: fields.text("codec", MAX_NAME_LENGTH),
    features: fields.texts("features", MAX_WORDS, MAX_NAME_LENGTH),
    limits: readLimits(fields.object("limits")),
    session: fields.text("session", MAX_ID_LENGTH),
    token: fields.text("token", MAX_ID_LENGTH),
    server: fields.text("server", MAX_ID_LENGTH),
    epoch: fields.integer("epoch", 1, MAX_NUMBER),
    keptMs: fields.integer("keptMs", 0, MAX_NUMBER),
    received: fields.has("received") ? fields.integer("received", 0, MAX_NUMBER) : undefined,
    moved: fields.has("moved") ? fields.integer("moved", 0, MAX_NUMBER) : undefined,
    fresh:
      fresh === undefined || FRESH_REASONS.includes(fresh) ? (fresh as FreshReason | undefined) : "session-unknown",
  };
}

/** Reads a refusal. @throws ProtocolError `HANDSHAKE_INVALID`. */
export function readRefusal(body: unknown): Refusal {
  const fields = new Fields(body, "refusal");
  return {
    code: fields.text("code", MAX_NAME_LENGTH),
    message: fields.text("message", MAX_MESSAGE_LENGTH),
    retryAfterMs: fields.has("retryAfterMs") ? fields.integer("retryAfterMs", 0, MAX_NUMBER) : undefined,
  };
}

function readResume(fields: Fields): ResumeRequest {
  return {
    session: fields.text("session", MAX_ID_LENGTH),
    token: fields.text("token", MAX_ID_LENGTH),
    server: fields.text("server", MAX_ID_LENGTH),
    attempt: fields.integer("attempt", 1, MAX_NUMBER),
    received: fields.integer("received", 0, MAX_NUMBER),
    acknowledged: fields.integer("acknowledged", 0, MAX_NUMBER),
    sent: fields.integer("sent", 0, MAX_NUMBER),
    ...(fields.has("place") ? { place: fields.integer("place", 0, MAX_NUMBER) } : {}),
  };
}

function readRange(fields: Fields): VersionRange {
  return { from: readVersion(fields, "from"), below: readVersion(fields, "below") };
}

function readVersion(fields: Fields, name: string): string {
  const text = fields.text(name, MAX_NAME_LENGTH);
  if (isVersion(text)) return text;
  throw fields.invalid(name, "must be a version like 1.2.0");
}
