/** Whether a client may continue a session (docs/semantics.md, rules D3, D4 and D5). */

import type { FreshReason, Refusal, ResumeRequest } from "../../handshake/hello.ts";
import { type Agreement, sameAgreement } from "../../handshake/negotiate.ts";
import { HELD } from "../../held-bytes.ts";
import type { Departed } from "../departure.ts";
import type { SessionRecord, SessionStore } from "./session-store.ts";

/** A client that asks to continue, after `authenticate` has said who it is. */
export interface ResumeClaim {
  readonly request: ResumeRequest;
  /** Who the client is now. */
  readonly principal: string;
  /** What was agreed on in this handshake. */
  readonly agreement: Agreement;
  /** The hash of the token in the request. */
  readonly tokenHash: string;
  /** The hash of the token that the client gets if it may continue. */
  readonly nextTokenHash: string;
}

/** What the server has of the session. */
export interface HeldSession {
  /** What was agreed on when it began. */
  readonly agreement: Agreement;
  /** The number of the last message of the client that was received. */
  readonly received: number;
  /** The number of the last message of the server that the client has acknowledged. */
  readonly acknowledged: number;
  /** The number of the last message that the server has sent on any connection. */
  readonly sent: number;
}

/** The answer to a {@link ResumeClaim}. */
export type ResumeDecision =
  /** It goes on, and the record is written: attach the session, with `request.received`. */
  | { readonly outcome: "resumed"; readonly record: SessionRecord }
  /** It does not: begin a new one. The old one, if `ends` is set, is of no use any more. */
  | { readonly outcome: "fresh"; readonly reason: FreshReason; readonly ends: boolean }
  /** The client has a newer connection than this one. */
  | { readonly outcome: "refused"; readonly refusal: Refusal };

/**
 * Decides about a claim, and takes the session over by compare and set: of several connections at once the newest wins, and
 * each one that is accepted raises the epoch.
 *
 * A wrong token, another principal and a session that nobody knows are the same answer, so that a thief learns nothing. Only
 * the owner of a session is told that an attempt came too late; where nobody asks who a client is, that is whoever knows
 * the name of the session, which nobody guesses.
 *
 * @param instance - The name of this process.
 * @param held - Finds what this process has of a session.
 */
export function resumeSession(
  store: SessionStore,
  instance: string,
  claim: ResumeClaim,
  held: (id: string) => HeldSession | undefined,
): ResumeDecision {
  const { request } = claim;
  if (request.server !== instance) return fresh("server-restarted", false);
  for (;;) {
    const record = store.get(request.session);
    const decision = decideClaim(record, record === undefined ? undefined : held(request.session), claim);
    if (decision.outcome !== "resumed" || store.replace(decision.record.epoch - 1, decision.record)) return decision;
  }
}

/** Decides about a claim for what is known of a session; who takes it over writes the record by compare and set. */
export function decideClaim(
  record: SessionRecord | undefined,
  session: HeldSession | undefined,
  claim: ResumeClaim,
): ResumeDecision {
  const { request, principal, agreement } = claim;
  if (record === undefined || session === undefined) return fresh("session-unknown", false);
  if (record.principal !== principal) return fresh("session-unknown", false);
  // Before the token: a hello that was overtaken by a later one has a token that is not valid any more.
  if (request.attempt <= record.attempt) return { outcome: "refused", refusal: TAKEN_OVER };
  if (!ownsSession(record, claim)) return fresh("session-unknown", false);
  if (!sameAgreement(agreement, session.agreement)) return fresh("agreement-changed", true);
  if (!countersFit(request, session)) return fresh("counters-invalid", true);
  const next: SessionRecord = {
    ...record,
    epoch: record.epoch + 1,
    attempt: request.attempt,
    tokenHash: claim.nextTokenHash,
    // Valid until the client shows that it has the new one: the welcome may be lost.
    previousTokenHash: claim.tokenHash,
  };
  return { outcome: "resumed", record: next };
}

/** Whether a client is the owner of a session, and has one of its tokens. */
export function ownsSession(record: SessionRecord, claim: Pick<ResumeClaim, "principal" | "tokenHash">): boolean {
  const { principal, tokenHash } = claim;
  const previous = record.previousTokenHash;
  const known = sameHash(tokenHash, record.tokenHash) || (previous !== undefined && sameHash(tokenHash, previous));
  return known && record.principal === principal;
}

/** The client has the new token: the one before it is not valid any more. Call it at `confirmed`. */
export function confirmToken(store: SessionStore, id: string, epoch: number): void {
  const record = store.get(id);
  if (record?.epoch !== epoch || record.previousTokenHash === undefined) return;
  store.replace(epoch, { ...record, previousTokenHash: undefined });
}

const TAKEN_OVER: Refusal = {
  code: "SESSION_TAKEN_OVER",
  message: "a later attempt of this client has the session already",
};

function countersFit(request: ResumeRequest, session: HeldSession): boolean {
  return (
    request.received >= session.acknowledged &&
    request.received <= session.sent &&
    session.received >= request.acknowledged &&
    session.received <= request.sent
  );
}

function fresh(reason: FreshReason, ends: boolean): ResumeDecision {
  return { outcome: "fresh", reason, ends };
}

/** Compares in a time that does not depend on where two hashes differ. */
function sameHash(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index += 1) difference |= a.charCodeAt(index) ^ b.charCodeAt(index % b.length);
  return difference === 0;
}

/** Most farewells that are kept; the oldest are forgotten before. */
const MAX_FAREWELLS = 10_000;
/** Most memory that they may hold: enough for all of them with a short sentence. */
const MAX_BYTES = 8_388_608;

/** A session that is over, and who may ask for it. */
interface Farewell<How> {
  readonly record: SessionRecord;
  /** How it was closed, as far as the client may not know it; or why it is gone. */
  readonly departed: How;
  /** When nobody asks for it any more. */
  readonly forgottenAt: number;
}

/** Farewells by the name of their session, the oldest first. All are kept for the same time. */
export class Farewells<How extends Departed | FreshReason = Departed> {
  readonly #keptMs: number;
  readonly #farewells: Map<string, Farewell<How>> = new Map();
  #bytes = 0;

  /** @param keptMs - How long a client may take to come back, in milliseconds. */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** Memory that they hold, about. */
  get bytes(): number {
    return this.#bytes;
  }

  add(record: SessionRecord, departed: How, now: number): void {
    const before = this.#farewells.get(record.id);
    if (before !== undefined) this.#forget(before);
    const farewell: Farewell<How> = { record, departed, forgottenAt: now + this.#keptMs };
    this.#farewells.set(record.id, farewell);
    this.#bytes += bytesOf(farewell);
    for (const oldest of this.#farewells.values()) {
      const tooMany = this.#farewells.size > MAX_FAREWELLS || this.#bytes > MAX_BYTES;
      if (!tooMany && now < oldest.forgottenAt) break;
      this.#forget(oldest);
    }
  }

  /** The farewell of a session; undefined when there is none, or its time is up. */
  get(id: string, now: number): Farewell<How> | undefined {
    const farewell = this.#farewells.get(id);
    if (farewell === undefined || now < farewell.forgottenAt) return farewell;
    this.#forget(farewell);
    return undefined;
  }

  #forget(farewell: Farewell<How>): void {
    this.#farewells.delete(farewell.record.id);
    this.#bytes -= bytesOf(farewell);
  }
}

function bytesOf({ departed }: Farewell<Departed | FreshReason>): number {
  return HELD.farewell + (typeof departed === "string" ? 0 : 2 * departed.reason.message.length);
}
