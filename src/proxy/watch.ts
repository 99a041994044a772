/** What proxies tell those who watch them: every chunk and datagram, what the faults did to it, and the faults themselves. */

import type { Address } from "../core/address/address.ts";
import type { Draw } from "../core/faults/draw.ts";
import type { Direction, ProxyFault } from "./fault.ts";

/** What each event of one connection, or of the datagrams of one client, says. */
export interface ConnectionEvent {
  /** The name of the proxy. */
  readonly proxy: string;
  /** The number of the connection there, counted from 1. */
  readonly number: number;
  /** When, on the clock of the network, in milliseconds. */
  readonly atMs: number;
}

/** A stretch of a chunk that is passed on at one moment. */
export interface WatchedPiece {
  /** Its first byte in the chunk. */
  readonly start: number;
  /** The byte behind its last. */
  readonly end: number;
  /** When it is to leave, on the clock of the network, in milliseconds. A slow reader, or silence, may make it later. */
  readonly leavesAtMs: number;
  /** How often a segment of it was lost and sent again. */
  readonly losses: number;
  /** Why a segment of it was lost. */
  readonly lostTo?: string | undefined;
  /** The bit of the chunk that was flipped, counted from its first. */
  readonly flippedBit?: number | undefined;
  /** What was drawn for it, in this order; a latency or a loss for each segment of 1,460 bytes. */
  readonly draws: readonly Draw[];
}

/** A client has come. */
export interface OpenEvent extends ConnectionEvent {
  /** Tells it from the other events. */
  readonly type: "open";
  /** Who connected. */
  readonly client: Address;
  /** The real server. */
  readonly upstream: Address;
}

/** Bytes of a connection have come. */
export interface ChunkEvent extends ConnectionEvent {
  /** Tells it from the other events. */
  readonly type: "chunk";
  /** Where to. */
  readonly direction: Direction;
  /** As they came; a flipped bit is not flipped here. */
  readonly bytes: Uint8Array;
  /** The kinds of the faults that acted. */
  readonly faults: readonly string[];
  /** Bytes that stand in no piece are not passed on. */
  readonly pieces: readonly WatchedPiece[];
  /** The fault that has lost the whole chunk: a `timeout` that swallows it, or a `reset` that is under way. */
  readonly lostTo?: "timeout" | "reset" | undefined;
  /** Whether silence holds them back: they leave when it ends, at `leavesAtMs` at the earliest. */
  readonly isHeld: boolean;
  /** What follows the pieces: nothing; the proxy closes the connection; the connection is lost, since each repetition was. */
  readonly outcome: "goes on" | "cut" | "timed out";
  /**
   * What was drawn beside the pieces: once for the connection, whether a fault with a `chance` hits it, be it one that acts or not;
   * and for a segment whose every repetition was lost.
   */
  readonly draws: readonly Draw[];
}

/** A datagram has come. */
export interface DatagramEvent extends ConnectionEvent {
  /** Tells it from the other events. */
  readonly type: "datagram";
  /** Where to. */
  readonly direction: Direction;
  /** As it came; a flipped bit is not flipped here. */
  readonly bytes: Uint8Array;
  /** The kinds of the faults that acted. */
  readonly faults: readonly string[];
  /** Why it is not passed on. */
  readonly lostTo?: string | undefined;
  /** When it is to leave: never when it was lost, two times when it was doubled. */
  readonly leavesAtMs: readonly number[];
  /** The bit that was flipped, counted from its first. */
  readonly flippedBit?: number | undefined;
  /** What was drawn for it, behind what was drawn once for the connection. */
  readonly draws: readonly Draw[];
}

/** One side has ended its direction. */
export interface EndEvent extends ConnectionEvent {
  /** Tells it from the other events. */
  readonly type: "end";
  /** Where to. */
  readonly direction: Direction;
  /** When that is to be passed on; never when a fault has lost it. */
  readonly leavesAtMs?: number | undefined;
  /** Whether silence holds it back: it leaves when that ends, at `leavesAtMs` at the earliest. */
  readonly isHeld: boolean;
  /** What was drawn for it: it is a segment without bytes. */
  readonly draws: readonly Draw[];
}

/** A fault has ended for which something waited. */
export interface ReleaseEvent extends ConnectionEvent {
  /** Tells it from the other events. */
  readonly type: "release";
  /** Where to. */
  readonly direction: Direction;
  /**
   * `held`: the silence is over, and what it held back leaves now, or at its `leavesAtMs` where that is later. `all`: no fault is left,
   * and everything that is under way leaves now.
   */
  readonly what: "held" | "all";
}

/** A connection was reset. */
export interface ResetEvent extends ConnectionEvent {
  /** Tells it from the other events. */
  readonly type: "reset";
  /** The kind of the fault that did it; none when a program did, or when the upstream could not be reached. */
  readonly fault?: string | undefined;
  /** What was drawn once for this connection: whether that fault hits it, if it has a `chance`. */
  readonly draws: readonly Draw[];
}

/** A connection is over, or the datagrams of a client are. */
export interface CloseEvent extends ConnectionEvent {
  /** Tells it from the other events. */
  readonly type: "close";
}

/** A fault has begun or ended. */
export interface FaultEvent {
  /** Tells it from the other events. */
  readonly type: "fault";
  /** The name of the proxy. */
  readonly proxy: string;
  /** When, on the clock of the network, in milliseconds. */
  readonly atMs: number;
  /** The fault. */
  readonly fault: ProxyFault;
  /** What became of it. */
  readonly change: "began" | "ended";
}

/** What a proxy tells. */
export type ProxyEvent =
  | OpenEvent
  | ChunkEvent
  | DatagramEvent
  | EndEvent
  | ReleaseEvent
  | ResetEvent
  | CloseEvent
  | FaultEvent;

/** Takes what a proxy tells. */
export type ProxyListener = (event: ProxyEvent) => void;

/** The name of a connection among those of all proxies. */
export function keyOf({ proxy, number }: Pick<ConnectionEvent, "proxy" | "number">): string {
  return `${number}/${proxy}`;
}

/** Those who watch the proxies that run together. */
export class ProxyWatch {
  readonly #listeners = new Set<ProxyListener>();

  /** Whether anybody watches. Nothing is made to be told otherwise. */
  get isOn(): boolean {
    return this.#listeners.size > 0;
  }

  /** Tells `listener` from now on, until the answer is called. */
  add(listener: ProxyListener): () => void {
    // One of its own for each call, so that a function that watches twice is told twice.
    const own: ProxyListener = (event) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(event: ProxyEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // A mistake of who watches is none of the traffic's.
        this.#listeners.delete(listener);
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
