/** The log of a server's journal: what is said to many sessions is appended once, and each server tells its own sessions. */

import { encodeSharedMessage, type SharedMessage } from "../../../core/journal/shared-message.ts";
import { UsageError } from "../../../core/errors.ts";
import { VOLATILE_PLACE } from "../../../core/session/shared-lane.ts";
import type { Following, SessionJournal, SharedEntry } from "../../journal/journal.ts";
import { RefusedWrites } from "../../journal/refused-writes.ts";
import type { Clock, Random, Timer } from "../../network/network.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import { LogAppends } from "./appends.ts";
import { HeardEntry } from "./heard.ts";
import { LogPast, type PastPiece } from "./past.ts";
import { Presence } from "./presence.ts";
import { SharedRing } from "./ring.ts";
import { EVERYBODY, type SessionTopics } from "./topics.ts";

/** Clients learn so often how far the log is, so that they know it when they come back. */
const TELL_MS = 5_000;
/** Longest body of a message for many, and most of it with who does not hear it: NATS takes 1 MiB at most, unless it is told otherwise. */
const STORED = { bodyBytes: 524_288, allBytes: 917_504 } as const;
/** The same of one that may be lost: so much every journal publishes. */
const PUBLISHED = { bodyBytes: 60_000, allBytes: 65_536 } as const;
/** Stands before the topic of what may be lost, as it is published. */
const VOLATILE = "volatile/";

/** The server whose log this is. */
export interface SharedLogOwner {
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly topics: SessionTopics;
  /** The log has lost what a session had to hear. */
  missed(session: SessionFacade): void;
  /** Something failed that nobody awaits. */
  unkept(error: unknown, session: undefined): void;
}

/** What one server says to the log, and hears from it. */
export class SharedLog {
  readonly presence: Presence;
  readonly #journal: SessionJournal;
  readonly #owner: SharedLogOwner;
  readonly #appends: LogAppends;
  readonly #past: LogPast;
  #ring = new SharedRing(0);
  #following: Following | undefined;
  #timer: Timer | undefined;
  /** Sessions that are not told at once what is new, and up to where each has been told: they have no room, or come back. */
  readonly #behind = new Map<SessionFacade, number>();
  /** Those of them whose clients another server has told more than this one has heard. */
  readonly #ahead = new Map<SessionFacade, number>();
  /** What handlers of a session have said that is not stored yet, and the last place of what is. */
  readonly #said = new Map<SessionFacade, { readonly underWay: Set<Promise<number>>; place: number }>();
  /** Who waits until an entry was told, by its place. */
  readonly #awaited = new Map<number, (() => void)[]>();
  #toldPlace = 0;
  /** Nothing is heard any more. */
  #isOver = false;

  constructor(journal: SessionJournal, owner: SharedLogOwner) {
    this.#journal = journal;
    this.#owner = owner;
    this.presence = new Presence(journal, owner);
    this.#appends = new LogAppends(
      journal,
      owner.clock,
      owner.random,
      new RefusedWrites(owner.clock, (error) => owner.unkept(error, undefined)),
    );
    this.#past = new LogPast(journal, {
      lost: () => this.#ring.lost,
      read: (piece) => this.#readPast(piece),
      gap: (behind, place) => this.#lose(behind, place),
      failed: (error) => owner.unkept(error, undefined),
    });
  }

  /** How far this server has heard. */
  get place(): number {
    return this.#ring.last;
  }

  async open(): Promise<void> {
    const early: (readonly SharedEntry[])[] = [];
    let isOpen = false;
    this.#following = await this.#journal.follow(undefined, {
      entries: (entries) => {
        if (isOpen) this.#hear(entries);
        else early.push(entries);
      },
      gap: (place) => this.#begin(place),
      published: (topic, body) => this.#published(topic, body),
    });
    this.presence.open();
    this.#ring = new SharedRing(this.#following.behind);
    isOpen = true;
    for (const entries of early) this.#hear(entries);
    this.#toldPlace = this.place;
    this.#expectTelling();
  }

  /** What was said is appended, as far as the store is there by then. */
  async close(expired: Promise<unknown>): Promise<void> {
    await Promise.race([this.#appends.idle(), expired]);
    this.#isOver = true;
    this.presence.close();
    this.#appends.stop();
    this.#past.stop();
    this.#following?.stop();
    this.#timer?.cancel();
    this.#reachedAll();
  }

  /**
   * Says a message to all who hear a topic. With the session and a key of the handler that says it: that session is not written before
   * this is stored, and saying it again with the same key does nothing.
   *
   * @throws UsageError `FRAME_TOO_LONG`, ZocaloError `JOURNAL_UNAVAILABLE`.
   */
  say(
    topic: string,
    message: SharedMessage,
    by?: { readonly session: SessionFacade; readonly key: string },
  ): Promise<number> {
    const stored = this.#appends.append(topic, by?.key, encode(message, STORED));
    if (by === undefined) return stored;
    const said = this.#said.get(by.session) ?? { underWay: new Set<Promise<number>>(), place: 0 };
    this.#said.set(by.session, said);
    said.underWay.add(stored);
    stored.then(
      (place) => {
        said.underWay.delete(stored);
        said.place = Math.max(said.place, place);
      },
      () => undefined,
    );
    return stored;
  }

  /** The same for an event that may be lost: it is stored nowhere. @throws UsageError `FRAME_TOO_LONG`. */
  tell(topic: string, message: SharedMessage): void {
    this.#journal.publish(VOLATILE + topic, encode(message, PUBLISHED));
  }

  /** Resolves when all that the handlers of a session have said is stored, and was told to the sessions of this server. */
  async said(session: SessionFacade): Promise<void> {
    const said = this.#said.get(session);
    if (said === undefined) return;
    await Promise.all(said.underWay);
    await this.#reached(said.place);
    if (said.underWay.size === 0) this.#said.delete(session);
  }

  /** A session goes on, or begins: its client has everything up to a place. */
  resume(session: SessionFacade, place: number): void {
    this.#behind.set(session, place);
  }

  /** A session has changed: it may have room, or a connection. */
  pumped(session: SessionFacade): void {
    if (this.#behind.size === 0 || !this.#behind.has(session)) return;
    const { endpoint, changes } = partsOf(session);
    if (changes === 0 && endpoint.machine.link?.shared?.mayTake === true) this.#catchUp(session);
  }

  ended(session: SessionFacade): void {
    this.#behind.delete(session);
    this.#ahead.delete(session);
    this.#said.delete(session);
  }

  #hear(entries: readonly SharedEntry[]): void {
    for (const entry of entries) {
      // A log that begins anew is told as a gap; anything else comes in order.
      this.#ring.add(entry);
      this.#tell(entry);
      const awaited = this.#awaited.get(entry.place);
      if (awaited === undefined) continue;
      this.#awaited.delete(entry.place);
      for (const reached of awaited) reached();
    }
    const { place } = this;
    for (const [session, told] of this.#ahead) if (told <= place) this.pumped(session);
  }

  #tell(entry: SharedEntry): void {
    let heard: HeardEntry | undefined;
    for (const session of this.#owner.topics.members(entry.topic)) {
      if (this.#behind.has(session)) continue;
      heard ??= this.#read(entry);
      if (heard === undefined) return;
      // It is told from the log when it has room, or when its client comes back.
      if (!this.#say(session, heard)) this.#behind.set(session, entry.place - 1);
    }
  }

  /** Tells a session; false when it has no room. */
  #say(session: SessionFacade, heard: HeardEntry): boolean {
    const { endpoint, changes } = partsOf(session);
    const { terms, machine } = endpoint;
    if (heard.isExcept(session.id)) return true;
    if (terms.machine.journaled !== true) {
      const event = heard.in(terms.agreement.codec);
      if (event !== undefined && !endpoint.isOver) endpoint.events.post(event.method, event.body);
      return true;
    }
    const frame = heard.frameFor(terms);
    if (frame === undefined) return true;
    // It hears a group when the journal knows that it is there: another server must know it, too.
    if (changes > 0 || !machine.say(frame)) return false;
    endpoint.gathered(frame.length);
    return true;
  }

  #published(topic: string, body: Uint8Array): void {
    if (!topic.startsWith(VOLATILE)) return this.presence.hear(topic, body);
    const entry = { place: VOLATILE_PLACE, topic: topic.slice(VOLATILE.length), body };
    let heard: HeardEntry | undefined;
    for (const session of this.#owner.topics.members(entry.topic)) {
      heard ??= this.#read(entry);
      if (heard === undefined) return;
      const { endpoint } = partsOf(session);
      const event = heard.isExcept(session.id) ? undefined : heard.in(endpoint.terms.agreement.codec);
      if (event !== undefined && !endpoint.isOver) endpoint.events.post(event.method, event.body);
    }
  }

  /** Undefined for what this version of the program cannot read. */
  #read(entry: SharedEntry): HeardEntry | undefined {
    try {
      return new HeardEntry(this.#owner.topics.plan, entry);
    } catch (error) {
      this.#owner.unkept(error, undefined);
      return undefined;
    }
  }

  /** Tells a session what it has not been told. */
  #catchUp(session: SessionFacade): void {
    let told = this.#behind.get(session) ?? this.place;
    while (told < this.#ring.lost) {
      const { piece } = this.#past;
      if (piece === undefined || !this.#past.has(told)) {
        this.#behind.set(session, told);
        void this.#past.read(told);
        return;
      }
      told = this.#tellFrom(session, piece.entries, told);
      if (told < piece.upTo) return;
    }
    if (told > this.place) {
      this.#ahead.set(session, told);
      return;
    }
    this.#ahead.delete(session);
    told = this.#tellFrom(session, this.#ring.behind(told), told);
    if (told < this.place) return;
    this.#behind.delete(session);
    this.#tellPlace(session);
  }

  /** Tells a session entries, as far as it has room; answers the place up to which it needs no more of them. */
  #tellFrom(session: SessionFacade, entries: Iterable<SharedEntry>, behind: number): number {
    let told = behind;
    for (const entry of entries) {
      if (entry.place <= told) continue;
      const since = this.#owner.topics.since(entry.topic, session);
      const heard = since === undefined || entry.place <= since ? undefined : this.#read(entry);
      if (heard !== undefined && !this.#say(session, heard)) {
        this.#behind.set(session, told);
        return told;
      }
      told = entry.place;
    }
    return told;
  }

  #tellPlace(session: SessionFacade): void {
    const { endpoint } = partsOf(session);
    const { shared } = endpoint.machine.link ?? {};
    if (shared === undefined) return;
    shared.tell(this.place);
    endpoint.touch();
  }

  #expectTelling(): void {
    this.#timer = this.#owner.clock.setTimer(() => this.#tellAll(), TELL_MS, true);
  }

  #tellAll(): void {
    if (this.place !== this.#toldPlace)
      for (const session of this.#owner.topics.members(EVERYBODY))
        if (!this.#behind.has(session)) this.#tellPlace(session);
    this.#toldPlace = this.place;
    // What another server has told a client must come here, too; if it does not, the log is not that of before.
    for (const told of this.#ahead.values()) if (told > this.place) void this.#past.read(told);
    this.#expectTelling();
  }

  #readPast({ behind, upTo }: PastPiece): void {
    for (const [session, told] of this.#behind) if (told >= behind && told < upTo) this.pumped(session);
    for (const [session, told] of this.#behind)
      if (told < this.#ring.lost && !this.#past.has(told)) this.pumped(session);
  }

  /** Entries behind the last one are lost: the log goes on behind a place. */
  #begin(place: number): void {
    const before = this.place;
    this.#ring = new SharedRing(place);
    for (const session of this.#owner.topics.members(EVERYBODY))
      if (partsOf(session).endpoint.terms.machine.journaled === true)
        this.#behind.set(session, this.#behind.get(session) ?? before);
    this.#lose(-1, place < before ? Number.POSITIVE_INFINITY : place);
    this.#reachedAll();
  }

  /** What sessions had to hear up to a place is lost. If they ask for more than there is, the log is another one: they had to hear that. */
  #lose(behind: number, place: number): void {
    const isNew = place < behind;
    for (const [session, told] of this.#behind) if (isNew ? told >= behind : told < place) this.#owner.missed(session);
  }

  async #reached(place: number): Promise<void> {
    if (this.#isOver || place <= this.place) return;
    await new Promise<void>((resolve) => {
      const awaited = this.#awaited.get(place);
      if (awaited === undefined) this.#awaited.set(place, [resolve]);
      else awaited.push(resolve);
    });
  }

  #reachedAll(): void {
    for (const awaited of this.#awaited.values()) for (const reached of awaited) reached();
    this.#awaited.clear();
  }
}

function encode(message: SharedMessage, { bodyBytes, allBytes }: typeof STORED | typeof PUBLISHED): Uint8Array {
  const { method, body, except = [] } = message;
  const bytes = encodeSharedMessage(message);
  if (body.length <= bodyBytes && bytes.length <= allBytes) return bytes;
  const most = `a message for many sessions has ${bodyBytes} bytes at most with a journal`;
  const detail = `${most}, ${allBytes} with the ids of \`except\`; this one has ${body.length}, and ${except.length} ids`;
  throw new UsageError("FRAME_TOO_LONG", { op: method, detail, outcome: "none" });
}
