/** The sessions of a server in its journal: they are written there, and taken from there when another server had them. */

import { sha256 } from "../../../core/bytes/sha-256.ts";
import { ConnectionError, UsageError, ZocaloError } from "../../../core/errors.ts";
import { msgpack } from "../../../core/framing/formats/msgpack.ts";
import { decodeRecord, encodeRecord, type StoredSession } from "../../../core/journal/record.ts";
import { takenOver } from "../../../core/session/gate.ts";
import { decideClaim, type ResumeDecision } from "../../../core/session/resume/resume.ts";
import type { Refusal } from "../../../core/handshake/hello.ts";
import type { SessionRecord } from "../../../core/session/resume/session-store.ts";
import type { SessionJournal } from "../../journal/journal.ts";
import { RefusedWrites } from "../../journal/refused-writes.ts";
import type { Clock, Random } from "../../network/network.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { SharedLog } from "../shared/log.ts";
import type { SessionTopics } from "../shared/topics.ts";
import { CarefulStarts } from "./careful-starts.ts";
import { SessionCommits } from "./commits.ts";
import { BUSY_RETRY_MS, busy, type Claim, lost } from "./registry.ts";
import { JournalStall, sendAside, SPREAD_MS_PER_SESSION } from "./stall.ts";

/** Other servers may take the same session over at the same moment; each try has one that wins. */
const MOST_TRIES = 10;
/** A record is kept for longer than a client may stay away, as a store may be away itself. */
const KEPT_TIMES = 2;
/** So long a server has to learn that a session was taken, and to say that it lives. It looks each second. */
const ALIVE_MS = 3000;
/**
 * So long sessions wait for a store that is away: longer than a replicated store takes to find a new leader, and so short that a call
 * with its usual 30 seconds is answered by another server.
 */
const STALL_MS = 10_000;

const data = msgpack();

/** The server whose sessions these are. */
export interface JournalingOwner {
  /** The name of this process. */
  readonly instance: string;
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
  /** The version that this server has replaced; undefined where nobody knows. */
  readonly replaced: number | undefined;
}

/** Writes and takes sessions. */
export class SessionJournaling {
  /** What clients have as the name of their server: that of the journal. */
  readonly instance: string;
  readonly #journal: SessionJournal;
  readonly #owner: JournalingOwner;
  #isOpen = false;
  /** How handlers begin. */
  readonly starts: CarefulStarts;
  readonly #stall: JournalStall;
  readonly #refused: RefusedWrites;
  readonly #commits: Map<SessionFacade, SessionCommits> = new Map();
  /** The versions of the servers before, of sessions that were taken over. */
  readonly #replaced: WeakMap<SessionFacade, number | undefined> = new WeakMap();
  /** Of sessions that have ended. */
  readonly #last: Set<Promise<void>> = new Set();

  /** @param stallMs - So long sessions wait for a store that is away. Then their clients are sent away. */
  constructor(journal: SessionJournal, owner: JournalingOwner, stallMs: number = STALL_MS) {
    this.instance = `journal:${journal.name}`;
    this.#journal = journal;
    this.#owner = owner;
    const { clock } = owner;
    this.#stall = new JournalStall({ clock, stallMs, probe: () => this.#probe(), away: () => this.#sendAway() });
    this.#refused = new RefusedWrites(clock, (error) => owner.unkept(error, undefined));
    this.starts = new CarefulStarts({
      clock,
      keep: async (session) => (await this.#commits.get(session)?.keep()) === true,
      wasAlive: (session) => this.#wasAlive(session),
      unkept: (error, session) => owner.unkept(error, session),
    });
  }

  async open(): Promise<void> {
    await this.#journal.open({ keptMs: Math.min(Number.MAX_SAFE_INTEGER, KEPT_TIMES * this.#owner.keptMs) });
    this.#isOpen = true;
  }

  /** Everything is written, as far as the store is there. */
  async close(): Promise<void> {
    this.#stall.stop();
    await Promise.all([...this.#last, ...Array.from(this.#commits.values(), (commits) => commits.stop())]);
    if (this.#isOpen) await this.#journal.close();
  }

  /** Whether the store is away for longer than sessions wait for it. */
  get isAway(): boolean {
    return this.#stall.isAway;
  }

  /** Why a client does not get a session now: it keeps the one that it has, and tries again. */
  refusal(): Refusal {
    const message = "the journal of the sessions is away, or other servers want the session, too";
    return { ...busy(message), retryAfterMs: this.#retryAfterMs() };
  }

  /** A session begins here, or goes on here. */
  add(session: SessionFacade, taken: TakenOver | undefined): void {
    const { clock, random } = this.#owner;
    const parts = partsOf(session);
    const { endpoint, since } = parts;
    const { machine } = endpoint;
    /** Changes that are being written. */
    let changes = 0;
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
          if (endpoint.end !== undefined) return "nothing";
          return parts.changes > 0 ? "said" : machine.unkept;
        },
        get hasSuspect() {
          return endpoint.end === undefined && machine.begins?.hasSuspect === true;
        },
        snapshot: (all) => machine.snapshot(all),
        encode: (snapshot) => {
          try {
            encoded = data.encode(session.data) as Uint8Array;
          } catch (error) {
            this.#owner.unkept(dataRefused(error), session);
          }
          // A session that makes room, or whose time is up, is off the books before it is over.
          record = this.#owner.recordOf(session.id) ?? record;
          const { id: _, ...owner } = record;
          const { agreement } = endpoint.terms;
          const groups = this.#owner.topics.groupsOf(session);
          const { opened } = parts;
          changes = parts.changes;
          return encodeRecord({ owner, agreement, data: encoded, groups, since, opened, session: snapshot });
        },
        said: async () => await this.#owner.log?.said(session),
        kept: (snapshot) => {
          parts.changes -= changes;
          machine.kept(snapshot, endpoint.now());
          endpoint.pump();
        },
        taken: () => this.#taken(session),
        unwritable: (cause) => this.#giveUp(session, cause),
        began: () => this.#stall.began(),
        ended: (isWritten) => this.#stall.ended(isWritten),
        refused: (sinceMs, cause) =>
          this.#refused.again("commit", `the record of session ${session.id}`, sinceMs, cause),
      },
      taken?.version ?? 0,
    );
    this.#commits.set(session, commits);
    this.#replaced.set(session, taken?.replaced);
  }

  /** The session has changed. */
  pumped(session: SessionFacade): void {
    this.#commits.get(session)?.look();
  }

  /** Writes who may continue the session now. False when the store is away; then, or when another server has it, it may not. */
  async renew(session: SessionFacade): Promise<boolean> {
    return (await this.#commits.get(session)?.writeOnce()) === true;
  }

  /** The same, for a session that this server leaves in order. */
  async leave(session: SessionFacade): Promise<boolean> {
    partsOf(session).endpoint.machine.begins?.leave();
    return await this.renew(session);
  }

  /** A session is over here. `forgotten`: for everybody. */
  ended(session: SessionFacade, forgotten: boolean): void {
    const commits = this.#commits.get(session);
    this.#commits.delete(session);
    if (commits === undefined) return;
    const isSuspected = partsOf(session).endpoint.machine.begins?.hasSuspect === true;
    const last = (forgotten ? commits.remove() : commits.stop())
      .then(() => (isSuspected && !forgotten ? this.#sayAlive(session.id, commits.version) : undefined))
      .finally(() => this.#last.delete(last));
    this.#last.add(last);
  }

  /** Takes a session over for a client that continues it. @throws ZocaloError `JOURNAL_UNAVAILABLE`, `JOURNAL_UNKNOWN`. */
  async take(claim: Claim): Promise<TakenOver | Exclude<ResumeDecision, { readonly outcome: "resumed" }>> {
    const { request, agreement } = claim;
    const id = request.session;
    const principal = claim.principal ?? id;
    const nextTokenHash = sha256(claim.nextToken);
    const asked = { request, principal, agreement, tokenHash: sha256(request.token), nextTokenHash };
    let replaced: number | undefined;
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
      const { session } = stored as StoredSession;
      const next = {
        ...(stored as StoredSession),
        owner,
        session: isOurs ? session : takenOver(session, request.sent),
      };
      if (!isOurs) replaced = found?.version;
      const version = isOurs ? found?.version : await this.#write(id, found?.version ?? 0, encodeRecord(next));
      if (version === undefined) continue;
      return { outcome: "taken", record: decision.record, stored: next, data: read?.data, version, replaced };
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

  async #probe(): Promise<boolean> {
    try {
      await this.#journal.commit(`${this.#owner.instance}/there`, 0, Uint8Array.of(1));
      return true;
    } catch (error) {
      return error instanceof ZocaloError && error.code === "JOURNAL_STALE";
    }
  }

  #sendAway(): void {
    for (const session of this.#commits.keys()) {
      const { endpoint } = partsOf(session);
      if (endpoint.end === undefined) sendAside(endpoint, this.#retryAfterMs());
    }
  }

  #retryAfterMs(): number {
    const { random } = this.#owner;
    return BUSY_RETRY_MS + Math.ceil(random.next() * this.#commits.size * SPREAD_MS_PER_SESSION);
  }

  /** Whether the server lives that had a session before. Where nobody knows, nothing is held against a message. */
  async #wasAlive(session: SessionFacade): Promise<boolean> {
    const replaced = this.#replaced.get(session);
    if (replaced === undefined) return true;
    await new Promise<void>((resolve) => void this.#owner.clock.setTimer(resolve, ALIVE_MS, true));
    const said = await this.#journal.read(aliveId(session.id, replaced)).catch(() => "nobody knows");
    return said !== undefined;
  }

  /** This server has lost a session with something under way that is suspected of ending servers: it lives. */
  async #sayAlive(id: string, version: number): Promise<void> {
    await this.#journal.commit(aliveId(id, version), 0, Uint8Array.of(1)).catch(() => undefined);
  }

  #giveUp(session: SessionFacade, cause: unknown): void {
    const why = cause instanceof ZocaloError ? cause.detail : String(cause);
    const error = lost(`the journal takes no record of this session, which ends with it: ${why}`, "aborted");
    this.#owner.unkept(
      new ZocaloError("JOURNAL_RECORD_INVALID", { op: "commit", detail: error.detail, cause }),
      session,
    );
    partsOf(session).endpoint.abort(error);
  }

  #taken(session: SessionFacade): void {
    const detail = "another server has the session now";
    partsOf(session).endpoint.abort(new ConnectionError("SESSION_MOVED", { op: "session", detail }));
  }
}

/** What a program has put into `session.data` cannot be kept. */
function dataRefused(cause: unknown): ZocaloError {
  const why = cause instanceof ZocaloError ? cause.detail : String(cause);
  const detail = `session.data cannot be kept, so the journal has it as it was before: ${why}`;
  return new UsageError("FRAME_INVALID", { op: "data", side: "local", outcome: "none", detail, cause });
}

/** Where the server says that it lives which had this version of a session. */
function aliveId(id: string, version: number): string {
  return `${id}/${version}`;
}
