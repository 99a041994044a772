/** What a server appends to the log of its journal: what it says to one topic in its order, also when the store is away for a while. */

import { ZocaloError } from "../../../core/errors.ts";
import { BackoffPauses, type BackoffTimes } from "../../../core/options/backoff.ts";
import { unavailable } from "../../journal/failure.ts";
import type { SessionJournal } from "../../journal/journal.ts";
import type { Clock, Random, Timer } from "../../network/network.ts";
import { FifoMap } from "../../../core/fifo-map.ts";
import { handled } from "../../operation/handled-rejection.ts";

/** So many are under way at once. */
const MAX_UNDER_WAY = 256;
/** What waits while the store is away; more is refused. */
const MAX_WAITING = 65_536;
const MAX_WAITING_BYTES = 67_108_864;
const RETRIES: BackoffTimes = { initialDelayMs: 100, maxDelayMs: 1000, timeoutMs: Infinity };

interface Append {
  readonly key: string | undefined;
  readonly body: Uint8Array;
  readonly resolve: (place: number) => void;
  readonly reject: (reason: unknown) => void;
  next: Append | undefined;
}

/** What is said to one topic; the first one is under way, or tried again. */
interface Line {
  readonly topic: string;
  first: Append | undefined;
  last: Append | undefined;
}

/** The appends of one server. */
export class LogAppends {
  readonly #journal: Pick<SessionJournal, "append">;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lines = new Map<string, Line>();
  /** Those whose first one may be appended now. */
  readonly #ready = new FifoMap<Line, true>();
  readonly #pauses = new Set<Timer>();
  #size = 0;
  #bytes = 0;
  #underWay = 0;
  /** Since the last success. */
  #backoff: BackoffPauses | undefined;
  #onIdle: (() => void) | undefined;
  #isOver = false;

  constructor(journal: Pick<SessionJournal, "append">, clock: Clock, random: Random) {
    this.#journal = journal;
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
    const place = new Promise<number>((resolve, reject) => {
      this.#push(topic, { key, body, resolve, reject, next: undefined });
    });
    this.#start();
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
    for (const line of this.#lines.values()) while (line.first !== undefined) this.#shift(line).reject(closed());
  }

  #push(topic: string, append: Append): void {
    this.#size += 1;
    this.#bytes += append.body.length;
    const line = this.#lines.get(topic);
    if (line?.last !== undefined) {
      line.last = line.last.next = append;
      return;
    }
    const begun = { topic, first: append, last: append };
    this.#lines.set(topic, begun);
    this.#ready.add(begun, true);
  }

  #shift(line: Line): Append {
    const first = line.first as Append;
    line.first = first.next;
    this.#size -= 1;
    this.#bytes -= first.body.length;
    if (line.first === undefined) this.#lines.delete(line.topic);
    if (this.#size === 0) this.#onIdle?.();
    return first;
  }

  #start(): void {
    for (let line = this.#ready.first(); line !== undefined; line = this.#ready.first()) {
      if (this.#underWay >= MAX_UNDER_WAY) return;
      this.#ready.delete(line);
      void this.#try(line);
    }
  }

  async #try(line: Line): Promise<void> {
    const { key, body } = line.first as Append;
    let isDone = true;
    this.#underWay += 1;
    try {
      const place = await this.#journal.append(line.topic, key, body);
      this.#backoff = undefined;
      if (!this.#isOver) this.#shift(line).resolve(place);
    } catch (error) {
      isDone = error instanceof ZocaloError && error.code === "JOURNAL_UNKNOWN" && key === undefined;
      if (isDone && !this.#isOver) this.#shift(line).reject(error);
    }
    this.#underWay -= 1;
    if (this.#isOver) return;
    if (!isDone) this.#pause(line);
    else if (line.first !== undefined) this.#ready.add(line, true);
    this.#start();
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

function closed(): ZocaloError {
  return unavailable("append", "this server is closed");
}
