/** What has happened on the selected connection, as far as the diagram can show it. */

import type { FlowMessage, FlowRow } from "../../proxy/page/wire.ts";

/** A time of which nothing is known: the page was hidden, or had no link. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

const MOST_GAPS = 16;

/** The last ones: two seconds of 2,000 chunks, or an hour of a quiet connection. */
const MOST_ROWS = 4096;

/** A row, and what became of it later. */
export interface KeptRow extends FlowRow {
  /** When what silence held back has left, or was lost with its connection. */
  readonly heldUntilMs?: number;
}

/** Keeps the last rows. */
export class FlowStore {
  #rows: KeptRow[] = [];
  #gaps: readonly Gap[] = [];
  #lastId = 0;
  /** When the server was heard last. */
  #heardAtMs = Number.POSITIVE_INFINITY;
  #missed = 0;
  #version = 0;

  /** In the order in which they happened. */
  get rows(): readonly KeptRow[] {
    return this.#rows;
  }

  /** The last times of which nothing is known. */
  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** How many the server could not tell. */
  get missed(): number {
    return this.#missed;
  }

  /** Another number whenever there are other rows. */
  get version(): number {
    return this.#version;
  }

  /** The server tells everything until this time, since it was heard before. */
  heardAt(nowMs: number): void {
    this.#heardAtMs = nowMs;
  }

  add({ rows, missed, sinceMs }: FlowMessage): void {
    if (sinceMs !== undefined && sinceMs > this.#heardAtMs) {
      this.#gaps = [...this.#gaps, { fromMs: this.#heardAtMs, toMs: sinceMs }].slice(-MOST_GAPS);
    }
    // After a lost link the server tells again what the page has.
    for (const row of rows) if (row.id > this.#lastId) this.#add(row);
    if (this.#rows.length >= 2 * MOST_ROWS) this.#rows = this.#rows.slice(-MOST_ROWS);
    this.#missed += missed;
    this.#version += 1;
  }

  #add(row: FlowRow): void {
    this.#lastId = row.id;
    if (row.kind === "release" || row.kind === "close") this.#rows = this.#rows.map((before) => behind(before, row));
    if (row.kind !== "release") this.#rows.push(row);
  }

  clear(): void {
    this.#rows = [];
    this.#gaps = [];
    this.#heardAtMs = Number.POSITIVE_INFINITY;
    this.#lastId = 0;
    this.#missed = 0;
    this.#version += 1;
  }
}

/** A row, now that its direction is released, or its connection is over: then what has not left never does. */
function behind(row: KeptRow, { kind, way, atMs, isAll = false }: FlowRow): KeptRow {
  const isHeld = row.isHeld === true && row.heldUntilMs === undefined;
  if (row.pieces === undefined || (kind === "release" && (row.way !== way || !(isHeld || isAll)))) return row;
  const pieces = row.pieces.map((piece) => {
    const { leavesAtMs, ...rest } = piece;
    if (leavesAtMs === undefined) return piece;
    if (kind === "close") return isHeld || leavesAtMs > atMs ? rest : piece;
    const nextMs = isAll ? Math.min(leavesAtMs, atMs) : leavesAtMs;
    return { ...piece, leavesAtMs: isHeld ? Math.max(nextMs, atMs) : nextMs };
  });
  return isHeld ? { ...row, pieces, heldUntilMs: atMs } : { ...row, pieces };
}
