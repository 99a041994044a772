/** The sending half of a connection: segments in flight, each repeated until it is acknowledged (RFC 9293, 6298, 2018). */

import { NO_DATA, type SackBlock, sequenceLength } from "./packet.ts";
import { SendBuffer } from "./send-buffer.ts";
import type { SimTcpSettings } from "./tcp-settings.ts";

/** A segment in flight. */
interface SentPiece {
  seq: number;
  data: Buffer;
  readonly syn: boolean;
  readonly fin: boolean;
  sentAtUs: number;
  tries: number;
  /** The peer has it, out of order. */
  sacked: boolean;
}

/** So many segments sent later that arrived say that an earlier one is lost (RFC 6675 section 2, DupThresh). */
const DUP_THRESHOLD = 3;
/** Lost segments that are repeated for each acknowledgement after a time-out. */
const REPEATS_AN_ACK = 2;
const NEVER = Number.POSITIVE_INFINITY;
const NO_PIECES: readonly SentPiece[] = [];

/** The sending half of a connection, by sequence numbers. What it sends is taken from it with `output`. */
export class TcpSender {
  /** The oldest that is not acknowledged, and the next to be sent (SND.UNA, SND.NXT). */
  una: number;
  next: number;
  /** Largest payload of a segment. */
  mss = 536;
  /** When `onDeadline` is to be called. */
  deadlineUs: number = NEVER;
  readonly #settings: SimTcpSettings;
  readonly #buffer = new SendBuffer();
  readonly #rto: RetransmissionTimeout;
  #flight: SentPiece[] = [];
  /** Sent, and not yet taken. */
  #output: SentPiece[] = [];
  #flightBytes = 0;
  /** The first number beyond the peer's window. */
  #limit: number;
  #finWanted = false;
  #finSeq: number | undefined;
  /** What was sent before the last time-out is lost until it is acknowledged. */
  #recoverUntil = 0;
  #timedOutAtUs = 0;
  #probes = 0;
  #unanswered = 0;

  constructor(initial: number, settings: SimTcpSettings) {
    this.una = initial;
    this.next = initial;
    this.#limit = initial;
    this.#settings = settings;
    this.#rto = new RetransmissionTimeout(settings.rtoMinMs, settings.rtoMaxMs);
  }

  /** Bytes that may be written now. */
  get room(): number {
    return Math.max(0, this.#settings.sendBufferBytes - this.#buffer.length - this.#flightBytes);
  }
  /** Bytes and a FIN that the peer has not acknowledged. */
  get pending(): boolean {
    return this.#buffer.length > 0 || this.#flight.length > 0 || (this.#finWanted && this.#finSeq === undefined);
  }
  /** Whether our FIN is acknowledged. */
  get finished(): boolean {
    return this.#finSeq !== undefined && this.una > this.#finSeq;
  }
  /** Bytes in the buffer and in flight. */
  get unacknowledgedBytes(): number {
    return this.#buffer.length + this.#flightBytes;
  }

  /** Sends the SYN. */
  synchronize(nowUs: number): void {
    this.#launch(NO_DATA, true, false, nowUs);
  }

  /** Takes bytes, of which there is room for all. */
  write(bytes: Uint8Array): void {
    this.#buffer.append(bytes);
  }

  /** Wants a FIN behind all bytes. */
  finish(): void {
    this.#finWanted = true;
  }

  /** Takes what is to be sent now. */
  output(): readonly SentPiece[] {
    if (this.#output.length === 0) return NO_PIECES;
    const taken = this.#output;
    this.#output = [];
    return taken;
  }

  /** Sends a segment that the peer has seen already: it must answer with what it knows. */
  probe(): void {
    this.#output.push(pieceAt(this.una - 1, NO_DATA, false, false, 0));
  }

  /** Sends what the window allows. */
  fill(nowUs: number): void {
    while (this.#buffer.length > 0) {
      const room = this.#limit - this.next;
      const wanted = Math.min(this.mss, this.#buffer.length);
      const size = Math.min(wanted, room);
      // Small pieces of a window are not worth a segment while others are under way (RFC 9293 section 3.8.6.2.1).
      if (size <= 0 || (size < wanted && this.#flight.length > 0)) break;
      this.#launch(this.#buffer.take(size), false, false, nowUs);
    }
    if (this.#finWanted && this.#finSeq === undefined && this.#buffer.length === 0) {
      this.#finSeq = this.next;
      this.#launch(NO_DATA, false, true, nowUs);
    }
    if (this.#flight.length === 0 && this.#buffer.length > 0 && this.deadlineUs === NEVER) this.#armProbe(nowUs);
  }

  /** The peer acknowledged everything before `ack` and has room for `window` bytes from there on. */
  acknowledged(ack: number, window: number, sacks: readonly SackBlock[], nowUs: number): void {
    this.#unanswered = 0;
    const advanced = ack > this.una;
    if (advanced) this.#remove(ack, nowUs);
    if (ack + window > this.#limit) {
      this.#limit = ack + window;
      if (this.#probes > 0) this.deadlineUs = this.#flight.length === 0 ? NEVER : this.deadlineUs;
      this.#probes = 0;
    }
    if (sacks.length > 0) this.#markSacked(sacks, nowUs);
    if (advanced && this.una < this.#recoverUntil) this.#repeatLost(nowUs);
  }

  /** The deadline has come. False when the peer has not answered for too long. */
  onDeadline(nowUs: number, retries: number): boolean {
    const first = this.#flight.find((piece) => !piece.sacked) ?? this.#flight[0];
    if (first === undefined) {
      if (this.#unanswered > retries) return false;
      this.#unanswered += 1;
      this.#probes += 1;
      this.probe();
      this.#armProbe(nowUs);
      return true;
    }
    if (this.#rto.expiries >= retries) return false;
    this.#rto.expiries += 1;
    this.#recoverUntil = this.next;
    this.#timedOutAtUs = nowUs;
    this.#repeat(first, nowUs);
    this.deadlineUs = nowUs + this.#rto.currentUs;
    return true;
  }

  /** Forgets everything that is not sent or not acknowledged. */
  clear(): void {
    this.#buffer.clear();
    this.#finWanted = false;
    this.#flight = [];
    this.#flightBytes = 0;
    this.deadlineUs = NEVER;
  }

  #launch(data: Buffer, syn: boolean, fin: boolean, nowUs: number): void {
    const piece = pieceAt(this.next, data, syn, fin, nowUs);
    this.next = endOf(piece);
    // RFC 6298 section 5.1; a deadline without anything in flight was one for a probe.
    if (this.#flight.length === 0 || this.deadlineUs === NEVER) this.deadlineUs = nowUs + this.#rto.currentUs;
    this.#flight.push(piece);
    this.#flightBytes += data.length;
    this.#output.push(piece);
  }

  #repeat(piece: SentPiece, nowUs: number): void {
    piece.tries += 1;
    piece.sentAtUs = nowUs;
    this.#output.push(piece);
  }

  #remove(ack: number, nowUs: number): void {
    let done = 0;
    let last: SentPiece | undefined;
    for (const piece of this.#flight) {
      if (endOf(piece) > ack) break;
      this.#flightBytes -= piece.data.length;
      last = piece;
      done += 1;
    }
    // Mostly all of them; a new list then holds no memory while the connection is idle.
    if (done === this.#flight.length) this.#flight = [];
    else this.#flight.splice(0, done);
    const first = this.#flight[0];
    if (first !== undefined && first.seq < ack) {
      const gone = ack - first.seq;
      first.data = first.data.subarray(gone);
      first.seq = ack;
      this.#flightBytes -= gone;
    }
    if (last?.tries === 1) this.#rto.sample(nowUs - last.sentAtUs);
    this.#rto.expiries = 0;
    this.una = ack;
    // RFC 6298 sections 5.2 and 5.3.
    this.deadlineUs = this.#flight.length === 0 ? NEVER : nowUs + this.#rto.currentUs;
  }

  #markSacked(sacks: readonly SackBlock[], nowUs: number): void {
    for (const piece of this.#flight) {
      if (!piece.sacked) piece.sacked = sacks.some(([from, to]) => from <= piece.seq && endOf(piece) <= to);
    }
    let later = 0;
    const lost: SentPiece[] = [];
    for (let index = this.#flight.length - 1; index >= 0; index -= 1) {
      const piece = this.#flight[index] as SentPiece;
      if (piece.sacked) later += 1;
      else if (later >= DUP_THRESHOLD && piece.tries === 1) lost.push(piece);
    }
    for (const piece of lost.reverse()) this.#repeat(piece, nowUs);
  }

  #repeatLost(nowUs: number): void {
    const lost = this.#flight.filter((piece) => !piece.sacked && piece.sentAtUs < this.#timedOutAtUs);
    for (const piece of lost.slice(0, REPEATS_AN_ACK)) this.#repeat(piece, nowUs);
  }

  /** RFC 9293 section 3.8.6.1: the window may open with a segment that is lost, so it is asked for. */
  #armProbe(nowUs: number): void {
    const backOffUs = this.#rto.currentUs * 2 ** Math.min(this.#probes, 20);
    this.deadlineUs = nowUs + Math.min(backOffUs, this.#settings.rtoMaxMs * 1000);
  }
}

function pieceAt(seq: number, data: Buffer, syn: boolean, fin: boolean, sentAtUs: number): SentPiece {
  return { seq, data, syn, fin, sentAtUs, tries: 1, sacked: false };
}

function endOf(piece: SentPiece): number {
  return piece.seq + sequenceLength(piece);
}

const INITIAL_RTO_US = 1_000_000;
/** Section 2.3: the gains 1/8 and 1/4, as shifts, so that nothing is rounded differently anywhere. */
const GAIN_SHIFT = 3;
const DEVIATION_SHIFT = 2;
const MICROSECONDS = 1000;

/** Estimates how long an acknowledgement takes, and backs off while none comes. */
class RetransmissionTimeout {
  readonly #minUs: number;
  readonly #maxUs: number;
  #smoothedUs = 0;
  #deviationUs = 0;
  #baseUs = INITIAL_RTO_US;
  /** How often it has expired in a row; 0 when the peer answers again. */
  expiries = 0;

  constructor(minMs: number, maxMs: number) {
    this.#minUs = minMs * MICROSECONDS;
    this.#maxUs = maxMs * MICROSECONDS;
  }

  /** The present time-out: doubled for each expiry in a row (section 5.5). */
  get currentUs(): number {
    return Math.min(this.#maxUs, this.#baseUs * 2 ** this.expiries);
  }

  /** A segment that was sent once was acknowledged after `roundTripUs` (section 3: Karn's algorithm). */
  sample(roundTripUs: number): void {
    if (this.#smoothedUs === 0) {
      this.#smoothedUs = roundTripUs;
      this.#deviationUs = roundTripUs >> 1;
    } else {
      const error = roundTripUs - this.#smoothedUs;
      this.#deviationUs += (Math.abs(error) - this.#deviationUs) >> DEVIATION_SHIFT;
      this.#smoothedUs += error >> GAIN_SHIFT;
    }
    const spreadUs = Math.max(this.#minUs, this.#deviationUs << DEVIATION_SHIFT);
    this.#baseUs = Math.min(this.#maxUs, this.#smoothedUs + spreadUs);
  }
}
