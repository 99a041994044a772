/** What other servers have said about how many sessions hear each topic. */

import type { AudienceCount } from "../audience.ts";
import type { CountsMessage } from "../../../core/journal/presence-message.ts";

/** A server that has said nothing for so long is gone. Each says something once a second. */
const GONE_MS = 3_000;
const MAX_SERVERS = 1_000;
/** Of all other servers together. */
const MAX_TOPICS = 200_000;

/** What is known of one server. */
interface Other {
  heardMs: number;
  /** When everything was known that it had said; before that, nothing is. */
  wholeMs: number;
  /** The number of its next message. */
  next: number;
  /** Some of its topics are not known. */
  isCut: boolean;
  readonly counts: Map<string, number>;
}

/** Counts by server and topic. Times are milliseconds of one clock. */
export class PresenceBook {
  readonly #servers = new Map<string, Other>();
  #topics = 0;

  /** Notes what a server says; false when something is missing before it. */
  note({ server, number, isFirst, isCut, counts }: CountsMessage, nowMs: number): boolean {
    const other = this.#servers.get(server) ?? this.#add(server);
    if (other === undefined) return true;
    other.heardMs = nowMs;
    if (isFirst) {
      this.#topics -= other.counts.size;
      other.counts.clear();
      other.isCut = false;
      other.next = number;
    }
    if (number !== other.next) return false;
    other.next += 1;
    other.wholeMs = nowMs;
    other.isCut ||= isCut;
    for (const [topic, count] of counts) this.#set(other, topic, count);
    return true;
  }

  /** A server has closed. */
  forget(server: string): void {
    this.#topics -= this.#servers.get(server)?.counts.size ?? 0;
    this.#servers.delete(server);
  }

  /** The servers that are there, by their names. */
  alive(nowMs: number): string[] {
    for (const [server, { heardMs }] of this.#servers) if (nowMs - heardMs >= GONE_MS) this.forget(server);
    return [...this.#servers.keys()];
  }

  count(topic: string, nowMs: number): AudienceCount {
    let [size, ageMs] = [0, 0];
    for (const server of this.alive(nowMs)) {
      const { counts, wholeMs, isCut } = this.#servers.get(server) as Other;
      size += counts.get(topic) ?? 0;
      ageMs = Math.max(ageMs, isCut ? Number.POSITIVE_INFINITY : nowMs - wholeMs);
    }
    return { size, ageMs };
  }

  #add(server: string): Other | undefined {
    if (this.#servers.size >= MAX_SERVERS) return undefined;
    const other = { heardMs: 0, wholeMs: Number.NEGATIVE_INFINITY, next: -1, isCut: false, counts: new Map() };
    this.#servers.set(server, other);
    return other;
  }

  #set(other: Other, topic: string, count: number): void {
    const before = other.counts.size;
    if (count === 0) other.counts.delete(topic);
    else if (other.counts.has(topic) || this.#topics < MAX_TOPICS) other.counts.set(topic, count);
    else other.isCut = true;
    this.#topics += other.counts.size - before;
  }
}
