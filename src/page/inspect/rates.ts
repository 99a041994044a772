/** How fast counters grow, between one answer of the program and the next. */

/** Something with a number of its own, and counters. */
export interface Counted {
  readonly id: number;
}

/** What was counted at a time. */
interface Sample<T> {
  readonly atMs: number;
  readonly rows: ReadonlyMap<number, T>;
}

/** Remembers the rows of the last answer, and of no other: only what is on the screen. */
export class Rates<T extends Counted> {
  #before: Sample<T> | undefined;
  #now: Sample<T> | undefined;

  /** These rows have come. The same rows again change nothing. */
  add(rows: readonly T[], atMs: number): void {
    if (this.#now?.atMs === atMs) return;
    this.#before = this.#now;
    this.#now = { atMs, rows: new Map(rows.map((row) => [row.id, row])) };
  }

  /** How much a counter grows in a second; undefined where the row was not there before, or counts from 0 again. */
  of(row: T, count: (row: T) => number | undefined): number | undefined {
    const before = this.#before?.rows.get(row.id);
    if (before === undefined || this.#before === undefined || this.#now === undefined) return undefined;
    const [was, is] = [count(before), count(row)];
    if (was === undefined || is === undefined || is < was) return undefined;
    return ((is - was) * 1000) / (this.#now.atMs - this.#before.atMs);
  }
}
