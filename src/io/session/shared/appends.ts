/** What a server appends to the log of its journal: what it says to one topic in its order, also when the store is away for a while. */

import { ZocaloError } from "../../../core/errors.ts";
import { BackoffPauses, type BackoffTimes } from "../../../core/options/backoff.ts";
import { unavailable } from "../../journal/failure.ts";
import type { NewEntry, SessionJournal } from "../../journal/journal.ts";
import type { RefusedWrites } from "../../journal/refused-writes.ts";
import type { Clock, Random, Timer } from "../../network/network.ts";
import { FifoMap } from "../../../core/fifo-map.ts";
import { handled } from "../../operation/handled-rejection.ts";

/** So many topics are appended to at once. */
const MAX_UNDER_WAY = 256;
/** Entries that go to the store in one call, and bytes of them, if they are not in one entry. */
const MAX_TOGETHER = 256;
const MAX_BYTES_TOGETHER = 262_144;
/** What waits while the store is away; more is refused. */
const MAX_WAITING = 65_536;
const MAX_WAITING_BYTES = 67_108_864;
const RETRIES: BackoffTimes = { initialDelayMs: 100, maxDelayMs: 1000, timeoutMs: Infinity };

interface Append extends NewEntry {
  readonly resolve: (place: number) => void;
  readonly reject: (reason: unknown) => void;
}

/** What is said to one topic; the first ones are under way, or tried again. */
interface Line {
  readonly topic: string;
  waiting: Append[];
  /** The first failure since the last success. */
  failedAtMs?: number | undefined;
}

/** The appends of one server. */
export class LogAppends {
  readonly #journal: Pick<SessionJournal, "append">;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #refused: RefusedWrites;
  readonly #lines = new Map<string, Line>();
  /** Those whose first ones may be appended now. */
  readonly #ready = new FifoMap<Line, true>();
  readonly #pauses = new Set<Timer>();
  #size = 0;
  #bytes = 0;
  #underWay = 0;
  /** Since the last success. */
  #backoff: BackoffPauses | undefined;
  #onIdle: (() => void) | undefined;
  #isOver = false;

  constructor(journal: Pick<SessionJournal, "append">, clock: Clock, random: Random, refused: RefusedWrites) {
    this.#journal = journal;
    this.#refused = refused;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Appends once the store is there, behind what was appended to the topic before; answers the place. Rejects with `JOURNAL_UNKNOWN`
   * when nobody knows whether it was appended, and there is no key with which it could be tried again; when this server closes, with
   * `JOURNAL_UNAVAILABLE`.
   *
   * @throws ZocaloError `JOURNAL_UNAVAILABLE` at once when too many wait.
   */
  append(topic: string, key: string | undefined, body: Uint8Array): Promise<number> {
    if (this.#isOver) throw closed();
    if (this.#size >= MAX_WAITING || this.#bytes >= MAX_WAITING_BYTES) {
      const detail = `${this.#size} messages wait for the journal already: it is away, or too slow for them`;
      throw unavailable("append", detail);
    }
    const place = new Promise<number>((resolve, reject) => this.#push(topic, { key, body, resolve, reject }));
    return handled(place);
  }

  /** Resolves when nothing waits, nor is under way. */
  async idle(): Promise<void> {
    if (this.#size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  /** What waits is given up. */
  stop(): void {
    this.#isOver = true;
    for (const pause of this.#pauses) pause.cancel();
    for (const line of this.#lines.values()) {
      const given = line.waiting.splice(0);
      this.#forget(given);
      for (const { reject } of given) reject(closed());
    }
  }

  #push(topic: string, append: Append): void {
    this.#size += 1;
    this.#bytes += append.body.length;
    const line = this.#lines.get(topic);
    if (line !== undefined) {
      line.waiting.push(append);
      return;
    }
    const begun = { topic, waiting: [append] };
    this.#lines.set(topic, begun);
    this.#ready.add(begun, true);
    // At the end of the turn: what else is said in it goes with it.
    if (this.#ready.size === 1) this.#clock.defer(() => this.#start());
  }

  #start(): void {
    for (let line = this.#ready.first(); line !== undefined && !this.#isOver; line = this.#ready.first()) {
      if (this.#underWay >= MAX_UNDER_WAY) return;
      this.#ready.delete(line);
      void this.#try(line);
    }
  }

  async #try(line: Line): Promise<void> {
    // After a failure one by one: what stands before an entry that the store refuses is stored.
    const together = takeTogether(line.waiting, line.failedAtMs === undefined ? MAX_TOGETHER : 1);
    let again: Append[] = [];
    this.#underWay += 1;
    try {
      const places = await this.#journal.append(line.topic, together);
      this.#backoff = undefined;
      line.failedAtMs = undefined;
      this.#forget(together);
      for (const [index, { resolve }] of together.entries()) resolve(places[index] as number);
    } catch (error) {
      line.failedAtMs ??= this.#clock.now();
      this.#refused.again("append", `what is said to ${line.topic}`, line.failedAtMs, error);
      const isUnknown = error instanceof ZocaloError && error.code === "JOURNAL_UNKNOWN";
      // Without a key it could be there twice.
      if (!this.#isOver) again = together.filter(({ key }) => !isUnknown || key !== undefined);
      const given = together.filter((append) => !again.includes(append));
      this.#forget(given);
      for (const { reject } of given) reject(error);
    }
    this.#underWay -= 1;
    line.waiting.unshift(...again);
    if (line.waiting.length === 0) this.#lines.delete(line.topic);
    else if (again.length > 0) this.#pause(line);
    else this.#ready.add(line, true);
    this.#start();
  }

  #forget(appends: readonly Append[]): void {
    for (const { body } of appends) this.#bytes -= body.length;
    this.#size -= appends.length;
    if (this.#size === 0) this.#onIdle?.();
  }

  /** Tries a line again later. */
  #pause(line: Line): void {
    const now = this.#clock.now();
    this.#backoff ??= new BackoffPauses({}, RETRIES, now);
    const goOn = (): void => {
      this.#pauses.delete(pause);
      this.#ready.add(line, true);
      this.#start();
    };
    const pause = this.#clock.setTimer(goOn, this.#backoff.next(now, this.#random.next()) ?? 0, true);
    this.#pauses.add(pause);
  }
}

/** The first ones, as many as go in one call. */
function takeTogether(waiting: Append[], most: number): Append[] {
  let count = 1;
  let bytes = waiting[0]?.body.length ?? 0;
  while (count < waiting.length && count < most) {
    bytes += waiting[count]?.body.length ?? 0;
    if (bytes > MAX_BYTES_TOGETHER) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

function closed(): ZocaloError {
  return unavailable("append", "this server is closed");
}
