/** What has come since the last picture. A page that nobody sees draws none, so there is a bound. */

/** More than a server sends in ten seconds. */
const MOST_ROWS = 1024;

/** Keeps rows until they are taken; of too many the last ones. */
export class FrameBatch<T> {
  #rows: T[] = [];
  #dropped = 0;

  add(row: T): void {
    this.#rows.push(row);
    if (this.#rows.length < 2 * MOST_ROWS) return;
    this.#dropped += this.#rows.length - MOST_ROWS;
    this.#rows = this.#rows.slice(-MOST_ROWS);
  }

  /** Takes them all, and how many were too many. */
  take(): { readonly rows: readonly T[]; readonly dropped: number } {
    const taken = { rows: this.#rows, dropped: this.#dropped };
    this.#rows = [];
    this.#dropped = 0;
    return taken;
  }
}
