/** What the parts of the journal suite share: open journals, and who follows them. */

import assert from "node:assert/strict";
import type { ErrorCode } from "../../core/errors.ts";
import type { LogFollower, SessionJournal, SharedEntry } from "../../io/journal/journal.ts";
import { expectError } from "../expect-error.ts";

/** What a journal of a test is to be. */
export interface WantedJournal {
  /** Journals of one name have their records and their log in common. The suite uses letters, digits and hyphens. */
  readonly name: string;
  /** About how many entries its log keeps. Undefined: at least 10,000. */
  readonly maxEntries: number | undefined;
}

/** Makes a journal that is not open yet. For a name that it has made it may answer the same object. */
export type MakeJournal = (wanted: WantedJournal) => SessionJournal;

/** Tests by their titles. */
export type JournalChecks = Readonly<Record<string, (scene: JournalScene) => Promise<void>>>;

/** Long enough that nothing expires during a test. */
export const KEPT_MS = 600_000;

/** The journals of one test. */
export class JournalScene {
  readonly #make: MakeJournal;
  readonly #prefix: string;
  readonly #opened: SessionJournal[] = [];

  constructor(make: MakeJournal, prefix: string) {
    this.#make = make;
    this.#prefix = prefix;
  }

  /** A journal that is not open, and that nobody closes. */
  make(name = "plaza", maxEntries?: number): SessionJournal {
    return this.#make({ name: `${this.#prefix}-${name}`, maxEntries });
  }

  /** An open journal. */
  async open(name?: string, maxEntries?: number): Promise<SessionJournal> {
    const journal = this.make(name, maxEntries);
    await journal.open({ keptMs: KEPT_MS });
    this.#opened.push(journal);
    return journal;
  }

  /** Closes what was opened. */
  async cleanup(): Promise<void> {
    await Promise.all(this.#opened.map((journal) => journal.close()));
  }
}

/** Fails unless a call rejects with an error of this code, which says whether something was written. */
export async function refused(code: ErrorCode, call: Promise<unknown>): Promise<void> {
  await expectError(call, { code, side: "system", outcome: code === "JOURNAL_UNKNOWN" ? "unknown" : "none" });
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text);
}

export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

/** What the record of an id says. */
export async function textAt(journal: SessionJournal, id: string): Promise<string | undefined> {
  return textOf((await journal.read(id))?.bytes);
}

/** Appends one entry; answers its place. */
export async function appendOne(
  journal: SessionJournal,
  topic: string,
  key: string | undefined,
  body: Uint8Array,
): Promise<number> {
  const [place, ...more] = await journal.append(topic, [{ key, body }]);
  assert.ok(place !== undefined && more.length === 0, "an entry has one place");
  return place;
}

/** Awaits `run` for each number below `count`, at most 64 at once. */
export async function each(count: number, run: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: Math.min(64, count) }, lane));
}

/** A follower that keeps what it is told, and notices what must not be told so. */
export class Heard implements LogFollower {
  /** All entries. */
  readonly all: SharedEntry[] = [];
  /** The places of the gaps. */
  readonly gaps: number[] = [];
  /** What was published, as texts: topic, body. */
  readonly notices: (readonly [topic: string, text: string | undefined])[] = [];
  #place = 0;
  #inside = false;
  #problem: string | undefined;
  #changed: (() => void) | undefined;
  readonly #also: (told: Omit<SharedEntry, "place">) => void;

  /** @param also - Is called for each entry, and for what was published. */
  constructor(also: (told: Omit<SharedEntry, "place">) => void = () => undefined) {
    this.#also = also;
  }

  entries(entries: readonly SharedEntry[]): void {
    if (this.#inside) this.#problem ??= "it was called inside of its own call";
    if (entries.length === 0) this.#problem ??= "it was told no entries";
    this.#inside = true;
    for (const entry of entries) {
      if (entry.place <= this.#place) this.#problem ??= `place ${entry.place} came behind ${this.#place}`;
      this.#place = entry.place;
      this.all.push(entry);
      this.#also(entry);
    }
    this.#inside = false;
    this.#changed?.();
  }

  gap(place: number): void {
    this.#place = place;
    this.gaps.push(place);
    this.#changed?.();
  }

  published(topic: string, body: Uint8Array): void {
    if (this.#inside) this.#problem ??= "it was called inside of its own call";
    this.#inside = true;
    this.notices.push([topic, textOf(body)]);
    this.#also({ topic, body });
    this.#inside = false;
    this.#changed?.();
  }

  /** The texts of all entries. */
  get texts(): readonly (string | undefined)[] {
    return this.all.map(({ body }) => textOf(body));
  }

  /** Resolves when an entry with this text was told; fails when something was told wrongly. */
  async until(text: string): Promise<void> {
    await this.holds(() => textOf(this.all.at(-1)?.body) === text || this.texts.includes(text));
  }

  /** Resolves when something is so after it was told something. */
  async holds(isSo: () => boolean): Promise<void> {
    while (!isSo() && this.#problem === undefined) await new Promise<void>((resolve) => (this.#changed = resolve));
    assert.equal(this.#problem, undefined);
  }
}
