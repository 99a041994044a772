/** The store of sessions in the memory of the process. */

import { FifoMap } from "../../fifo-map.ts";
import type { Admission, SessionRecord, SessionStore } from "./session-store.ts";

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
    const evicted: string[] = [];
    const usage = this.#principals.get(principal);
    if (usage !== undefined && usage.sessions >= maxSessionsPerPrincipal) this.#evictFirst(usage.detached, evicted);
    if (this.#records.size >= maxSessions) this.#evictFirst(this.#detached, evicted);
    const sessions = this.#principals.get(principal)?.sessions ?? 0;
    const admitted = this.#records.size < maxSessions && sessions < maxSessionsPerPrincipal;
    if (admitted) {
      this.#records.set(id, record);
      if (principal !== id) this.#usageOf(principal).sessions += 1;
    }
    return { admitted, evicted };
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
  #evictFirst(detached: FifoMap<string, unknown> | undefined, evicted: string[]): void {
    const id = detached?.first();
    if (id === undefined) return;
    evicted.push(id);
    this.remove(id);
  }

  #usageOf(principal: string): Usage {
    const known = this.#principals.get(principal);
    if (known !== undefined) return known;
    const usage: Usage = { sessions: 0, detached: undefined };
    this.#principals.set(principal, usage);
    return usage;
  }
}
