/** What one session writes to the journal of its server: one write at a time, each with all that has happened since the last. */

import { ZocaloError } from "../../../core/errors.ts";
import { BackoffPauses, type BackoffTimes } from "../../../core/options/backoff.ts";
import type { SessionProgress, SessionSnapshot } from "../../../core/session/gate.ts";
import type { SessionJournal } from "../../journal/journal.ts";
import type { Clock, Timer } from "../../network/network.ts";

/** What was handled and said nothing is written after so long, with what else comes: half the time after which it is acknowledged. */
const GATHER_MS = 50;
/** A request that takes longer is written with its frame, so that those behind it are acknowledged. */
const UNFINISHED_MS = 1000;
/** So often a record is tried that is too long, when nothing that has left is to be acknowledged. */
const MOST_REFUSALS = 10;
/** While the store is away it is tried again. */
const RETRIES: BackoffTimes = { initialDelayMs: 100, maxDelayMs: 1000, timeoutMs: Infinity };

/** What a session gives to be written, and how it is told. */
export interface CommitsOwner {
  readonly id: string;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly journal: SessionJournal;
  /** A record that was written so long ago is written anew, before the journal may forget it. */
  readonly renewMs: number;
  /** Something was said that has not left, or something came that is not acknowledged. */
  readonly unkept: "said" | "received" | "nothing";
  /** Something is under way that may have ended its server: whether another server has the session is looked at each second. */
  readonly hasSuspect: boolean;
  snapshot(all: boolean): SessionSnapshot;
  /** The whole record. @throws ZocaloError `JOURNAL_RECORD_INVALID`. */
  encode(snapshot: SessionSnapshot): Uint8Array;
  /** Resolves when what handlers have said to many by now is stored, and rejects when it never will be. */
  said(): Promise<void>;
  /** It is written: what it covers may leave. */
  kept(snapshot: SessionSnapshot): void;
  /** Another server has the session. */
  taken(): void;
  /** Its record is longer than the store or its form allows, and stays so. */
  unwritable(cause: unknown): void;
  /** A write begins, and has ended: it is written, or it is not and is not tried any more. */
  began(): void;
  ended(isWritten: boolean): void;
  /** The store has not taken a write that was tried first at `sinceMs`; it is tried again. */
  refused(sinceMs: number, cause: unknown): void;
}

/** `over`: nothing is written any more. */
type Outcome = "written" | "stale" | "over" | "again";

/** What is to be written, and what it covers. */
interface Draft {
  readonly snapshot: SessionSnapshot;
  readonly bytes: Uint8Array;
}

/** The writes of one session. */
export class SessionCommits {
  readonly #owner: CommitsOwner;
  #version: number;
  #writing: Promise<void> | undefined;
  /** The write behind that, for all who wait for it. */
  #next: Promise<boolean> | undefined;
  /** So many writes have ended well. */
  #written = 0;
  #timer: Timer | undefined;
  #renewal: Timer | undefined;
  /** The first request that was not finished when it was looked last, and since when. */
  #oldest = { number: 0, sinceMs: 0 };
  /** What was written last. */
  #kept: SessionSnapshot | undefined;
  #isOver = false;
  /** What is being written. */
  #draft: Draft | undefined;
  /** A write whose answer was lost may be there. */
  #inDoubt = false;
  /** So often in a row its record was too long. */
  #refusals = 0;
  /** Ends the pause before the next try. */
  #endPause: () => void = ignore;
  /** Who wants to know of the next failure. */
  readonly #onFailure = new Set<() => void>();

  /** @param version - Of the record; 0 when there is none. */
  constructor(owner: CommitsOwner, version: number) {
    this.#owner = owner;
    this.#version = version;
  }

  /** The version of the record as this server knows it. */
  get version(): number {
    return this.#version;
  }

  /** The session has changed. */
  look(): void {
    if (this.#isOver || this.#writing !== undefined) return;
    const { unkept, hasSuspect, clock } = this.#owner;
    if (unkept === "said") void this.write();
    else if (unkept === "received" || hasSuspect)
      this.#timer ??= clock.setTimer(() => this.#due(false), GATHER_MS, true);
  }

  /** Writes what there is now, with what others want to have written. Answers whether that is kept, and the session still here. */
  keep(): Promise<boolean> {
    return (this.#next ??= this.#writeNext());
  }
  async #writeNext(): Promise<boolean> {
    // Whoever else asks in this turn is covered, too.
    do await this.#writing;
    while (this.#writing !== undefined);
    this.#next = undefined;
    const before = this.#written;
    await this.write();
    return !this.#isOver && this.#written > before;
  }

  /** Writes what there is now. Resolves when that is kept, or another server has the session. */
  async write(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#isOver) return;
    this.#timer?.cancel();
    this.#renewal?.cancel();
    this.#timer = undefined;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
    if (this.#isOver) return;
    const { clock, renewMs } = this.#owner;
    this.#renewal?.cancel();
    this.#renewal = clock.setTimer(() => void this.write(), renewMs, true);
    this.look();
  }

  /** The same, but answers false when it fails for now: it is tried again all the same. */
  async writeOnce(): Promise<boolean> {
    let failed: () => void = ignore;
    const failure = new Promise<false>((resolve) => {
      failed = () => resolve(false);
    });
    this.#onFailure.add(failed);
    const written = this.write().then(() => !this.#isOver);
    try {
      return await Promise.race([written, failure]);
    } finally {
      this.#onFailure.delete(failed);
    }
  }

  /** Nothing is written any more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#renewal?.cancel();
    this.#endPause();
    await this.#writing;
  }

  /** The session has ended: nobody can continue it. */
  async remove(): Promise<void> {
    await this.stop();
    await this.#owner.journal.remove(this.#owner.id, this.#version).catch(ignore);
  }

  #due(isLate: boolean): void {
    this.#timer = undefined;
    if (this.#isOver || this.#writing !== undefined) return;
    const { received, doneTo } = this.#snapshot();
    // A handler has not finished; when it has, or takes long, there is something to write.
    const isNews = this.#kept === undefined || received > this.#kept.received || doneTo > this.#kept.doneTo;
    const { unkept, hasSuspect, clock } = this.#owner;
    if (isNews || (isLate && hasSuspect)) void this.write();
    else if (unkept !== "nothing" || hasSuspect)
      this.#timer = clock.setTimer(() => this.#due(true), UNFINISHED_MS, true);
  }

  async #write(): Promise<void> {
    this.#owner.began();
    this.#owner.ended(await this.#untilWritten());
  }

  /** Answers whether it is written, by whomever. */
  async #untilWritten(): Promise<boolean> {
    const { clock, random } = this.#owner;
    const sinceMs = clock.now();
    const pauses = new BackoffPauses({}, RETRIES, sinceMs);
    while (!this.#isOver) {
      const outcome = await this.#try(sinceMs);
      if (outcome === "written") {
        const { snapshot } = this.#draft as Draft;
        this.#kept = snapshot;
        this.#written += 1;
        this.#refusals = 0;
        this.#draft = undefined;
        this.#owner.kept(snapshot);
        return true;
      }
      if (outcome !== "again") {
        this.#isOver = true;
        if (outcome === "stale") this.#owner.taken();
        return outcome === "stale";
      }
      for (const failed of this.#onFailure) failed();
      await this.#pause(pauses.next(clock.now(), random()) ?? 0);
    }
    return false;
  }

  async #pause(pauseMs: number): Promise<void> {
    if (this.#isOver) return;
    const { clock } = this.#owner;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      timer = clock.setTimer(resolve, pauseMs, true);
    });
    timer?.cancel();
  }

  async #try(sinceMs: number): Promise<Outcome> {
    const { id, journal } = this.#owner;
    try {
      // What may be there is written as it was. What is not is made anew: the session may have changed.
      if (!this.#inDoubt) this.#draft = this.#draw();
      const { bytes } = this.#draft as Draft;
      if (!(await this.#isSaid())) return "over";
      this.#version = await journal.commit(id, this.#version, bytes);
      this.#inDoubt = false;
      return "written";
    } catch (error) {
      const code = error instanceof ZocaloError ? error.code : undefined;
      if (code === "JOURNAL_UNKNOWN") this.#inDoubt = true;
      else if (code === "JOURNAL_STALE" && !this.#inDoubt) return "stale";
      this.#owner.refused(sinceMs, error);
      if (this.#inDoubt) return await this.#whatHappened();
      return code === "JOURNAL_RECORD_INVALID" && this.#isRefusedForGood(error) ? "over" : "again";
    }
  }

  /** What the client acknowledges makes the record shorter. If it stays too long without that, the session ends. */
  #isRefusedForGood(cause: unknown): boolean {
    const isAcknowledged = this.#owner.snapshot(false).acknowledged >= (this.#kept?.sent ?? 0);
    this.#refusals = isAcknowledged ? this.#refusals + 1 : 0;
    if (this.#refusals < MOST_REFUSALS) return false;
    this.#owner.unwritable(cause);
    return true;
  }

  #draw(): Draft {
    const snapshot = this.#snapshot();
    return { snapshot, bytes: this.#owner.encode(snapshot) };
  }

  /** False when the server closes before: another server does it all again. */
  async #isSaid(): Promise<boolean> {
    try {
      await this.#owner.said();
      return true;
    } catch {
      return false;
    }
  }

  /** Nobody knows whether it was written: the record says so. */
  async #whatHappened(): Promise<Outcome> {
    const { id, journal } = this.#owner;
    const { bytes } = this.#draft as Draft;
    try {
      const record = await journal.read(id);
      const version = record?.version ?? 0;
      this.#inDoubt = false;
      if (version === this.#version) return "again";
      // No other server writes the same bytes: who takes over writes an epoch of its own.
      if (record === undefined || Buffer.compare(record.bytes, bytes) !== 0) return "stale";
      this.#version = version;
      return "written";
    } catch {
      return "again";
    }
  }

  #snapshot(): SessionSnapshot {
    const nowMs = this.#owner.clock.now();
    const snapshot = this.#owner.snapshot(false);
    const number = firstOpen(snapshot);
    if (number !== this.#oldest.number) this.#oldest = { number, sinceMs: nowMs };
    const isLate = number > 0 && nowMs - this.#oldest.sinceMs >= UNFINISHED_MS;
    return isLate ? this.#owner.snapshot(true) : snapshot;
  }
}

/** The first message that stands in the way of an acknowledgement; 0 for none. */
function firstOpen({ received, doneTo, open }: SessionProgress): number {
  return doneTo > received || open.length > 0 ? received + 1 : 0;
}

const ignore = (): void => undefined;
