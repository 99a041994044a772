/** A journal whose store is slow, away, or loses what is said. */

import { unavailable, unknownOutcome } from "../../io/journal/failure.ts";
import type {
  Following,
  JournalNeeds,
  JournalRecord,
  LogFollower,
  NewEntry,
  SessionJournal,
  SharedEntry,
} from "../../io/journal/journal.ts";
import type { Clock } from "../../io/network/network.ts";

/** What a {@link FaultyJournal} is asked to do. */
export type JournalCall = "open" | "read" | "commit" | "remove" | "append" | "follow" | "publish";

/** What goes wrong in one call. */
export interface JournalFault {
  /** Milliseconds before the call reaches the store. Default: none. */
  readonly delayMs?: number | undefined;
  /** Milliseconds before the answer is back. Default: none. */
  readonly answerDelayMs?: number | undefined;
  /**
   * `refused`: nothing is written, `JOURNAL_UNAVAILABLE`. `call lost`: nothing is written, `JOURNAL_UNKNOWN`. `answer lost`: it is
   * written, `JOURNAL_UNKNOWN`. A call that writes nothing rejects with `JOURNAL_UNAVAILABLE` in each case. What is published is dropped in
   * each case, and delays do not count for it.
   */
  readonly outcome?: "refused" | "call lost" | "answer lost" | undefined;
}

const WRITES: ReadonlySet<JournalCall> = new Set(["commit", "remove", "append"]);

/**
 * A journal over another one, for tests of what uses it: slow, away, or without answers. What is set counts for the calls that
 * begin later, while it runs. Several servers may have one each over one journal: so a partition cuts one of them off.
 *
 * @example
 * ```ts
 * import { nodeNetwork } from "zocalo";
 * import { memoryJournal } from "zocalo/protocol";
 * import { FaultyJournal } from "zocalo/testing";
 * const journal = new FaultyJournal(memoryJournal(), nodeNetwork.clock);
 * await journal.open({ keptMs: 60_000 });
 * journal.fault = (call) => (call === "commit" ? { outcome: "answer lost" } : undefined);
 * await journal.commit("ana", 0, Buffer.from("one")).catch((error) => console.log(error.code)); // JOURNAL_UNKNOWN
 * console.log(String((await journal.read("ana"))?.bytes)); // one
 * journal.away = true;
 * await journal.read("ana").catch((error) => console.log(error.code)); // JOURNAL_UNAVAILABLE
 * await journal.close();
 * ```
 */
export class FaultyJournal implements SessionJournal {
  /** Decides what goes wrong in a call; `subject` is the id or the topic. Default: nothing does. */
  fault: ((call: JournalCall, subject: string) => JournalFault | undefined) | undefined;
  readonly #journal: SessionJournal;
  readonly #clock: Clock;
  #away = false;
  #back: (() => void) | undefined;
  #isBack: Promise<void> = Promise.resolve();

  /** @param clock - Counts the delays. */
  constructor(journal: SessionJournal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  /** The name of the journal beneath. */
  get name(): string {
    return this.#journal.name;
  }

  /** Whether the store is away: every call is refused, and followers are told nothing until it is back, and then all entries. */
  get away(): boolean {
    return this.#away;
  }

  set away(away: boolean) {
    if (away === this.#away) return;
    this.#away = away;
    if (away) this.#isBack = new Promise((resolve) => (this.#back = resolve));
    else this.#back?.();
  }

  /** As {@link SessionJournal.open}. */
  open(needs: JournalNeeds): Promise<void> {
    return this.#through("open", "", () => this.#journal.open(needs));
  }

  /** As {@link SessionJournal.read}. */
  read(id: string): Promise<JournalRecord | undefined> {
    return this.#through("read", id, () => this.#journal.read(id));
  }

  /** As {@link SessionJournal.commit}. */
  commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
    return this.#through("commit", id, () => this.#journal.commit(id, version, bytes));
  }

  /** As {@link SessionJournal.remove}. */
  remove(id: string, version: number): Promise<void> {
    return this.#through("remove", id, () => this.#journal.remove(id, version));
  }

  /** As {@link SessionJournal.append}. */
  append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
    return this.#through("append", topic, () => this.#journal.append(topic, entries));
  }

  /** As {@link SessionJournal.follow}. The delays of the call do not count for what is told. */
  follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
    return this.#through("follow", "", async () => {
      const told = new HeldFollower(
        follower,
        () => this.#away,
        () => this.#isBack,
      );
      const following = await this.#journal.follow(behind, told);
      return {
        behind: following.behind,
        stop: () => {
          told.stopped = true;
          following.stop();
        },
      };
    });
  }

  /** As {@link SessionJournal.publish}. */
  publish(topic: string, body: Uint8Array): void {
    if (!this.#away && this.fault?.("publish", topic)?.outcome === undefined) this.#journal.publish(topic, body);
  }

  /** As {@link SessionJournal.close}. Nothing goes wrong here. */
  close(): Promise<void> {
    return this.#journal.close();
  }

  async #through<T>(call: JournalCall, subject: string, run: () => Promise<T>): Promise<T> {
    if (this.#away) throw unavailable(call);
    const fault = this.fault?.(call, subject);
    if (fault?.delayMs !== undefined) await this.#pass(fault.delayMs);
    if (this.#away || fault?.outcome === "refused") throw unavailable(call);
    if (fault?.outcome === "call lost") throw lost(call);
    const answer = await run();
    if (fault?.answerDelayMs !== undefined) await this.#pass(fault.answerDelayMs);
    if (this.#away || fault?.outcome === "answer lost") throw lost(call);
    return answer;
  }

  #pass(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(resolve, delayMs));
  }
}

function lost(call: JournalCall): Error {
  return WRITES.has(call) ? unknownOutcome(call) : unavailable(call);
}

/** Keeps what a follower is told while the store is away. */
class HeldFollower implements LogFollower {
  stopped = false;
  readonly #follower: LogFollower;
  readonly #isAway: () => boolean;
  readonly #back: () => Promise<void>;
  #held: (() => void)[] | undefined;

  constructor(follower: LogFollower, isAway: () => boolean, back: () => Promise<void>) {
    this.#follower = follower;
    this.#isAway = isAway;
    this.#back = back;
  }

  entries(entries: readonly SharedEntry[]): void {
    this.#tell(() => this.#follower.entries(entries));
  }

  gap(place: number): void {
    this.#tell(() => this.#follower.gap(place));
  }

  published(topic: string, body: Uint8Array): void {
    if (!this.#isAway()) this.#follower.published?.(topic, body);
  }

  #tell(tell: () => void): void {
    if (this.#held !== undefined) this.#held.push(tell);
    else if (this.#isAway()) {
      this.#held = [tell];
      void this.#release();
    } else tell();
  }

  async #release(): Promise<void> {
    while (this.#isAway()) await this.#back();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const tell of held) if (!this.stopped) tell();
  }
}
