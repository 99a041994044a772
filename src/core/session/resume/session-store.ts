/** What a server keeps about its sessions beside their messages: who may continue them, and which connection is the newest. */

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
