/** The store of sessions in the memory of the process. */

import type { Admission, SessionRecord, SessionStore } from "./session-store.ts";

/** Bounds of a {@link MemorySessionStore}. */
export interface StoreBounds {
  /** Most sessions. Default 10,000. */
  readonly maxSessions: number;
  /** Most sessions of one principal. Default 100. */
  readonly maxSessionsPerPrincipal: number;
  /** Most memory that all sessions may hold, in bytes. Default 256 MiB. */
  readonly maxBytes: number;
  /** Most memory that the sessions of one principal may hold, in bytes. Default 64 MiB. */
  readonly maxBytesPerPrincipal: number;
  /** How long a session may be detached, in milliseconds. Default 60,000. */
  readonly maxDetachedMs: number;
}

/** The default of every bound. */
const DEFAULT_STORE_BOUNDS: StoreBounds = {
  maxSessions: 10_000,
  maxSessionsPerPrincipal: 100,
  maxBytes: 268_435_456,
  maxBytesPerPrincipal: 67_108_864,
  maxDetachedMs: 60_000,
};

interface Usage {
  sessions: number;
  bytes: number;
}

/**
 * Keeps records in memory, within bounds. Attached sessions are never evicted. What most sessions have in common is not
 * kept: that they hold nothing, are attached, and, where nobody asked who the client is, are of nobody else (their principal
 * is their own id).
 */
export class MemorySessionStore implements SessionStore {
  readonly #bounds: StoreBounds;
  readonly #records: Map<string, SessionRecord> = new Map();
  /** Memory of the sessions that hold some. */
  readonly #held: Map<string, number> = new Map();
  /** Since when sessions have no connection, the longest detached first: a map keeps the order in which keys came. */
  readonly #detached: Map<string, number> = new Map();
  /** Those who may have more than one session. */
  readonly #principals: Map<string, Usage> = new Map();
  #bytes = 0;

  constructor(bounds: Partial<StoreBounds> = {}) {
    this.#bounds = { ...DEFAULT_STORE_BOUNDS, ...bounds };
  }

  /** Sessions that are kept. */
  get size(): number {
    return this.#records.size;
  }

  /** Memory that they hold. */
  get bytes(): number {
    return this.#bytes;
  }

  get(id: string): SessionRecord | undefined {
    return this.#records.get(id);
  }

  create(record: SessionRecord): Admission {
    const { maxSessions, maxSessionsPerPrincipal } = this.#bounds;
    const { id, principal } = record;
    if (this.#records.has(id)) return { admitted: false, evicted: [] };
    const sessions = (): number => this.#principals.get(principal)?.sessions ?? 0;
    const evicted = [
      ...this.#evictWhile(() => sessions() >= maxSessionsPerPrincipal, principal),
      ...this.#evictWhile(() => this.#records.size >= maxSessions),
    ];
    const admitted = this.#records.size < maxSessions && sessions() < maxSessionsPerPrincipal;
    if (admitted) {
      this.#records.set(id, record);
      this.#count(record, 1, 0);
    }
    return { admitted, evicted };
  }

  replace(epoch: number, next: SessionRecord): boolean {
    const record = this.#records.get(next.id);
    if (record === undefined || record.epoch !== epoch || record.principal !== next.principal) return false;
    this.#records.set(next.id, next);
    this.#detached.delete(next.id);
    return true;
  }

  detach(id: string, epoch: number, now: number): void {
    if (this.#records.get(id)?.epoch !== epoch || this.#detached.has(id)) return;
    this.#detached.set(id, now);
  }

  charge(id: string, bytes: number): readonly string[] {
    const record = this.#records.get(id);
    if (record === undefined) return [];
    this.#hold(record, bytes);
    const { principal } = record;
    const { maxBytes, maxBytesPerPrincipal } = this.#bounds;
    return [
      ...this.#evictWhile(() => this.#bytesOf(principal) > maxBytesPerPrincipal, principal),
      ...this.#evictWhile(() => this.#bytes > maxBytes),
    ];
  }

  expire(now: number): readonly string[] {
    const expired: string[] = [];
    for (const [id, detachedAt] of this.#detached) {
      if (now < detachedAt + this.#bounds.maxDetachedMs) break;
      expired.push(id);
      this.remove(id);
    }
    return expired;
  }

  remove(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#hold(record, 0);
    this.#count(record, -1, 0);
    this.#records.delete(id);
    this.#detached.delete(id);
  }

  /** Evicts detached sessions, the oldest first, of one principal or of all, while something is over its bound. */
  #evictWhile(isOver: () => boolean, principal?: string): readonly string[] {
    const evicted: string[] = [];
    for (const id of this.#detached.keys()) {
      if (!isOver()) break;
      if (principal !== undefined && this.#records.get(id)?.principal !== principal) continue;
      evicted.push(id);
      this.remove(id);
    }
    return evicted;
  }

  /** A session holds so many bytes now. */
  #hold(record: SessionRecord, bytes: number): void {
    const { id } = record;
    const more = bytes - (this.#held.get(id) ?? 0);
    if (bytes === 0) this.#held.delete(id);
    else this.#held.set(id, bytes);
    this.#bytes += more;
    this.#count(record, 0, more);
  }

  #count({ id, principal }: SessionRecord, sessions: number, bytes: number): void {
    if (principal === id) return;
    const usage = this.#principals.get(principal) ?? { sessions: 0, bytes: 0 };
    usage.sessions += sessions;
    usage.bytes += bytes;
    if (usage.sessions === 0) this.#principals.delete(principal);
    else this.#principals.set(principal, usage);
  }

  /** What the sessions of a principal hold. */
  #bytesOf(principal: string): number {
    return this.#principals.get(principal)?.bytes ?? this.#held.get(principal) ?? 0;
  }
}
