/** What has happened on all connections, for as long as somebody looks: the last things, with the first bytes of each. */

import {
  type ChunkEvent,
  type DatagramEvent,
  type EndEvent,
  type FaultEvent,
  keyOf,
  type ProxyEvent,
} from "../watch.ts";
import type { FlowRow, PieceRow } from "./wire.ts";

/** The last ones over all connections. */
const MOST_ROWS = 2048;
/** What a page shows of a chunk: four lines of a dump. */
const SHOWN_BYTES = 64;
/** A chunk that is sliced into more shows the first ones. */
const MOST_PIECES = 16;

/** A row, and whose it is. */
interface Logged {
  readonly key: string;
  readonly row: FlowRow;
}

/** A ring of rows. */
export class FlowLog {
  #logged: Logged[] = [];
  #lastId = 0;

  add(event: Exclude<ProxyEvent, FaultEvent>): Logged {
    const logged = { key: keyOf(event), row: rowOf(event, (this.#lastId += 1)) };
    this.#logged.push(logged);
    if (this.#logged.length >= 2 * MOST_ROWS) this.#logged = this.#logged.slice(-MOST_ROWS);
    return logged;
  }

  /** What is known of one connection. */
  of(key: string): readonly FlowRow[] {
    return this.#logged.filter((logged) => logged.key === key).map(({ row }) => row);
  }

  clear(): void {
    this.#logged = [];
  }
}

function rowOf(event: Exclude<ProxyEvent, FaultEvent>, id: number): FlowRow {
  const head = { id, atMs: event.atMs, kind: event.type };
  switch (event.type) {
    case "chunk":
      return { ...head, ...contentOf(event), ...heldOf(event), ...piecesOf(event) };
    case "datagram":
      return { ...head, ...contentOf(event), pieces: datagramPieces(event) };
    case "end":
      return { ...head, way: event.direction, ...heldOf(event), pieces: [{ bytes: 0, leavesAtMs: event.leavesAtMs }] };
    case "reset":
      return { ...head, faults: event.fault === undefined ? [] : [event.fault] };
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
  const rows: PieceRow[] = pieces
    .slice(0, MOST_PIECES)
    .map(({ start, end, leavesAtMs, losses, lostTo: reason, flippedBit }) => {
      const lost = losses > 0 ? losses : undefined;
      return { bytes: end - start, leavesAtMs, losses: lost, lostTo: reason, flippedBit };
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

function datagramPieces({ bytes, leavesAtMs, lostTo, flippedBit }: DatagramEvent): readonly PieceRow[] {
  if (leavesAtMs.length === 0) return [{ bytes: bytes.length, lostTo: lostTo ?? "" }];
  return leavesAtMs.map((leaves) => ({ bytes: bytes.length, leavesAtMs: leaves, flippedBit }));
}
