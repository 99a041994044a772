/** What a server keeps about its sessions beside their messages: who may continue them, and which connection is the newest. */

import { FifoMap } from "../../fifo-map.ts";

/** One session, as a store keeps it. */
export interface SessionRecord {
  /** Names the session. */
  readonly id: string;
  /** Who owns it, as `authenticate` said. */
  readonly principal: string;
  /** How often a connection was accepted. */
  readonly epoch: number;
  /** The client's number of the attempt that was accepted last. */
  readonly attempt: number;
  /** The hash of the token with which to continue. The token itself is kept nowhere. */
  readonly tokenHash: string;
  /** The hash of the token before it, valid until the client has shown that it has the new one. */
  readonly previousTokenHash: string | undefined;
}

/** What {@link SessionStore.create} answers. */
export interface Admission {
  /** Whether the session is kept. */
  readonly admitted: boolean;
  /** Sessions that had to make room: their messages must be forgotten. */
  readonly evicted: readonly string[];
  /** Their records, so that their clients are told why they are gone (`fresh`). Without them they are told `session-unknown`. */
  readonly evictedRecords?: readonly SessionRecord[] | undefined;
}

/**
 * Keeps the records of sessions. The messages themselves are held by the process that has the session, and a client can only
 * continue with that one; so the store answers at once. The one in memory is enough for most servers; another one may count,
 * or bound what it does not. It must do nothing but what is said here, in particular compare and set in one step.
 *
 * @example
 * ```ts
 * import type { SessionRecord, SessionStore } from "zocalo/protocol";
 * const records = new Map<string, SessionRecord>();
 * const store: SessionStore = {
 *   get: (id) => records.get(id),
 *   create(record) {
 *     records.set(record.id, record);
 *     return { admitted: true, evicted: [] };
 *   },
 *   replace(epoch, next) {
 *     const isNewest = records.get(next.id)?.epoch === epoch;
 *     if (isNewest) records.set(next.id, next);
 *     return isNewest;
 *   },
 *   detach: () => undefined, // this one evicts nobody
 *   charge: () => [],
 *   expire: () => [],
 *   remove: (id) => void records.delete(id),
 * };
 * console.log(store.get("nobody")); // undefined
 * ```
 */
export interface SessionStore {
  /** The record of a session. */
  get(id: string): SessionRecord | undefined;
  /** Keeps a new session, attached. Evicts detached ones, the oldest first, when a bound is reached. */
  create(record: SessionRecord): Admission;
  /**
   * Replaces the record of a session, and marks it as attached, if its epoch is still `epoch`: compare and set. False when
   * another connection was faster, or the session is gone.
   */
  replace(epoch: number, next: SessionRecord): boolean;
  /** The connection of this epoch is lost: from now on the session may be evicted. Ignored for another epoch. */
  detach(id: string, epoch: number, now: number): void;
  /**
   * Says how much memory a session holds now. The server keeps to its own limits of memory; answers the sessions that the
   * store has evicted beside that.
   */
  charge(id: string, bytes: number): readonly string[];
  /** Forgets the sessions that have been detached for too long, and answers them. */
  expire(now: number): readonly string[];
  /** Forgets a session, because it has ended. */
  remove(id: string): void;
}

/** Bounds of a {@link MemorySessionStore}. */
export interface StoreBounds {
  /** Most sessions. Default 10,000. */
  readonly maxSessions: number;
  /** Most sessions of one principal. Default 100. */
  readonly maxSessionsPerPrincipal: number;
  /** How long a session may be detached, in milliseconds. Default 60,000. */
  readonly maxDetachedMs: number;
}

/** The default of every bound. */
const DEFAULT_STORE_BOUNDS: StoreBounds = {
  maxSessions: 10_000,
  maxSessionsPerPrincipal: 100,
  maxDetachedMs: 60_000,
};

/** The sessions of one principal. */
interface Usage {
  sessions: number;
  /** Those without a connection, the longest detached first; undefined while there was none. */
  detached: FifoMap<string, true> | undefined;
}

const NOBODY: readonly string[] = [];

/**
 * Keeps records in memory, within bounds. Attached sessions are never evicted. What most sessions have in common is not
 * kept: that they are attached, and, where nobody asked who the client is, are of nobody else (their principal is their own
 * id). How much memory they hold is the business of the server.
 */
export class MemorySessionStore implements SessionStore {
  readonly #bounds: StoreBounds;
  readonly #records: Map<string, SessionRecord> = new Map();
  /** Since when sessions have no connection, the longest detached first. */
  readonly #detached: FifoMap<string, number> = new FifoMap();
  /** Those who may have more than one session. */
  readonly #principals: Map<string, Usage> = new Map();

  constructor(bounds: Partial<StoreBounds> = {}) {
    this.#bounds = { ...DEFAULT_STORE_BOUNDS, ...bounds };
  }

  /** Sessions that are kept. */
  get size(): number {
    return this.#records.size;
  }

  get(id: string): SessionRecord | undefined {
    return this.#records.get(id);
  }

  create(record: SessionRecord): Admission {
    const { maxSessions, maxSessionsPerPrincipal } = this.#bounds;
    const { id, principal } = record;
    if (this.#records.has(id)) return { admitted: false, evicted: NOBODY };
    const evicted: SessionRecord[] = [];
    const usage = this.#principals.get(principal);
    if (usage !== undefined && usage.sessions >= maxSessionsPerPrincipal) this.#evictFirst(usage.detached, evicted);
    if (this.#records.size >= maxSessions) this.#evictFirst(this.#detached, evicted);
    const sessions = this.#principals.get(principal)?.sessions ?? 0;
    const admitted = this.#records.size < maxSessions && sessions < maxSessionsPerPrincipal;
    if (admitted) {
      this.#records.set(id, record);
      if (principal !== id) this.#usageOf(principal).sessions += 1;
    }
    if (evicted.length === 0) return { admitted, evicted: NOBODY };
    return { admitted, evicted: evicted.map((one) => one.id), evictedRecords: evicted };
  }

  replace(epoch: number, next: SessionRecord): boolean {
    const { id, principal } = next;
    const record = this.#records.get(id);
    if (record === undefined || record.epoch !== epoch || record.principal !== principal) return false;
    this.#records.set(id, next);
    this.#detached.delete(id);
    this.#principals.get(principal)?.detached?.delete(id);
    return true;
  }

  detach(id: string, epoch: number, now: number): void {
    const record = this.#records.get(id);
    if (record?.epoch !== epoch || this.#detached.has(id)) return;
    this.#detached.add(id, now);
    const usage = this.#principals.get(record.principal);
    if (usage === undefined) return;
    usage.detached ??= new FifoMap();
    usage.detached.add(id, true);
  }

  charge(): readonly string[] {
    return NOBODY;
  }

  expire(now: number): readonly string[] {
    const expired: string[] = [];
    for (let id = this.#detached.first(); id !== undefined; id = this.#detached.first()) {
      if (now < (this.#detached.get(id) as number) + this.#bounds.maxDetachedMs) break;
      expired.push(id);
      this.remove(id);
    }
    return expired;
  }

  remove(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.delete(id);
    this.#detached.delete(id);
    const usage = this.#principals.get(record.principal);
    if (usage === undefined) return;
    usage.sessions -= 1;
    usage.detached?.delete(id);
    if (usage.sessions === 0) this.#principals.delete(record.principal);
  }

  /** Evicts the session that has been detached for the longest time, if there is one. */
  #evictFirst(detached: FifoMap<string, unknown> | undefined, evicted: SessionRecord[]): void {
    const record = this.#records.get(detached?.first() ?? "");
    if (record === undefined) return;
    evicted.push(record);
    this.remove(record.id);
  }

  #usageOf(principal: string): Usage {
    const known = this.#principals.get(principal);
    if (known !== undefined) return known;
    const usage: Usage = { sessions: 0, detached: undefined };
    this.#principals.set(principal, usage);
    return usage;
  }
}
