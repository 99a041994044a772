/** The sessions of a server in its journal: they are written there, and taken from there when another server had them. */

import { sha256 } from "../../../core/bytes/sha-256.ts";
import { ConnectionError, ZocaloError } from "../../../core/errors.ts";
import { msgpack } from "../../../core/framing/formats/msgpack.ts";
import { decodeRecord, encodeRecord, type StoredSession } from "../../../core/journal/record.ts";
import { decideClaim, type ResumeDecision } from "../../../core/session/resume/resume.ts";
import type { SessionRecord } from "../../../core/session/resume/session-store.ts";
import type { SessionJournal } from "../../journal/journal.ts";
import type { Clock, Random } from "../../network/network.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { SharedLog } from "../shared/log.ts";
import type { SessionTopics } from "../shared/topics.ts";
import { SessionCommits } from "./commits.ts";
import type { Claim } from "./registry.ts";

/** Other servers may take the same session over at the same moment; each try has one that wins. */
const MOST_TRIES = 10;
/** A record is kept for longer than a client may stay away, as a store may be away itself. */
const KEPT_TIMES = 2;

const data = msgpack();

/** The server whose sessions these are. */
export interface JournalingOwner {
  readonly clock: Clock;
  readonly random: Random;
  readonly keptMs: number;
  /** What may be said about who continues a session. */
  recordOf(id: string): SessionRecord | undefined;
  readonly topics: SessionTopics;
  readonly log: SharedLog | undefined;
  /** Something failed that nobody awaits. */
  unkept(error: unknown, session: SessionFacade | undefined): void;
}

/** A session that was taken over. */
export interface TakenOver {
  readonly outcome: "taken";
  readonly record: SessionRecord;
  readonly stored: StoredSession;
  readonly data: unknown;
  readonly version: number;
}

/** Writes and takes sessions. */
export class SessionJournaling {
  /** What clients have as the name of their server: that of the journal. */
  readonly instance: string;
  readonly #journal: SessionJournal;
  readonly #owner: JournalingOwner;
  #isOpen = false;
  readonly #commits: Map<SessionFacade, SessionCommits> = new Map();
  /** Of sessions that have ended. */
  readonly #last: Set<Promise<void>> = new Set();

  constructor(journal: SessionJournal, owner: JournalingOwner) {
    this.instance = `journal:${journal.name}`;
    this.#journal = journal;
    this.#owner = owner;
  }

  async open(): Promise<void> {
    await this.#journal.open({ keptMs: Math.min(Number.MAX_SAFE_INTEGER, KEPT_TIMES * this.#owner.keptMs) });
    this.#isOpen = true;
  }

  /** Everything is written, as far as the store is there. */
  async close(): Promise<void> {
    await Promise.all([...this.#last, ...Array.from(this.#commits.values(), (commits) => commits.stop())]);
    if (this.#isOpen) await this.#journal.close();
  }

  /** A session begins here, or goes on here with the record of this version. */
  add(session: SessionFacade, version: number): void {
    const { clock, random } = this.#owner;
    const { endpoint, since } = partsOf(session);
    const { machine } = endpoint;
    let encoded: Uint8Array = data.encode(null) as Uint8Array;
    let record = this.#owner.recordOf(session.id) as SessionRecord;
    const commits = new SessionCommits(
      {
        id: session.id,
        clock,
        random: () => random.next(),
        journal: this.#journal,
        renewMs: this.#owner.keptMs,
        get unkept() {
          return endpoint.end === undefined ? machine.unkept : "nothing";
        },
        snapshot: (all) => machine.snapshot(all),
        encode: (snapshot) => {
          try {
            encoded = data.encode(session.data) as Uint8Array;
          } catch (error) {
            this.#owner.unkept(error, session);
          }
          // A session that makes room, or whose time is up, is off the books before it is over.
          record = this.#owner.recordOf(session.id) ?? record;
          const { id: _, ...owner } = record;
          const { agreement } = endpoint.terms;
          const groups = this.#owner.topics.groupsOf(session);
          return encodeRecord({ owner, agreement, data: encoded, groups, since, session: snapshot });
        },
        said: async () => await this.#owner.log?.said(session),
        kept: (snapshot) => {
          machine.kept(snapshot, endpoint.now());
          endpoint.pump();
        },
        taken: () => this.#taken(session),
        stalled: () => undefined,
      },
      version,
    );
    this.#commits.set(session, commits);
  }

  /** The session has changed. */
  pumped(session: SessionFacade): void {
    this.#commits.get(session)?.look();
  }

  /** Writes who may continue the session now. False when the store is away; then, or when another server has it, it may not. */
  async renew(session: SessionFacade): Promise<boolean> {
    return (await this.#commits.get(session)?.writeOnce()) === true;
  }

  /** A session is over here. `forgotten`: for everybody. */
  ended(session: SessionFacade, forgotten: boolean): void {
    const commits = this.#commits.get(session);
    this.#commits.delete(session);
    if (commits === undefined) return;
    const last = (forgotten ? commits.remove() : commits.stop()).finally(() => this.#last.delete(last));
    this.#last.add(last);
  }

  /** Takes a session over for a client that continues it. @throws ZocaloError `JOURNAL_UNAVAILABLE`, `JOURNAL_UNKNOWN`. */
  async take(claim: Claim): Promise<TakenOver | Exclude<ResumeDecision, { readonly outcome: "resumed" }>> {
    const { request, agreement } = claim;
    const id = request.session;
    const principal = claim.principal ?? id;
    const nextTokenHash = sha256(claim.nextToken);
    const asked = { request, principal, agreement, tokenHash: sha256(request.token), nextTokenHash };
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const found = await this.#journal.read(id);
      const read = found === undefined ? undefined : this.#decode(id, found.bytes);
      const stored = read?.stored;
      const record = stored === undefined ? undefined : { id, ...stored.owner };
      // A write of this claim whose answer was lost.
      const isOurs = record?.attempt === request.attempt && record.tokenHash === nextTokenHash;
      const held = stored === undefined ? undefined : { agreement: stored.agreement, ...stored.session };
      const decision: ResumeDecision = isOurs ? { outcome: "resumed", record } : decideClaim(record, held, asked);
      if (decision.outcome !== "resumed") return decision;
      const { id: _, ...owner } = decision.record;
      const next = { ...(stored as StoredSession), owner };
      const version = isOurs ? found?.version : await this.#write(id, found?.version ?? 0, encodeRecord(next));
      if (version === undefined) continue;
      return { outcome: "taken", record: decision.record, stored: next, data: read?.data, version };
    }
    throw new ZocaloError("JOURNAL_STALE", { op: "take", detail: "other servers took the session again and again" });
  }

  /** Undefined when another server was faster, or nobody knows. */
  async #write(id: string, version: number, bytes: Uint8Array): Promise<number | undefined> {
    try {
      return await this.#journal.commit(id, version, bytes);
    } catch (error) {
      if (error instanceof ZocaloError && (error.code === "JOURNAL_STALE" || error.code === "JOURNAL_UNKNOWN"))
        return undefined;
      throw error;
    }
  }

  /** Undefined when it cannot be read: the client gets a new session. */
  #decode(id: string, bytes: Uint8Array): { readonly stored: StoredSession; readonly data: unknown } | undefined {
    try {
      const stored = decodeRecord(id, bytes);
      const kept = Buffer.from(stored.data);
      return { stored, data: data.decode(kept, 0, kept.length) };
    } catch (cause) {
      const isKnown = cause instanceof ZocaloError && cause.code === "JOURNAL_RECORD_INVALID";
      const detail = `the data of session ${id} cannot be read`;
      const error = isKnown ? cause : new ZocaloError("JOURNAL_RECORD_INVALID", { op: "read", detail, cause });
      this.#owner.unkept(error, undefined);
      return undefined;
    }
  }

  #taken(session: SessionFacade): void {
    const detail = "another server has the session now";
    partsOf(session).endpoint.abort(new ConnectionError("SESSION_MOVED", { op: "session", detail }));
  }
}
