/** The sessions that a server holds: which there are, who may continue them, and when there are too many. */

import type { Address } from "../../../core/address/address.ts";
import { limitKey } from "../../../core/address/cidr.ts";
import { sha256 } from "../../../core/bytes/sha-256.ts";
import { ConnectionError, type ZocaloError } from "../../../core/errors.ts";
import { FifoMap } from "../../../core/fifo-map.ts";
import type { FreshReason, Refusal, ResumeRequest } from "../../../core/handshake/hello.ts";
import type { Agreement } from "../../../core/handshake/negotiate.ts";
import { HELD } from "../../../core/held-bytes.ts";
import { keepOffScreen } from "../../../core/show-as.ts";
import { type Departed, encodeDeparted } from "../../../core/session/departure.ts";
import { HeldMemory, type MemoryOwner } from "../../../core/session/resume/held-memory.ts";
import {
  confirmToken,
  Farewells,
  ownsSession,
  type ResumeDecision,
  resumeSession,
} from "../../../core/session/resume/resume.ts";
import {
  MemorySessionStore,
  type SessionRecord,
  type SessionStore,
} from "../../../core/session/resume/session-store.ts";
import type { Random } from "../../network/network.ts";
import type { SessionEndpoint } from "../endpoint/endpoint.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { SessionServerLimits } from "./options.ts";

/** What is wanted of a new session. */
export interface NewSession {
  readonly record: SessionRecord;
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

/** What to say to a client that comes back to a session which was closed. */
export interface Dismissal {
  readonly epoch: number;
  /** The number of the last message of the client that has arrived. */
  readonly received: number;
  /** What follows the welcome. */
  readonly words: Uint8Array;
}

/** After how many milliseconds, at least. */
export const BUSY_RETRY_MS = 1000;

/** The sessions of one address. */
interface AddressUsage {
  sessions: number;
  /** Those without a connection, the longest detached first. */
  readonly detached: FifoMap<string, true>;
}

/** The sessions of one server. */
export class SessionRegistry {
  readonly sessions: Map<string, SessionFacade> = new Map();
  readonly #instance: string;
  readonly #store: SessionStore;
  readonly #memory: HeldMemory;
  readonly #perAddress: Map<string, AddressUsage> = new Map();
  readonly #maxSessions: number;
  readonly #maxPerAddress: number;
  readonly #maxHeldBytes: number;
  readonly #farewells: Farewells<Departed | FreshReason>;

  constructor(instance: string, limits: SessionServerLimits, keptMs: number, store: SessionStore | undefined) {
    this.#instance = instance;
    this.#maxSessions = limits.maxSessions ?? 10_000;
    this.#maxPerAddress = limits.maxSessionsPerAddress ?? 1000;
    this.#maxHeldBytes = limits.maxHeldBytes ?? 268_435_456;
    this.#memory = new HeldMemory({ maxBytesPerPrincipal: limits.maxHeldBytesPerPrincipal ?? 67_108_864 });
    this.#farewells = new Farewells(keptMs);
    this.#store =
      store ??
      new MemorySessionStore({
        // As many as the memory is enough for.
        maxSessions: Math.min(this.#maxSessions, Math.max(1, Math.floor(this.#maxHeldBytes / HELD.session))),
        maxSessionsPerPrincipal: limits.maxSessionsPerPrincipal ?? 100,
        maxDetachedMs: keptMs,
      });
  }

  /** Most sessions. */
  get maxSessions(): number {
    return this.#maxSessions;
  }

  /** Memory that all sessions hold, for themselves and for their messages. */
  get heldBytes(): number {
    return this.#memory.bytes + this.sessions.size * HELD.session;
  }

  /** Under which address the sessions of a peer count. Peers on this machine's own paths have none. */
  addressKey(peer: Address): string | undefined {
    return peer.isIp ? limitKey(peer) : undefined;
  }

  /** Takes a new session in; answers why not. Sessions that have to make room for it are ended. */
  admit(session: NewSession, now: number): Refusal | undefined {
    const { record, addressKey } = session;
    const usage = addressKey === undefined ? undefined : this.#perAddress.get(addressKey);
    if (usage !== undefined && usage.sessions >= this.#maxPerAddress) {
      // The oldest one without a connection makes room, as for the other limits: who opens and drops sessions harms none but them.
      const oldest = usage.detached.first();
      if (oldest === undefined) return busy(`there are ${usage.sessions} sessions of this address already`);
      this.#evict([oldest]);
    }
    const { admitted, evicted, evictedRecords = [] } = this.#store.create(record);
    for (const gone of evictedRecords) this.#farewells.add(gone, "evicted", now);
    this.#evict(evicted);
    if (!admitted)
      return busy("the server has as many sessions as limits.maxSessions or maxSessionsPerPrincipal allows");
    if (addressKey !== undefined) this.#usageOf(addressKey).sessions += 1;
    return undefined;
  }

  /** A session that was admitted is there. */
  opened(session: SessionFacade): void {
    this.sessions.set(session.id, session);
    this.#makeRoom(session.id);
  }

  /** Who may continue a session. */
  recordOf(id: string): SessionRecord | undefined {
    return this.#store.get(id);
  }

  /** Decides whether a client may continue a session. `instance`: what its server is called. */
  claim(claim: Claim, now: number, instance: string = this.#instance): ResumeDecision {
    const { request, agreement, nextToken } = claim;
    const principal = claim.principal ?? request.session;
    const asked = { request, principal, agreement, tokenHash: sha256(request.token), nextTokenHash: sha256(nextToken) };
    const decision = resumeSession(this.#store, instance, asked, (id) => {
      const session = this.sessions.get(id);
      if (session === undefined) return undefined;
      const { machine, terms } = partsOf(session).endpoint;
      return machine.resumable ? { agreement: terms.agreement, ...machine.resumePoint } : undefined;
    });
    if (decision.outcome !== "fresh" || decision.reason !== "session-unknown") return decision;
    // Only its owner is told why it is gone.
    const farewell = this.#farewells.get(request.session, now);
    const isOwn = farewell !== undefined && ownsSession(farewell.record, asked);
    return isOwn && typeof farewell.departed === "string" ? { ...decision, reason: farewell.departed } : decision;
  }

  /**
   * What to say to a client that comes back to a session which was closed without its knowledge; undefined when there is
   * nothing to say. One that waits for the answer to its CLOSE on a connection that the client has given up is over now.
   */
  dismissal({ request, principal = request.session, agreement }: Claim, now: number): Dismissal | undefined {
    const asked = { principal, tokenHash: sha256(request.token) };
    if (request.server !== this.#instance) return undefined;
    const session = this.sessions.get(request.session);
    const held = this.#store.get(request.session);
    const endpoint = session === undefined ? undefined : partsOf(session).endpoint;
    if (endpoint?.machine.state === "closing" && held !== undefined && ownsSession(held, asked))
      endpoint.disconnect(true);
    const farewell = this.#farewells.get(request.session, now);
    if (farewell === undefined || !ownsSession(farewell.record, asked)) return undefined;
    const { record, departed } = farewell;
    if (typeof departed === "string") return undefined;
    const received = Math.max(departed.accepted, request.acknowledged);
    if (received > request.sent) return undefined;
    return { epoch: record.epoch + 1, received, words: encodeDeparted(departed, received, agreement.peerLimits) };
  }

  /** The client has the token of this connection. */
  confirmed(session: SessionFacade): void {
    confirmToken(this.#store, session.id, partsOf(session).epoch);
  }

  /** A session has a connection. */
  attached(session: SessionFacade): void {
    this.#memory.move(session.id, false);
    this.#addressOf(session)?.detached.delete(session.id);
  }

  /** The connection of a session is lost. */
  detached(session: SessionFacade, now: number): void {
    this.#store.detach(session.id, partsOf(session).epoch, now);
    this.#memory.move(session.id, true);
    this.#addressOf(session)?.detached.add(session.id, true);
    const detail = "no connection came within resume.resumeTimeoutMs";
    for (const id of this.#store.expire(now)) this.#endpointOf(id)?.lose(lost(detail));
  }

  /** A session holds so much memory for messages now. */
  holds(session: SessionFacade, bytes: number): void {
    const { id } = session;
    this.#memory.hold(id, ownerOf(session), bytes, session.state === "detached");
    this.#evict(this.#store.charge(id, bytes));
    this.#makeRoom(id);
  }

  /** A session is over. What the client does not know of it is kept for as long as it could have come back. */
  ended(session: SessionFacade, now: number): void {
    const { machine, end } = partsOf(session).endpoint;
    const record = this.#store.get(session.id);
    const how = machine.departed ?? goneBecause(end?.error);
    if (how !== undefined && record !== undefined) this.#farewells.add(record, how, now);
    // While it handles what it had accepted, it makes room as one without a connection does.
    this.detached(session, now);
  }

  /** What a session had accepted is handled, too. */
  finished(session: SessionFacade): void {
    const { id } = session;
    if (this.sessions.get(id) !== session) return;
    this.#memory.forget(id);
    this.#store.remove(id);
    this.sessions.delete(id);
    const { addressKey } = partsOf(session);
    const usage = this.#addressOf(session);
    if (addressKey === undefined || usage === undefined) return;
    usage.sessions -= 1;
    usage.detached.delete(id);
    if (usage.sessions === 0) this.#perAddress.delete(addressKey);
  }

  /** Another server has had the session since: what is here of it is of the past. */
  leave(id: string): void {
    const detail = "another server has had the session since";
    this.#endpointOf(id)?.abort(new ConnectionError("SESSION_MOVED", { op: "session", detail }));
    this.#store.remove(id);
  }

  /** The client has begun anew: its old session is of no use any more. */
  abandon(id: string, reason: FreshReason): void {
    this.#endpointOf(id)?.lose(lost("the client could not continue it", reason));
  }

  /** Ends sessions until all fit into their memory. `id` is the session that has changed. */
  #makeRoom(id: string): void {
    const most = (): string | undefined =>
      this.#memory.surplus(id, this.#maxHeldBytes - this.sessions.size * HELD.session);
    for (let gone = most(); gone !== undefined; gone = most()) {
      if (this.#trims(gone)) continue;
      const detail =
        "the memory limit of the server (limits.maxHeldBytes or maxHeldBytesPerPrincipal) is reached, and this session had to make room";
      this.#endpointOf(gone)?.abort(lost(detail, "evicted"));
      this.#memory.forget(gone);
    }
  }

  /** Lets a session give back what it does not need; answers whether that made a difference. */
  #trims(id: string): boolean {
    const session = this.sessions.get(id);
    if (session === undefined) return false;
    const { endpoint } = partsOf(session);
    const before = this.heldBytes;
    endpoint.machine.trim();
    this.#memory.hold(id, ownerOf(session), endpoint.heldBytes, session.state === "detached");
    return this.heldBytes < before;
  }

  #addressOf(session: SessionFacade): AddressUsage | undefined {
    const { addressKey } = partsOf(session);
    return addressKey === undefined ? undefined : this.#perAddress.get(addressKey);
  }

  #usageOf(addressKey: string): AddressUsage {
    const known = this.#perAddress.get(addressKey);
    if (known !== undefined) return known;
    const usage: AddressUsage = { sessions: 0, detached: new FifoMap() };
    this.#perAddress.set(addressKey, usage);
    return usage;
  }

  #evict(ids: readonly string[]): void {
    for (const id of ids) this.#endpointOf(id)?.abort(lost("it was evicted to make room for others", "evicted"));
  }

  #endpointOf(id: string): SessionEndpoint | undefined {
    const session = this.sessions.get(id);
    return session === undefined ? undefined : partsOf(session).endpoint;
  }
}

/** Whose memory a session uses: that of its principal; where nobody asked who it is, that of its address. */
function ownerOf(session: SessionFacade): MemoryOwner {
  const { id } = session;
  const { principal, addressKey } = partsOf(session);
  if (principal !== id) return { key: `principal ${principal}`, isPrincipal: true };
  return { key: `address ${addressKey ?? id}`, isPrincipal: false };
}

/** A session that this server gives up, and what its client is told when it comes back. */
class GivenUp extends ConnectionError {
  readonly reason: FreshReason;

  constructor(detail: string, reason: FreshReason) {
    super("SESSION_LOST", { op: "session", detail });
    this.reason = reason;
    keepOffScreen(this, "reason");
  }
}

/** Why a session ends that this server gives up. */
export function lost(detail: string, reason: FreshReason = "expired"): ConnectionError {
  return new GivenUp(detail, reason);
}

/** Why a session is gone that has ended so; undefined when the client was told, or has ended it itself. */
function goneBecause(error: ZocaloError | undefined): FreshReason | undefined {
  if (error instanceof GivenUp) return error.reason;
  if (error?.code === "SESSION_LOST") return "expired";
  return error?.code === "CONNECTION_ABORTED" && error.side === "local" ? "aborted" : undefined;
}

/** A client that finds no room may try again. */
export function busy(message: string): Refusal {
  return { code: "SERVER_BUSY", message, retryAfterMs: BUSY_RETRY_MS };
}

/** The record of a session that begins. */
export function newRecord(id: string, principal: string, token: string): SessionRecord {
  return { id, principal, epoch: 1, attempt: 0, tokenHash: sha256(token), previousTokenHash: undefined };
}

/** Names a process or a session; nobody guesses it, but it is no secret. */
const ID_BYTES = 16;
/** A secret of 256 bits. */
const TOKEN_BYTES = 32;

/** A new name. */
export function newId(random: Random): string {
  return Buffer.from(random.bytes(ID_BYTES)).toString("base64url");
}

/** A new token. Keep its hash only, and never log it. */
export function newToken(random: Random): string {
  return Buffer.from(random.bytes(TOKEN_BYTES)).toString("base64url");
}
