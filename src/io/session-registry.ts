/** The sessions that a server holds: which there are, who may continue them, and when there are too many. */

import type { Address } from "../core/address/address.ts";
import { ConnectionError, type ZocaloError } from "../core/errors.ts";
import type { Refusal, ResumeRequest } from "../core/handshake/hello.ts";
import type { Agreement } from "../core/handshake/negotiate.ts";
import { MemorySessionStore } from "../core/session/memory-session-store.ts";
import { confirmToken, type ResumeDecision, resumeSession } from "../core/session/resume.ts";
import type { SessionStore } from "../core/session/session-store.ts";
import { sha256 } from "../core/bytes/sha-256.ts";
import { limitKey } from "../core/address/cidr.ts";
import { partsOf, type SessionFacade } from "./session-facade.ts";
import type { SessionServerLimits } from "./session-server.ts";

/** What is wanted of a new session. */
export interface NewSession {
  readonly id: string;
  readonly principal: string;
  readonly token: string;
  readonly addressKey: string | undefined;
}

/** What a client says that wants to continue a session. */
export interface Claim {
  readonly request: ResumeRequest;
  /** Who it is; undefined where nobody asked: then the token alone says it. */
  readonly principal: string | undefined;
  readonly agreement: Agreement;
  /** The token that it gets if it may continue. */
  readonly nextToken: string;
}

/** After how many milliseconds, at least. */
const BUSY_RETRY_MS = 1000;

/** The sessions of one server. */
export class SessionRegistry {
  readonly sessions: Map<string, SessionFacade> = new Map();
  /** Memory that all of them hold. */
  heldBytes = 0;
  readonly #instance: string;
  readonly #store: SessionStore;
  readonly #held: Map<string, number> = new Map();
  readonly #perAddress: Map<string, number> = new Map();
  readonly #maxSessions: number;
  readonly #maxPerAddress: number;
  readonly #maxHeldBytes: number;

  constructor(instance: string, limits: SessionServerLimits, keptMs: number, store: SessionStore | undefined) {
    this.#instance = instance;
    this.#maxSessions = limits.maxSessions ?? 10_000;
    this.#maxPerAddress = limits.maxSessionsPerAddress ?? 1000;
    this.#maxHeldBytes = limits.maxHeldBytes ?? 268_435_456;
    this.#store =
      store ??
      new MemorySessionStore({
        maxSessions: this.#maxSessions,
        maxSessionsPerPrincipal: limits.maxSessionsPerPrincipal ?? 100,
        maxBytes: this.#maxHeldBytes,
        maxBytesPerPrincipal: limits.maxHeldBytesPerPrincipal ?? 67_108_864,
        maxDetachedMs: keptMs,
      });
  }

  /** Most sessions. */
  get maxSessions(): number {
    return this.#maxSessions;
  }

  /** Under which address the sessions of a peer count. Peers on this machine's own paths have none. */
  addressKey(peer: Address): string | undefined {
    return peer.isIp && this.#maxPerAddress < Infinity ? limitKey(peer) : undefined;
  }

  /** Takes a new session in; answers why not. Sessions that have to make room for it are ended. */
  admit(session: NewSession): Refusal | undefined {
    const { id, principal, token, addressKey } = session;
    const open = addressKey === undefined ? 0 : (this.#perAddress.get(addressKey) ?? 0);
    if (open >= this.#maxPerAddress) return busy(`there are ${open} sessions of this address already`);
    if (this.heldBytes > this.#maxHeldBytes) return busy("the memory for messages is used up");
    const record = { id, principal, epoch: 1, attempt: 0, tokenHash: sha256(token), previousTokenHash: undefined };
    const { admitted, evicted } = this.#store.create(record);
    this.#evict(evicted);
    if (!admitted) return busy("the server has as many sessions as it may, in all or of this client");
    if (addressKey !== undefined) this.#perAddress.set(addressKey, (this.#perAddress.get(addressKey) ?? 0) + 1);
    return undefined;
  }

  /** Decides whether a client may continue a session. */
  claim(claim: Claim): ResumeDecision {
    const { request, agreement, nextToken } = claim;
    const principal = claim.principal ?? request.session;
    const asked = { request, principal, agreement, tokenHash: sha256(request.token), nextTokenHash: sha256(nextToken) };
    return resumeSession(this.#store, this.#instance, asked, (id) => {
      const session = this.sessions.get(id);
      if (session === undefined) return undefined;
      const { machine, terms } = partsOf(session).endpoint;
      return machine.resumable ? { agreement: terms.agreement, ...machine.resumePoint } : undefined;
    });
  }

  /** The client has the token of this connection. */
  confirmed(session: SessionFacade): void {
    confirmToken(this.#store, session.id, partsOf(session).epoch);
  }

  /** The connection of a session is lost. */
  detached(session: SessionFacade, now: number): void {
    this.#store.detach(session.id, partsOf(session).epoch, now);
    for (const id of this.#store.expire(now)) this.#lose(id, "no connection came in the time that sessions are kept");
  }

  /** A session holds so much memory now. */
  holds(session: SessionFacade, bytes: number): void {
    this.heldBytes += bytes - (this.#held.get(session.id) ?? 0);
    if (bytes === 0) this.#held.delete(session.id);
    else this.#held.set(session.id, bytes);
    this.#evict(this.#store.charge(session.id, bytes));
    if (this.heldBytes > this.#maxHeldBytes) this.#evict([this.#largest()]);
  }

  /** A session is over. */
  ended(session: SessionFacade): void {
    const { id } = session;
    this.heldBytes -= this.#held.get(id) ?? 0;
    this.#held.delete(id);
    this.#store.remove(id);
    this.sessions.delete(id);
    const { addressKey } = partsOf(session);
    const open = addressKey === undefined ? 0 : (this.#perAddress.get(addressKey) ?? 0);
    if (addressKey === undefined) return;
    if (open > 1) this.#perAddress.set(addressKey, open - 1);
    else this.#perAddress.delete(addressKey);
  }

  /** The client has begun anew: its old session is of no use any more. */
  abandon(id: string): void {
    this.#lose(id, "the client could not continue it");
  }

  /** The session that holds the most memory. */
  #largest(): string {
    let most = 0;
    let largest = "";
    for (const [id, bytes] of this.#held) {
      if (bytes <= most) continue;
      most = bytes;
      largest = id;
    }
    return largest;
  }

  #evict(ids: readonly string[]): void {
    for (const id of ids) this.#lose(id, "it was evicted to make room for others");
  }

  #lose(id: string, detail: string): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    const error: ZocaloError = new ConnectionError("SESSION_LOST", { op: "session", detail });
    partsOf(session).endpoint.abort(error);
  }
}

/** A client that finds no room may try again. */
export function busy(message: string): Refusal {
  return { code: "SERVER_BUSY", message, retryAfterMs: BUSY_RETRY_MS };
}
