/** What a journal means to a session: nothing leaves before what it follows from is kept outside of this process. */

import { Begins, type Begun } from "./begins.ts";

/** A request of the peer that was received and is not finished. */
export interface Unfinished {
  /** The number of its message. */
  readonly number: number;
  /** Its frame, from the type on. */
  readonly frame: Buffer;
}

/** What must be kept so that another process can go on with a session. */
export interface SessionSnapshot extends Begun {
  /** The number of the last message of the peer that need not come again. */
  readonly received: number;
  /** What comes again up to this number is done already, but for the requests `open`, by their numbers. */
  readonly doneTo: number;
  readonly open: readonly number[];
  /** The number of the last own message that the peer has acknowledged. */
  readonly acknowledged: number;
  /** The number of the last own message. */
  readonly sent: number;
  /** The frames of the own messages behind `acknowledged`, one behind the other. Valid until the session is used again. */
  readonly frames: readonly Uint8Array[];
  /** The next id of a call or stream of this side. */
  readonly nextId: number;
  /** Requests up to `received` that are not finished, in the order of their numbers. */
  readonly unfinished: readonly Unfinished[];
}

/** The part of it that tells of what came. */
export type SessionProgress = Pick<SessionSnapshot, "received" | "doneTo" | "open" | "unfinished">;

/** How far a session may go. */
export class Gate {
  /** The number of the last message of the peer that may be acknowledged, and of the last own one that may leave. */
  in: number;
  out: number;
  /** So many messages that come next were received before: the peer was not told, as they were not kept. */
  skip = 0;
  /** What may have begun, here and before. */
  readonly begins: Begins;
  /** What comes again up to this number was done by another process, but for `open`. */
  readonly doneTo: number;
  readonly #open: ReadonlySet<number>;
  /** Requests that another process has not finished; so many of them were taken. */
  readonly #again: readonly Unfinished[];
  #taken = 0;
  /** Events that came and are not handled, the oldest first. They are handled in this order. */
  #events: Unfinished[] = [];
  /** So many of them are handled. */
  #handled = 0;

  constructor(kept?: SessionSnapshot) {
    this.in = kept?.received ?? 0;
    this.out = kept?.sent ?? 0;
    this.doneTo = kept?.doneTo ?? 0;
    this.begins = new Begins(kept);
    this.#again = kept?.unfinished ?? [];
    this.#open = new Set([...(kept?.open ?? []), ...this.#again.map(({ number }) => number)]);
  }

  /** Whether another process has finished what has this number. */
  isDone(number: number): boolean {
    return number <= this.doneTo && !this.#open.has(number);
  }

  /** The requests that are not finished, with those of the peer's calls, in the order of their numbers. */
  unfinished(calls: Iterable<{ readonly number: number; readonly frame: Buffer | undefined }>): Unfinished[] {
    const all = [...this.#again.slice(this.#taken), ...this.#events.slice(this.#handled)];
    for (const { number, frame } of calls) if (frame !== undefined) all.push({ number, frame });
    return all.sort((a, b) => a.number - b.number);
  }

  /** What to keep of the messages up to `received`. `all`: with the requests that are not finished, so that none comes again. */
  progress(received: number, unfinished: readonly Unfinished[], all: boolean): SessionProgress {
    const numbers = unfinished.map(({ number }) => number);
    let done = received;
    while (done > 0 && numbers.at(done - received - 1) === done) done -= 1;
    const doneTo = Math.max(done, this.doneTo);
    // What is acknowledged does not come again.
    const upTo = all ? received : Math.max(this.in, (numbers[0] ?? received + 1) - 1);
    const toCome = [...this.#open].filter((number) => number > received);
    return {
      received: upTo,
      doneTo,
      open: [...numbers.filter((number) => number > upTo), ...toCome].filter((number) => number < doneTo),
      unfinished: unfinished.filter(({ number }) => number <= upTo),
    };
  }

  /** What to keep of the beginnings, beside these requests that are not finished. */
  begun(received: number, unfinished: readonly Unfinished[]): Begun {
    const numbers = new Set(unfinished.map(({ number }) => number));
    return this.begins.snapshot((number) => number > received || numbers.has(number));
  }

  /** The next request that another process has not finished. */
  takeAgain(): Unfinished | undefined {
    const next = this.#again[this.#taken];
    if (next !== undefined) this.#taken += 1;
    return next;
  }

  /** An event came. */
  begin(event: Unfinished): void {
    this.#events.push(event);
  }
  /** The oldest one is handled. */
  handled(): void {
    this.#handled += 1;
    // Each event is moved once on the average.
    if (this.#handled * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#handled);
    this.#handled = 0;
  }

  /** It is kept up to here; answers whether more may be acknowledged than before. */
  keep(received: number, sent: number): boolean {
    const more = received > this.in;
    this.in = received;
    this.out = sent;
    return more;
  }

  /** The session ends: what is to be said needs no keeping. */
  open(): void {
    this.in = this.out = Number.POSITIVE_INFINITY;
  }
}

/** A peer says up to where it has sent, and may say too much: more messages than this are not handled with care. */
const MOST_SUSPECTS = 65_536;

/**
 * What the process writes first that takes a session over. The one before is gone: if it had taken the session over itself, what was sent
 * again to it and is not done is suspected.
 *
 * @param peerSent - What the peer has sent, up to this number.
 */
export function takenOver(kept: SessionSnapshot, peerSent: number): SessionSnapshot {
  const suspects = [kept.again, kept.suspects].filter((upTo) => hasOpen(kept, upTo));
  const most = kept.received + MOST_SUSPECTS;
  return { ...kept, again: peerSent, suspects: Math.min(most, Math.max(0, ...suspects)) };
}

/** Whether a message up to this number is not done. */
function hasOpen({ received, doneTo, open, unfinished }: SessionSnapshot, upTo: number): boolean {
  const isBelow = (number: number): boolean => number <= upTo;
  return upTo > Math.max(received, doneTo) || open.some(isBelow) || unfinished.some(({ number }) => isBelow(number));
}
