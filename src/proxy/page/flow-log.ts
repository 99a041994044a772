/** What has happened on all connections, for as long as somebody looks: the last things, with the first bytes of each. */

import {
  type ChunkEvent,
  type DatagramEvent,
  type EndEvent,
  type FaultEvent,
  keyOf,
  type ProxyEvent,
} from "../watch.ts";
import type { DrawRow, FlowRow, PieceRow } from "./wire.ts";

/** The last ones over all connections. */
const MOST_ROWS = 2048;
/** What a page shows of a chunk: four lines of a dump. */
const SHOWN_BYTES = 64;
/** A chunk that is sliced into more shows the first ones. */
const MOST_PIECES = 16;
/** What is shown of the draws of one piece: a large chunk has some for each of its segments. */
const MOST_DRAWS = 8;
/** A page shows four digits of a draw. */
const DRAW_DIGITS = 6;

/** A row, and whose it is. */
interface Logged {
  readonly key: string;
  readonly row: FlowRow;
}

/** A ring of rows. */
export class FlowLog {
  #logged: Logged[] = [];
  #sinceMs = 0;
  #lastId = 0;

  add(event: Exclude<ProxyEvent, FaultEvent>): Logged {
    const logged = { key: keyOf(event), row: rowOf(event, (this.#lastId += 1)) };
    this.#logged.push(logged);
    if (this.#logged.length >= 2 * MOST_ROWS) {
      this.#logged = this.#logged.slice(-MOST_ROWS);
      this.#sinceMs = this.#logged[0]?.row.atMs ?? this.#sinceMs;
    }
    return logged;
  }

  /** What is known of one connection. */
  of(key: string): readonly FlowRow[] {
    return this.#logged.filter((logged) => logged.key === key).map(({ row }) => row);
  }

  /** Everything that has happened since then is here, or was too much. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Forgets all. @param nowMs - It hears of what happens from now on. */
  clear(nowMs: number): void {
    this.#logged = [];
    this.#sinceMs = nowMs;
  }
}

function rowOf(event: Exclude<ProxyEvent, FaultEvent>, id: number): FlowRow {
  const head = { id, atMs: event.atMs, kind: event.type };
  switch (event.type) {
    case "chunk":
      return { ...head, ...contentOf(event), ...heldOf(event), ...drawsOf(event.draws), ...piecesOf(event) };
    case "datagram":
      return { ...head, ...contentOf(event), pieces: datagramPieces(event) };
    case "end":
      return {
        ...head,
        way: event.direction,
        ...heldOf(event),
        pieces: [{ bytes: 0, leavesAtMs: event.leavesAtMs, ...drawsOf(event.draws) }],
      };
    case "release":
      return { ...head, way: event.direction, isAll: event.what === "all" };
    case "reset":
      return { ...head, faults: event.fault === undefined ? [] : [event.fault], ...drawsOf(event.draws) };
    default:
      return head;
  }
}

function contentOf({ direction, bytes, faults }: ChunkEvent | DatagramEvent): Partial<FlowRow> {
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SHOWN_BYTES)).toString("base64");
  return { way: direction, size: bytes.length, bytes: shown, faults };
}

function heldOf({ isHeld }: ChunkEvent | EndEvent): Partial<FlowRow> {
  return isHeld ? { isHeld } : {};
}

/** Bytes behind the last piece are not passed on. */
function piecesOf({ bytes, pieces, lostTo, outcome }: ChunkEvent): Partial<FlowRow> {
  const rows: PieceRow[] = pieces.slice(0, MOST_PIECES).map(({ start, end, losses, draws, ...piece }) => {
    return { ...piece, bytes: end - start, losses: losses > 0 ? losses : undefined, ...drawsOf(draws) };
  });
  const passed = pieces.at(-1)?.end ?? 0;
  if (passed < bytes.length) rows.push({ bytes: bytes.length - passed, lostTo });
  const more = pieces.length - MOST_PIECES;
  return {
    pieces: rows,
    morePieces: more > 0 ? more : undefined,
    outcome: outcome === "goes on" ? undefined : outcome,
  };
}

function datagramPieces({ bytes, leavesAtMs, lostTo, flippedBit, draws }: DatagramEvent): readonly PieceRow[] {
  const piece = { bytes: bytes.length, ...drawsOf(draws) };
  if (leavesAtMs.length === 0) return [{ ...piece, lostTo: lostTo ?? "" }];
  return leavesAtMs.map((leaves) => ({ ...piece, leavesAtMs: leaves, flippedBit }));
}

function drawsOf(draws: DatagramEvent["draws"]): { readonly draws?: readonly DrawRow[] } {
  if (draws.length === 0) return {};
  const short = (value: number): number => Number(value.toPrecision(DRAW_DIGITS));
  const rows = draws.slice(0, MOST_DRAWS).map(({ drawn, below, ...draw }) => {
    return { ...draw, drawn: short(drawn), ...(below === undefined ? {} : { below: short(below) }) };
  });
  return { draws: rows };
}
