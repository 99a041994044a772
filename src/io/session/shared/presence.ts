/** Who is there, at all servers of a journal: each says its counts once a second, and answers when another one asks who they are. */

import type { SessionJournal } from "../../journal/journal.ts";
import type { Clock, Timer } from "../../network/network.ts";
import type { SessionFacade } from "../endpoint/session.ts";
import type { AudienceCount, AudienceMembers } from "../audience.ts";
import { PresenceBook } from "./presence-book.ts";
import {
  decodePresence,
  encodePresence,
  type FoundMember,
  MAX_TOPIC,
  type PresenceMessage,
  type TopicCount,
} from "../../../core/journal/presence-message.ts";
import { MembersQuestion } from "./question.ts";
import type { SessionTopics } from "./topics.ts";

/** What is published about it; answers have the server that has asked behind it. */
const TOPIC = "presence";
const TELL_MS = 1_000;
/** A message is cut before it has so many letters, so that a journal takes it. */
const PIECE_LETTERS = 8_192;
/** Beside the texts. */
const LETTERS_OF_NUMBERS = 10;
/** A server says no more than that in a second. */
const MAX_PIECES = 256;
/** An answer has no more. */
const MAX_FOUND = 10_000;

/** The server whose sessions these are. */
export interface PresenceOwner {
  readonly instance: string;
  readonly clock: Clock;
  readonly topics: SessionTopics;
}

/** A question that was asked. */
interface Asked {
  readonly question: MembersQuestion;
  readonly end: () => void;
}

/** What one server says and hears. */
export class Presence {
  readonly #journal: SessionJournal;
  readonly #owner: PresenceOwner;
  readonly #book = new PresenceBook();
  /** Topics whose count is to be said. */
  readonly #changed = new Set<string>();
  #isAllDue = true;
  #number = 0;
  /** Servers that are to say everything anew. */
  readonly #unclear = new Set<string>();
  readonly #questions = new Map<number, Asked>();
  #lastQuestion = 0;
  #timer: Timer | undefined;

  constructor(journal: SessionJournal, owner: PresenceOwner) {
    this.#journal = journal;
    this.#owner = owner;
  }

  open(): void {
    this.#owner.topics.changed = this.#changed;
    this.#publish({ kind: "ask", server: "" });
    this.#tell();
  }

  close(): void {
    this.#timer?.cancel();
    this.#publish({ kind: "gone", server: this.#owner.instance });
    for (const { end } of this.#questions.values()) end();
  }

  /** Something was published. */
  hear(topic: string, body: Uint8Array): void {
    const { instance } = this.#owner;
    const message = topic === TOPIC || topic === TOPIC + instance ? decodePresence(body) : undefined;
    if (message === undefined) return;
    const { server } = message;
    if (message.kind === "ask") this.#isAllDue ||= server === instance || server === "";
    else if (message.kind === "found") this.#found(message.question, server, message.members, message.total);
    else if (server === instance) return;
    else if (message.kind === "gone") this.#book.forget(server);
    else if (message.kind === "find") this.#answer(server, message.question, message.topic);
    else if (!this.#book.note(message, this.#owner.clock.now())) this.#unclear.add(server);
  }

  count(topic: string): AudienceCount {
    const { topics, clock } = this.#owner;
    const others = this.#book.count(topic, clock.now());
    const isSaid = topic.length <= MAX_TOPIC || this.#book.alive(clock.now()).length === 0;
    return { size: topics.count(topic) + others.size, ageMs: isSaid ? others.ageMs : Number.POSITIVE_INFINITY };
  }

  /** Asks all servers. Never rejects. */
  async members(topic: string, timeoutMs: number): Promise<AudienceMembers> {
    const { instance, clock } = this.#owner;
    const number = (this.#lastQuestion += 1);
    const question = membersHere(this.#owner, topic, this.#book.alive(clock.now()));
    if (!question.isAnswered && topic.length <= MAX_TOPIC) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(resolve, timeoutMs);
        const end = (): void => {
          timer.cancel();
          resolve();
        };
        this.#questions.set(number, { question, end });
        this.#publish({ kind: "find", server: instance, question: number, topic });
      });
      this.#questions.delete(number);
    }
    return question.answer;
  }

  /** Says what has changed, or everything, and so that this server is there. */
  #tell(): void {
    const { topics, instance, clock } = this.#owner;
    let isFirst = this.#isAllDue;
    const due = [...(isFirst ? topics.names() : this.#changed)].filter((topic) => topic.length <= MAX_TOPIC);
    this.#changed.clear();
    const counts = due.map((topic): TopicCount => [topic, topics.count(topic)]);
    const pieces = inPieces(counts, ([topic]) => topic.length);
    const isCut = pieces.length > MAX_PIECES;
    this.#isAllDue = isCut;
    for (const piece of pieces.slice(0, MAX_PIECES)) {
      this.#publish({ kind: "counts", server: instance, number: this.#number, isFirst, isCut, counts: piece });
      this.#number += 1;
      isFirst = false;
    }
    for (const server of this.#unclear) this.#publish({ kind: "ask", server });
    this.#unclear.clear();
    this.#timer = clock.setTimer(() => this.#tell(), TELL_MS, true);
  }

  #answer(to: string, question: number, topic: string): void {
    const { topics, instance } = this.#owner;
    const found = membersOf(topics, topic);
    for (const members of inPieces(found.slice(0, MAX_FOUND), ([id, principal]) => id.length + principal.length))
      this.#publish({ kind: "found", server: instance, question, total: found.length, members }, to);
  }

  #found(number: number, server: string, members: readonly FoundMember[], total: number): void {
    const asked = this.#questions.get(number);
    asked?.question.add(server, members, total);
    if (asked?.question.isAnswered === true) asked.end();
  }

  #publish(message: PresenceMessage, to = ""): void {
    this.#journal.publish(TOPIC + to, encodePresence(message));
  }
}

/** A question that has the answer of this server. */
export function membersHere(
  { topics, instance }: Pick<PresenceOwner, "topics" | "instance">,
  topic: string,
  others: readonly string[] = [],
): MembersQuestion {
  const question = new MembersQuestion([instance, ...others]);
  const found = membersOf(topics, topic);
  question.add(instance, found, found.length);
  return question;
}

function membersOf(topics: SessionTopics, topic: string): FoundMember[] {
  return Array.from(topics.members(topic), (session: SessionFacade): FoundMember => {
    const { id, principal = id, state } = session;
    return [id, principal, state !== "detached"];
  });
}

/** Lists of items, none of which is much longer than a piece may be; one at least. */
function inPieces<Item>(items: readonly Item[], lettersOf: (item: Item) => number): Item[][] {
  let piece: Item[] = [];
  let letters = 0;
  const pieces = [piece];
  for (const item of items) {
    const more = lettersOf(item) + LETTERS_OF_NUMBERS;
    if (letters + more > PIECE_LETTERS && piece.length > 0) {
      pieces.push((piece = []));
      letters = 0;
    }
    piece.push(item);
    letters += more;
  }
  return pieces;
}
