/** What has happened on the selected connection, as far as the diagram can show it. */

import type { FlowMessage, FlowRow } from "../../proxy/page/wire.ts";

/** The last ones: two seconds of 2,000 chunks, or an hour of a quiet connection. */
const MOST_ROWS = 4096;

/** Keeps the last rows. */
export class FlowStore {
  #rows: FlowRow[] = [];
  #missed = 0;
  #version = 0;

  /** In the order in which they happened. */
  get rows(): readonly FlowRow[] {
    return this.#rows;
  }

  /** How many the server could not tell. */
  get missed(): number {
    return this.#missed;
  }

  /** Another number whenever there are other rows. */
  get version(): number {
    return this.#version;
  }

  add({ rows, missed }: FlowMessage): void {
    // After a lost link the server tells again what the page has.
    const last = this.#rows.at(-1)?.id ?? 0;
    for (const row of rows) if (row.id > last) this.#rows.push(row);
    if (this.#rows.length >= 2 * MOST_ROWS) this.#rows = this.#rows.slice(-MOST_ROWS);
    this.#missed += missed;
    this.#version += 1;
  }

  clear(): void {
    this.#rows = [];
    this.#missed = 0;
    this.#version += 1;
  }
}
