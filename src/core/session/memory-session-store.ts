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

interface Entry {
  record: SessionRecord;
  bytes: number;
  detachedAt: number;
}

interface Usage {
  sessions: number;
  bytes: number;
}

/** Keeps records in memory, within bounds. Attached sessions are never evicted. */
export class MemorySessionStore implements SessionStore {
  readonly #bounds: StoreBounds;
  readonly #entries: Map<string, Entry> = new Map();
  /** Those without a connection, the longest detached first: a map keeps the order in which keys came. */
  readonly #detached: Map<string, Entry> = new Map();
  readonly #principals: Map<string, Usage> = new Map();
  #bytes = 0;

  constructor(bounds: Partial<StoreBounds> = {}) {
    this.#bounds = { ...DEFAULT_STORE_BOUNDS, ...bounds };
  }

  /** Sessions that are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** Memory that they hold. */
  get bytes(): number {
    return this.#bytes;
  }

  get(id: string): SessionRecord | undefined {
    return this.#entries.get(id)?.record;
  }

  create(record: SessionRecord): Admission {
    const { maxSessions, maxSessionsPerPrincipal } = this.#bounds;
    if (this.#entries.has(record.id)) return { admitted: false, evicted: [] };
    const usage = this.#usageOf(record.principal);
    const evicted = [
      ...this.#evictWhile(() => usage.sessions >= maxSessionsPerPrincipal, record.principal),
      ...this.#evictWhile(() => this.#entries.size >= maxSessions),
    ];
    const admitted = this.#entries.size < maxSessions && usage.sessions < maxSessionsPerPrincipal;
    if (admitted) {
      this.#entries.set(record.id, { record, bytes: 0, detachedAt: 0 });
      // It may have been forgotten with the last session of this principal.
      this.#principals.set(record.principal, usage);
      usage.sessions += 1;
    } else if (usage.sessions === 0) this.#principals.delete(record.principal);
    return { admitted, evicted };
  }

  replace(epoch: number, next: SessionRecord): boolean {
    const entry = this.#entries.get(next.id);
    if (entry === undefined || entry.record.epoch !== epoch || entry.record.principal !== next.principal) return false;
    entry.record = next;
    this.#detached.delete(next.id);
    return true;
  }

  detach(id: string, epoch: number, now: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.record.epoch !== epoch || this.#detached.has(id)) return;
    entry.detachedAt = now;
    this.#detached.set(id, entry);
  }

  charge(id: string, bytes: number): readonly string[] {
    const entry = this.#entries.get(id);
    if (entry === undefined) return [];
    const { principal } = entry.record;
    const usage = this.#usageOf(principal);
    this.#bytes += bytes - entry.bytes;
    usage.bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    const { maxBytes, maxBytesPerPrincipal } = this.#bounds;
    return [
      ...this.#evictWhile(() => usage.bytes > maxBytesPerPrincipal, principal),
      ...this.#evictWhile(() => this.#bytes > maxBytes),
    ];
  }

  expire(now: number): readonly string[] {
    const expired: string[] = [];
    for (const [id, { detachedAt }] of this.#detached) {
      if (now < detachedAt + this.#bounds.maxDetachedMs) break;
      expired.push(id);
      this.remove(id);
    }
    return expired;
  }

  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { principal } = entry.record;
    const usage = this.#usageOf(principal);
    this.#entries.delete(id);
    this.#detached.delete(id);
    this.#bytes -= entry.bytes;
    usage.bytes -= entry.bytes;
    usage.sessions -= 1;
    if (usage.sessions === 0) this.#principals.delete(principal);
  }

  /** Evicts detached sessions, the oldest first, of one principal or of all, while something is over its bound. */
  #evictWhile(isOver: () => boolean, principal?: string): readonly string[] {
    const evicted: string[] = [];
    for (const [id, { record }] of this.#detached) {
      if (!isOver()) break;
      if (principal !== undefined && record.principal !== principal) continue;
      evicted.push(id);
      this.remove(id);
    }
    return evicted;
  }

  #usageOf(principal: string): Usage {
    const known = this.#principals.get(principal);
    if (known !== undefined) return known;
    const usage = { sessions: 0, bytes: 0 };
    this.#principals.set(principal, usage);
    return usage;
  }
}
