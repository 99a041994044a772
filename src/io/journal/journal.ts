/** What a server of sessions needs of a store so that its sessions outlive it. See docs/decisions/0052-a-journal-of-sessions.md. */

/** A record, and which writing of it this is. */
export interface JournalRecord {
  /** Each writing of a record has a higher one; otherwise the number means nothing. */
  readonly version: number;
  /** What was written. */
  readonly bytes: Uint8Array;
}

/** What is to be appended to the log. */
export interface NewEntry {
  /** Names it: what was appended with the same key within the last three minutes is not appended again. */
  readonly key?: string | undefined;
  /** What is told to all who follow. */
  readonly body: Uint8Array;
}

/** An entry of the log that all servers of a journal share. */
export interface SharedEntry {
  /** Where it stands. Places only grow, and there may be gaps between them. */
  readonly place: number;
  /** To whom it is said: `g/NAME` is a group, `s/ID` a session, `u/NAME` a principal. */
  readonly topic: string;
  /** What was appended. */
  readonly body: Uint8Array;
}

/** What {@link SessionJournal.follow} tells. Called in order, one call at a time, and must not throw. */
export interface LogFollower {
  /** The entries that follow those of before, without a gap, and at least one. */
  entries(entries: readonly SharedEntry[]): void;
  /**
   * Entries behind the place that was told last are not kept any more, as the log has a bound. It goes on behind `place`. If the store has lost its
   * log and made it anew, that place is lower than those of before.
   */
  gap(place: number): void;
  /** What {@link SessionJournal.publish} was given, by this server or another one. What one of them publishes keeps its order. */
  published?(topic: string, body: Uint8Array): void;
}

/** A follower that was started. */
export interface Following {
  /** The place behind which it has begun. */
  readonly behind: number;
  /** Tells no more. */
  stop(): void;
}

/** What a server says when it opens its journal. */
export interface JournalNeeds {
  /**
   * How long a record is kept at least after it was written last, and an entry of the log after it was appended, in milliseconds.
   * Later the journal may forget it, and it should before long. A server writes the records of living sessions anew before.
   */
  readonly keptMs: number;
}

/**
 * Keeps the sessions of servers outside of their processes: a record for each session, which only the server that wrote it last may
 * write again, and one log that all servers append to and follow. `zocalo/testing` has a suite for journals, `journalSuite`.
 *
 * A call that fails rejects with a `ZocaloError`: `JOURNAL_STALE` when the record has another version (nothing was written);
 * `JOURNAL_RECORD_INVALID` when the store takes no record so long (nothing was written); `JOURNAL_UNAVAILABLE` when the store cannot be
 * reached or refuses, and for certain nothing was written; `JOURNAL_UNKNOWN` when it may have been written or not, as when the answer is
 * lost: the server reads before it writes again. Each call comes to an end within a few seconds, one way or the other. Bytes that are given
 * belong to the caller again when the call has settled, bytes that are answered belong to whoever asked.
 *
 * @example
 * ```ts
 * import { memoryJournal } from "zocalo/protocol";
 * const journal = memoryJournal();
 * await journal.open({ keptMs: 60_000 });
 * const version = await journal.commit("ana", 0, Buffer.from("one"));
 * console.log(String((await journal.read("ana"))?.bytes)); // one
 * await journal.commit("ana", version, Buffer.from("two"));
 * await journal.commit("ana", version, Buffer.from("three")).catch((error) => console.log(error.code)); // JOURNAL_STALE
 * await journal.close();
 * ```
 */
export interface SessionJournal {
  /** Names what is stored there: servers with a journal of the same name have their sessions in common. */
  readonly name: string;
  /** Opens it. Each server calls this once before it takes clients, and `close` at its end; several may share one object. */
  open(needs: JournalNeeds): Promise<void>;
  /** The record of a session as it was written last; undefined when there is none. */
  read(id: string): Promise<JournalRecord | undefined>;
  /**
   * Writes a record if its version is still `version`; 0 says that there must be none. Answers its new version, when it is as safe as
   * this journal makes it.
   */
  commit(id: string, version: number, bytes: Uint8Array): Promise<number>;
  /** Forgets a record if its version is still `version`. One that is not there is forgotten already. */
  remove(id: string, version: number): Promise<void>;
  /**
   * Appends entries to the log, in their order; answers the place of each. One with a key that was used within the last three minutes is
   * not appended, and its place is that of before. A call that fails with `JOURNAL_UNAVAILABLE` has appended none of them; with
   * `JOURNAL_UNKNOWN` it may have appended any, as if each had been appended by a call of its own.
   */
  append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]>;
  /**
   * Tells what is appended behind a place, as far as it is kept, and then whatever follows; undefined: behind all that is there
   * now. It goes on through losses of the connection to the store, until it is stopped. It need not keep the process alive: the listener of
   * the server does.
   */
  follow(behind: number | undefined, follower: LogFollower): Promise<Following>;
  /**
   * Tells all who follow, this server too, and stores nothing. At most once: it is lost while the store is away, and when more is published than
   * the store takes. A body of more than 65,536 bytes is lost too. Never waits, never throws. The bytes belong to the caller again at once.
   */
  publish(topic: string, body: Uint8Array): void;
  /** Lets go. The last `close` for the `open`s of an object ends its connections and its followers. */
  close(): Promise<void>;
}
