/** What is under way in a session, by its id: calls of both sides that are not answered, and open streams. */

import type { SessionSettings } from "./settings.ts";
import { type OpenedStream, StreamTable } from "./stream-table.ts";

const MAX_ID = 0xffff_ffff;

/** A call of this side that waits for its answer. */
export interface OwnCall {
  readonly id: number;
  /** The number of its message. */
  readonly number: number;
  readonly method: number;
  /** When it expires; Infinity for never. */
  readonly deadline: number;
}

/** A call of the peer that waits for an answer. */
export interface ForeignCall {
  readonly chargeBytes: number;
  readonly deadline: number;
  /** The number of its message. */
  readonly number: number;
  /** Its frame from the type on, for a journal; undefined without one. */
  readonly frame: Buffer | undefined;
}

// What every session has that has had no call, or no stream, yet. Nothing is put into these.
const NO_CALLS: Map<number, OwnCall> = new Map();
const NO_FOREIGN_CALLS: Map<number, ForeignCall> = new Map();
const NO_STREAMS: StreamTable = new StreamTable(0, 0);

/** The owner of all ids of a session. Others find and drop here what has one; only this class adds. */
export class Requests {
  /** Calls of this side, in the order of their numbers. */
  calls: Map<number, OwnCall> = NO_CALLS;
  /** Calls of the peer. */
  foreignCalls: Map<number, ForeignCall> = NO_FOREIGN_CALLS;
  /** The streams of both sides. */
  streams: StreamTable = NO_STREAMS;
  readonly #settings: SessionSettings;
  /** The next id of this side. Ids of clients are odd, those of servers even. */
  #nextId: number;

  constructor(settings: SessionSettings, nextId: number = settings.role === "client" ? 1 : 2) {
    this.#settings = settings;
    this.#nextId = nextId;
  }

  /** Calls that are not answered, and open streams, of both sides. */
  get pending(): number {
    return this.calls.size + this.foreignCalls.size + this.streams.own + this.streams.foreign;
  }

  /** The id that `takeId` answers next. */
  get nextId(): number {
    return this.#nextId;
  }

  /** The id of the next request of this side. */
  takeId(): number {
    const id = this.#nextId;
    // Ids are used again after 2^31 calls, long after the last one with the same id was answered.
    this.#nextId = id + 2 > MAX_ID ? 2 - (id % 2) : id + 2;
    return id;
  }

  /** Whether the peer may ask for something with this id. */
  isFree(id: number): boolean {
    const isForeign = id !== 0 && id % 2 !== this.#nextId % 2;
    return isForeign && !this.foreignCalls.has(id) && this.streams.get(id) === undefined;
  }

  addCall(call: OwnCall): void {
    if (this.calls === NO_CALLS) this.calls = new Map();
    this.calls.set(call.id, call);
  }

  addForeignCall(id: number, call: ForeignCall): void {
    if (this.foreignCalls === NO_FOREIGN_CALLS) this.foreignCalls = new Map();
    this.foreignCalls.set(id, call);
  }

  openStream(stream: OpenedStream): void {
    const { limits, peerLimits } = this.#settings;
    if (this.streams === NO_STREAMS) {
      this.streams = new StreamTable(peerLimits.streamWindowBytes, limits.streamWindowBytes);
    }
    this.streams.open(stream);
  }

  /** Forgets a call of the peer. Answers its charge; undefined when nobody waits for its answer. */
  takeForeignCall(id: number): number | undefined {
    const call = this.foreignCalls.get(id);
    this.foreignCalls.delete(id);
    return call?.chargeBytes;
  }

  /** Forgets a call of this side, or a stream. Answers whether there was one. */
  drop(id: number): boolean {
    return this.calls.delete(id) || this.streams.drop(id);
  }

  /** Gives back what an idle session does not need. */
  trim(): void {
    if (this.calls.size === 0) this.calls = NO_CALLS;
  }

  clear(): void {
    this.calls.clear();
    this.foreignCalls.clear();
    this.streams.clear();
  }
}
