/** One direction of a connection between two real programs, as a pure machine: bytes and the time go in, when they leave comes out. */

import type { Draw } from "./draw.ts";
import { Link, type LossReason, type Streams } from "./link.ts";
import { NO_STREAM_FAULTS, type StreamConditions } from "./stream-fault.ts";

/** A stretch of a chunk that leaves at one moment. */
export interface PlannedPiece {
  /** Its first byte in the chunk, and the byte behind its last. */
  readonly start: number;
  readonly end: number;
  /** When it leaves, in microseconds; never before the piece in front of it. */
  readonly dueUs: number;
  /** How often a segment of it was lost and sent again, and why the last time. */
  readonly losses: number;
  readonly lostTo: LossReason | undefined;
  /** The bit of the chunk that flips, counted from its first; undefined when none does. */
  readonly flippedBit: number | undefined;
  /** What was drawn for it, while somebody wants to know. */
  readonly draws: readonly Draw[];
}

/** What becomes of a chunk. */
export interface ChunkPlan {
  readonly pieces: readonly PlannedPiece[];
  /** What follows the pieces: nothing; the connection closes in order; it is lost, as its kernel would give up. */
  readonly outcome: "goes on" | "cut" | "timed out";
  /** What was drawn for the segment that never arrived. */
  readonly draws: readonly Draw[];
}

const NO_DRAWS: readonly Draw[] = [];

/** What a segment carries over an Ethernet (RFC 9293 section 3.7.1: 1500 bytes without the headers of IPv4 and TCP). */
const MSS_BYTES = 1460;
/** Retransmission time-outs of Linux; RFC 6298 section 2.4 would begin at one second. */
const RTO_MIN_US = 200_000;
const RTO_MAX_US = 120_000_000;
/** A time-out is several times as long as the way there and back (RFC 6298 section 2.3). */
const RTO_LATENCIES = 4;
/** Linux gives up a connection after so many retransmissions (`tcp_retries2`). */
const RETRIES = 15;

/** What becomes of a segment. */
interface SegmentFate {
  readonly dueUs: number;
  readonly losses: number;
  readonly lostTo: LossReason | undefined;
  readonly flippedBit: number | undefined;
}

/**
 * Decides when the bytes of one direction leave. TCP loses none: what is lost on the way is sent again when a retransmission
 * time-out is over, which doubles each time (RFC 6298 section 5.5), and all that is behind it waits.
 */
export class StreamPlan {
  /** How it treats bytes; may be replaced at any time. */
  conditions: StreamConditions = NO_STREAM_FAULTS;
  /** Bytes that it has let through. */
  carriedBytes = 0;
  readonly #link: Link;
  readonly #streams: Streams;
  #slicing: ReturnType<Streams> | undefined;
  /** When the last piece leaves. */
  #lastUs = 0;
  /** Before this no slice leaves. */
  #nextSliceUs = 0;

  /** @param streams - Makes the random stream of one kind of fault, for this direction of this connection alone. */
  constructor(streams: Streams) {
    this.#streams = streams;
    this.#link = new Link(streams, this.conditions.link);
  }

  /** Whether somebody wants to know what is drawn. */
  set isWatched(isWatched: boolean) {
    this.#link.draws = isWatched ? [] : undefined;
  }

  /** What was drawn since it was asked before. */
  takeDraws(): readonly Draw[] {
    const { draws } = this.#link;
    if (draws === undefined) return NO_DRAWS;
    this.#link.draws = [];
    return draws;
  }

  /** `count` bytes have come. */
  take(count: number, nowUs: number): ChunkPlan {
    const { cutAtBytes } = this.conditions;
    const pieces: PlannedPiece[] = [];
    const room = Math.max(0, cutAtBytes - this.carriedBytes);
    const total = Math.min(count, room);
    for (let start = 0; start < total; ) {
      const piece = this.#plan(start, total, nowUs);
      if (piece === undefined) return { pieces, outcome: "timed out", draws: this.takeDraws() };
      this.#add(pieces, piece);
      start = piece.end;
      this.carriedBytes += piece.end - piece.start;
    }
    return { pieces, outcome: this.carriedBytes >= cutAtBytes ? "cut" : "goes on", draws: NO_DRAWS };
  }

  /** The sender has ended: when that is passed on, in microseconds; undefined when it is lost for good. */
  end(nowUs: number): number | undefined {
    const dueUs = this.follow(nowUs);
    if (dueUs === undefined) return undefined;
    this.#lastUs = dueUs + this.conditions.lingerUs;
    return this.#lastUs;
  }

  /** When a segment without bytes arrives that comes now, in microseconds; undefined when it is lost for good. */
  follow(nowUs: number): number | undefined {
    const fate = this.#send(0, nowUs);
    if (fate === undefined) return undefined;
    this.#lastUs = Math.max(this.#lastUs, fate.dueUs);
    return this.#lastUs;
  }

  /** All that is under way has arrived: what comes next waits for nothing that came before. */
  clear(nowUs: number): void {
    this.#link.clear(nowUs);
    this.#lastUs = Math.min(this.#lastUs, nowUs);
    this.#nextSliceUs = Math.min(this.#nextSliceUs, nowUs);
  }

  /** A slice, or a segment. */
  #plan(start: number, total: number, nowUs: number): PlannedPiece | undefined {
    const { slicing } = this.conditions;
    const end = Math.min(total, start + (slicing === undefined ? MSS_BYTES : this.#sliceBytes(slicing)));
    let losses = 0;
    let lostTo: LossReason | undefined;
    let flippedBit: number | undefined;
    let dueUs = this.#lastUs;
    for (let at = start; at < end; at += MSS_BYTES) {
      const fate = this.#send(Math.min(end - at, MSS_BYTES), nowUs);
      if (fate === undefined) return undefined;
      dueUs = Math.max(dueUs, fate.dueUs);
      losses += fate.losses;
      lostTo = fate.lostTo ?? lostTo;
      if (fate.flippedBit !== undefined) flippedBit ??= fate.flippedBit + at * 8;
    }
    if (slicing !== undefined) {
      dueUs = Math.max(dueUs, this.#nextSliceUs);
      this.#nextSliceUs = dueUs + slicing.delayUs;
    }
    this.#lastUs = dueUs;
    return { start, end, dueUs, losses, lostTo, flippedBit, draws: this.takeDraws() };
  }

  #sliceBytes({ leastBytes, mostBytes }: NonNullable<StreamConditions["slicing"]>): number {
    this.#slicing ??= this.#streams("slicing");
    const bytes = leastBytes + this.#slicing.below(mostBytes - leastBytes + 1);
    this.#link.draws?.push({ of: "slicing", drawn: bytes });
    return bytes;
  }

  /** Sends a segment until it arrives; undefined when the sender gives up. */
  #send(payloadBytes: number, nowUs: number): SegmentFate | undefined {
    const { link, middlebox } = this.conditions;
    this.#link.conditions = link;
    const packet = { payloadBytes, headerBytes: 0, checked: !middlebox };
    let sentUs = nowUs;
    let rtoUs = Math.max(RTO_MIN_US, RTO_LATENCIES * link.latency.baseUs);
    let lostTo: LossReason | undefined;
    for (let losses = 0; losses <= RETRIES; losses += 1) {
      const { lost, arrivesAtUs, flippedBit } = this.#link.send(packet, sentUs);
      if (lost === undefined) return { dueUs: arrivesAtUs, losses, lostTo, flippedBit };
      lostTo = lost;
      sentUs += rtoUs;
      rtoUs = Math.min(2 * rtoUs, RTO_MAX_US);
    }
    return undefined;
  }

  /** Pieces that leave together are one, unless slicing keeps them apart. */
  #add(pieces: PlannedPiece[], piece: PlannedPiece): void {
    const last = pieces.at(-1);
    const joins =
      last !== undefined &&
      this.conditions.slicing === undefined &&
      last.dueUs === piece.dueUs &&
      (last.flippedBit === undefined || piece.flippedBit === undefined);
    if (!joins) {
      pieces.push(piece);
      return;
    }
    pieces[pieces.length - 1] = {
      ...piece,
      start: last.start,
      losses: last.losses + piece.losses,
      lostTo: piece.lostTo ?? last.lostTo,
      flippedBit: piece.flippedBit ?? last.flippedBit,
      draws: piece.draws.length === 0 ? last.draws : [...last.draws, ...piece.draws],
    };
  }
}
