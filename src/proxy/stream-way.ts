/** One direction of a connection while faults act on it: bytes wait here until the plan says that they leave. */

import { flipBit } from "../core/faults/link.ts";
import { StreamPlan } from "../core/faults/stream-plan.ts";
import type { Timer } from "../io/network/network.ts";
import type { Detour, DetourWay } from "../io/stream/relay.ts";
import { type Candidate, candidateOf, conditionsOf, isSilence, match } from "./candidate.ts";
import type { Direction, ProxyFault } from "./fault.ts";
import type { BoardFault, ConnectionFaults } from "./fault-board.ts";
import type { ConnectionLog } from "./connection-log.ts";
import { MICROSECONDS } from "./microseconds.ts";
import { StreamQueue } from "./stream-queue.ts";

/** What may be under way before the sender must wait: as much as a long fat pipe holds (40 MB a second at 100 ms). */
const UNDER_WAY_BYTES = 4_194_304;
/** The least that may be, whatever the bandwidth: a read of the kernel. */
const LEAST_UNDER_WAY_BYTES = 65_536;

/** Of all directions without faults; nothing is added to it. */
const NO_CANDIDATES: Map<BoardFault, Candidate> = new Map();

/** Passes the bytes of one direction on as its faults have it. */
export class StreamWay implements Detour {
  readonly #way: DetourWay;
  readonly #connection: ConnectionFaults;
  readonly #direction: Direction;
  readonly #log: ConnectionLog;
  /** Made when a fault acts for the first time: most connections of a crowd have none. */
  #planned: StreamPlan | undefined;
  /** In the order in which they began; made with the first one. */
  #candidates: Map<BoardFault, Candidate> = NO_CANDIDATES;
  readonly #queue = new StreamQueue();
  #mostUnderWay = UNDER_WAY_BYTES;
  #writing = false;
  #holding = false;
  #stopped = false;
  #timer: Timer | undefined;
  /** What it is for; Infinity for nothing. */
  #timerUs = Infinity;
  /** Of faults that act by themselves when their time has come, one each; they end with their faults. */
  #timers: Map<BoardFault, Timer> | undefined;
  /** When a reset arrives that is under way. */
  #resetUs: number | undefined;
  /** The time-out that swallows what comes. */
  #swallowing: BoardFault | undefined;

  constructor(way: DetourWay, connection: ConnectionFaults, direction: Direction, log: ConnectionLog) {
    this.#way = way;
    this.#connection = connection;
    this.#direction = direction;
    this.#log = log;
    connection.board.watch(this);
  }

  get busy(): boolean {
    const isWaiting = !this.#queue.isEmpty || this.#writing || this.#resetUs !== undefined;
    return isWaiting || this.#candidates.size > 0 || this.#log.isWatched;
  }

  received(view: Uint8Array): void {
    // One copy for all pieces of a chunk.
    const chunk = Buffer.from(view);
    for (const candidate of this.#candidates.values()) match(candidate, chunk);
    const first = this.#way.bytesTaken;
    for (let at = 0; at < chunk.length && !this.#stopped; ) {
      const acting = this.#act(first + at);
      if (acting === undefined) {
        const fault = this.#swallowing === undefined ? "reset" : "timeout";
        this.#log.lost(this.#direction, chunk.subarray(at), fault, this.#connection);
        break;
      }
      const end = Math.min(chunk.length, this.#nextTrigger(first + at) - first);
      this.#plan.carriedBytes = first + at;
      this.#take(chunk.subarray(at, end), acting);
      at = end;
    }
    this.#look();
  }

  ended(): void {
    const isLost = this.#act(this.#way.bytesTaken) === undefined;
    this.#plan.isWatched = this.#log.isWatched;
    const dueUs = isLost ? undefined : this.#plan.end(this.#nowUs);
    this.#log.ended(this.#direction, dueUs, !isLost && this.#queue.isSilent, this.#plan.takeDraws());
    if (!isLost) this.#queue.add(dueUs === undefined ? "lost" : "end", dueUs ?? this.#nowUs);
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#connection.board.unwatch(this);
    this.#timer?.cancel();
    for (const timer of this.#timers?.values() ?? []) timer.cancel();
    this.#timers = undefined;
    this.#queue.clear();
  }

  get #plan(): StreamPlan {
    const { board, number } = this.#connection;
    this.#planned ??= new StreamPlan((kind) => board.stream(number, `${this.#direction}/${kind}`));
    return this.#planned;
  }

  get #nowUs(): number {
    return this.#log.clock.now() * MICROSECONDS;
  }

  /** What the triggers of the others have seen stays. */
  boardChanged(began: readonly BoardFault[], ended: ReadonlySet<BoardFault>): void {
    const added = this.#connection.among(began, this.#direction).map(candidateOf);
    let isSilenceChanged = added.some(({ fault }) => isSilence(fault));
    for (const board of ended) {
      this.#timers?.get(board)?.cancel();
      this.#timers?.delete(board);
      if (this.#candidates.delete(board) && isSilence(board.fault)) isSilenceChanged = true;
    }
    if (added.length > 0 && this.#candidates === NO_CANDIDATES) this.#candidates = new Map();
    for (const one of added) this.#candidates.set(one.board, one);
    if (this.#candidates.size === 0) this.#hurry();
    if (this.#swallowing !== undefined && ended.has(this.#swallowing)) this.#way.close();
    for (const one of added) {
      if (one.fault.kind !== "reset" && one.fault.kind !== "timeout") continue;
      const { afterMs } = one.fault.when ?? {};
      if (afterMs !== undefined) this.#later(one.board, this.#log.openedAtMs + afterMs - this.#log.clock.now());
      else if (one.fault.kind === "timeout" && this.#acts(one, this.#way.bytesTaken)) this.#swallow(one);
    }
    if (isSilenceChanged) {
      const silences = Array.from(this.#candidates.values()).filter(({ fault }) => isSilence(fault));
      this.#setSilent(silences.some((one) => this.#acts(one, this.#way.bytesTaken)));
    }
    this.#look();
  }

  /** Puts the faults to work when the connection is old enough for one. */
  #later(board: BoardFault, inMs: number): void {
    const due = (): void => {
      this.#act(this.#way.bytesTaken);
      this.#look();
    };
    this.#setTimer(board, due, Math.max(0, inMs));
  }

  /** What comes is lost from now on, until the connection closes. */
  #swallow({ fault, board }: Candidate): void {
    if (fault.kind !== "timeout" || this.#swallowing !== undefined) return;
    this.#swallowing = board;
    this.#log.counts.add("timeout");
    if (fault.afterMs === undefined) return;
    this.#setTimer(board, () => this.#way.close(), fault.afterMs);
  }

  /** In the place of the one that the fault has had. */
  #setTimer(board: BoardFault, due: () => void, inMs: number): void {
    this.#timers ??= new Map();
    this.#timers.get(board)?.cancel();
    this.#timers.set(board, this.#log.clock.setTimer(due, inMs, true));
  }

  #acts({ fault, matched }: Candidate, atBytes: number, nowMs = this.#log.clock.now()): boolean {
    const { bytes = 0, afterMs = 0 } = fault.when ?? {};
    return matched && atBytes >= bytes && nowMs >= this.#log.openedAtMs + afterMs;
  }

  /** Puts the faults to work that act behind so many bytes. Undefined when nothing passes any more. */
  #act(atBytes: number): readonly ProxyFault[] | undefined {
    const nowMs = this.#log.clock.now();
    const hits = Array.from(this.#candidates.values()).filter((one) => this.#acts(one, atBytes, nowMs));
    for (const hit of hits) this.#swallow(hit);
    const acting = hits.map(({ fault }) => fault);
    this.#setSilent(acting.some(isSilence));
    const conditions = conditionsOf(hits);
    this.#plan.conditions = conditions;
    const { bitsPerSecond } = conditions.link;
    const secondBytes = bitsPerSecond === 0 ? UNDER_WAY_BYTES : bitsPerSecond / 8;
    this.#mostUnderWay = Math.min(UNDER_WAY_BYTES, Math.max(LEAST_UNDER_WAY_BYTES, secondBytes));
    if (this.#resetUs === undefined && acting.some(({ kind }) => kind === "reset")) {
      this.#resetUs = this.#plan.follow(this.#nowUs) ?? this.#nowUs;
    }
    return this.#resetUs === undefined && this.#swallowing === undefined ? acting : undefined;
  }

  #setSilent(isSilent: boolean): void {
    const wasSilent = this.#queue.isSilent;
    this.#queue.isSilent = isSilent;
    if (wasSilent && !isSilent && this.#candidates.size > 0 && !this.#queue.isEmpty) {
      this.#log.released(this.#direction, "held");
    }
  }

  /** No fault is left: what is under way arrives now. */
  #hurry(): void {
    if (!this.#queue.isEmpty) this.#log.released(this.#direction, "all");
    const nowUs = this.#nowUs;
    this.#planned?.clear(nowUs);
    this.#queue.hurry(nowUs);
    if (this.#resetUs !== undefined) this.#resetUs = Math.min(this.#resetUs, nowUs);
  }

  /** Where the next fault begins that waits for bytes. */
  #nextTrigger(atBytes: number): number {
    let next = Infinity;
    for (const { fault } of this.#candidates.values()) {
      const { bytes = 0 } = fault.when ?? {};
      if (bytes > atBytes && bytes < next) next = bytes;
    }
    return next;
  }

  #take(chunk: Buffer, acting: readonly ProxyFault[]): void {
    this.#plan.isWatched = this.#log.isWatched;
    const plan = this.#plan.take(chunk.length, this.#nowUs);
    const { pieces, outcome } = plan;
    this.#log.chunk(this.#direction, chunk, acting, plan, this.#queue.isSilent, this.#connection);
    let lastUs = this.#nowUs;
    for (const { start, end, dueUs, flippedBit } of pieces) {
      if (flippedBit !== undefined) flipBit(chunk, flippedBit);
      this.#queue.add("bytes", dueUs, chunk.subarray(start, end));
      lastUs = dueUs;
    }
    if (outcome === "cut") this.#queue.add("close", lastUs);
    else if (outcome === "timed out") this.#queue.add("lost", lastUs);
  }

  /** Passes on what is due, one write at a time: so a slow reader slows its writer here too. */
  #look(): void {
    if (this.#stopped) return;
    if (this.#queue.cost > this.#mostUnderWay && !this.#holding) {
      this.#holding = true;
      this.#way.hold(true);
    }
    const next = this.#writing ? undefined : this.#queue.next;
    // A reset is behind all that is under way, but it waits for no reader.
    const resetUs = this.#queue.isSilent ? Infinity : (this.#resetUs ?? Infinity);
    const nowUs = this.#nowUs;
    const dueUs = Math.min(next?.dueUs ?? Infinity, resetUs);
    this.#waitUntil(dueUs > nowUs ? dueUs : Infinity, nowUs);
    if (dueUs > nowUs) return;
    if (resetUs <= nowUs) this.#reset();
    else if (next?.kind === "bytes") this.#write();
    else if (next !== undefined) this.#finish(next.kind);
  }

  /** A timer that runs for this time goes on: most of what comes is due behind what waits. */
  #waitUntil(dueUs: number, nowUs: number): void {
    if (dueUs === this.#timerUs) return;
    this.#timer?.cancel();
    this.#timerUs = dueUs;
    if (dueUs === Infinity) return;
    const due = (): void => {
      this.#timerUs = Infinity;
      this.#look();
    };
    this.#timer = this.#log.clock.setTimer(due, (dueUs - nowUs) / MICROSECONDS);
  }

  #reset(): void {
    // What is due with it goes before it, as far as the reader takes it.
    const { pieces } = this.#queue.take(this.#nowUs);
    if (pieces.length > 0) this.#way.to.write(pieces).catch(() => undefined);
    this.#log.reset("reset", this.#connection.chances(this.#direction));
    this.#way.broken(new Error("the fault proxy reset the connection, as a fault asked for"));
  }

  #write(): void {
    // A slice leaves by itself, or it would be none.
    const most = this.#plan.conditions.slicing === undefined ? Number.POSITIVE_INFINITY : 1;
    const { pieces, bytes, cost } = this.#queue.take(this.#nowUs, most);
    this.#writing = true;
    this.#way.to.write(pieces).then(
      () => {
        this.#writing = false;
        this.#queue.cost -= cost;
        this.#way.passed(bytes);
        if (this.#holding && !this.#stopped && this.#queue.cost < this.#mostUnderWay / 2) {
          this.#holding = false;
          this.#way.hold(false);
        }
        this.#look();
      },
      (error: unknown) => this.#way.broken(error),
    );
  }

  #finish(kind: "end" | "close" | "lost"): void {
    if (kind === "lost") {
      this.#way.broken(new Error("the fault proxy lost the connection: each repetition of a segment was lost"));
      return;
    }
    this.#writing = true;
    if (kind === "close") {
      this.#way.close();
      return;
    }
    this.#way.to.end().then(
      () => this.#way.finished(),
      (error: unknown) => this.#way.broken(error),
    );
  }
}
