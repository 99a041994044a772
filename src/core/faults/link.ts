/** One direction of a link, as a pure machine: a packet and the time go in, its fate comes out. */

import { type LinkTable, DEFAULT_CONDITIONS } from "./conditions.ts";
import { chanceDraw, type Draw } from "./draw.ts";
import { drawLatencyUs } from "./latency.ts";
import type { RandomStream } from "./random-stream.ts";

/** Why a packet did not arrive. */
export type LossReason = "loss" | "queue" | "corruption" | "partition" | "rule" | "frozen" | "no host" | "martian";

/** What becomes of a packet. */
export interface Fate {
  /** Undefined when it arrives. */
  readonly lost: LossReason | undefined;
  /** When it arrives, in microseconds. */
  readonly arrivesAtUs: number;
  /** Reordering has held it back, so that those behind it may overtake it. */
  readonly heldBack: boolean;
  /** When it arrives a second time; undefined when it does not. */
  readonly againAtUs: number | undefined;
  /** The bit that flips on the way, counted from the first of the payload; undefined when none does. */
  readonly flippedBit: number | undefined;
}

/** A packet on its way. */
interface LinkPacket {
  /** Its payload, for the place of a flipped bit. */
  readonly payloadBytes: number;
  /** Bytes of all headers of one packet or fragment. */
  readonly headerBytes: number;
  /** Has a checksum that finds flipped bits: TCP. */
  readonly checked: boolean;
}

/** Makes the random stream of one use of randomness. */
export type Streams = (label: string) => RandomStream;

const BITS = 8;
const MICROSECONDS = 1_000_000;
const MILLISECOND_US = 1000;

/** One direction between two hosts. Packets keep their order unless reordering is drawn, as on a single path. */
export class Link {
  /** How it treats packets; may be replaced at any time. */
  conditions: LinkTable;
  /** Gets what is drawn while it is there. What is drawn is the same without it. */
  draws: Draw[] | undefined;
  readonly #streams: Streams;
  readonly #made = new Map<string, RandomStream>();
  #bad = false;
  /** When the last bit of what waits for the bandwidth has left. */
  #freeAtUs = 0;
  #lastArrivalUs = 0;

  constructor(streams: Streams, conditions: LinkTable = DEFAULT_CONDITIONS) {
    this.#streams = streams;
    this.conditions = conditions;
  }

  /** Sends one packet, in fragments where it is larger than the link takes: one lost fragment loses it all. */
  send(packet: LinkPacket, nowUs: number): Fate {
    const { mtuBytes } = this.conditions;
    const room = mtuBytes - packet.headerBytes;
    const fragments = packet.payloadBytes <= room ? 1 : Math.ceil(packet.payloadBytes / room);
    let lost: LossReason | undefined;
    const leavesAtUs = this.#leave(packet.payloadBytes + fragments * packet.headerBytes, nowUs);
    if (leavesAtUs === undefined) return lostFor("queue");
    for (let count = 0; count < fragments; count += 1) if (this.#losesOne()) lost = "loss";
    if (lost !== undefined) return lostFor(lost);
    return this.#arrive(packet, leavesAtUs);
  }

  /** Forgets what is under way: what comes next waits for nothing that came before. */
  clear(nowUs: number): void {
    this.#freeAtUs = Math.min(this.#freeAtUs, nowUs);
    this.#lastArrivalUs = Math.min(this.#lastArrivalUs, nowUs);
  }

  #arrive(packet: LinkPacket, leavesAtUs: number): Fate {
    const { latency, reordering, reorderingUs, duplication, corruption } = this.conditions;
    const delayUs = this.#delayUs(latency);
    let arrivesAtUs = Math.max(leavesAtUs + delayUs, this.#lastArrivalUs);
    this.#lastArrivalUs = arrivesAtUs;
    const heldBack = this.#chance("reordering", reordering);
    if (heldBack) arrivesAtUs += reorderingUs;
    const doubled = this.#chance("duplication", duplication);
    const againAtUs = doubled ? arrivesAtUs + this.#stream("duplication").below(1 + reorderingUs) : undefined;
    let flippedBit: number | undefined;
    if (this.#chance("corruption", corruption)) {
      if (packet.checked) return lostFor("corruption");
      if (packet.payloadBytes > 0) flippedBit = this.#stream("corruption").below(packet.payloadBytes * BITS);
    }
    return { lost: undefined, arrivesAtUs, heldBack, againAtUs, flippedBit };
  }

  /** When the packet has left the queue of the bandwidth; undefined when the queue is full. */
  #leave(bytes: number, nowUs: number): number | undefined {
    const { bitsPerSecond, queueBytes } = this.conditions;
    if (bitsPerSecond === 0) return nowUs;
    const startUs = Math.max(nowUs, this.#freeAtUs);
    const waitingBytes = ((startUs - nowUs) * bitsPerSecond) / (BITS * MICROSECONDS);
    if (waitingBytes > 0 && waitingBytes + bytes > queueBytes) return undefined;
    this.#freeAtUs = startUs + Math.ceil((bytes * BITS * MICROSECONDS) / bitsPerSecond);
    return this.#freeAtUs;
  }

  #losesOne(): boolean {
    const { enterBurst, leaveBurst, lossInBurst, lossOutside } = this.conditions;
    if (enterBurst > 0 || this.#bad) {
      if (this.#chance("burst", this.#bad ? leaveBurst : enterBurst)) this.#bad = !this.#bad;
      if (enterBurst === 0 && leaveBurst === 0) this.#bad = false;
    }
    return this.#chance("loss", this.#bad ? lossInBurst : lossOutside);
  }

  #delayUs(latency: LinkTable["latency"]): number {
    if (latency.shape === "constant" && latency.and === undefined) return latency.baseUs;
    const delayUs = drawLatencyUs(latency, this.#stream("latency"));
    this.draws?.push({ of: "latency", drawn: delayUs / MILLISECOND_US });
    return delayUs;
  }

  /** Whether something happens. What never does draws nothing. */
  #chance(of: Draw["of"], threshold: number): boolean {
    if (threshold === 0) return false;
    const draw = this.#stream(of).uint32();
    this.draws?.push(chanceDraw(of, draw, threshold));
    return draw < threshold;
  }

  /** Each kind of fault has a stream of its own; one that is never drawn from is never made. */
  #stream(kind: string): RandomStream {
    let stream = this.#made.get(kind);
    if (stream === undefined) {
      stream = this.#streams(kind);
      this.#made.set(kind, stream);
    }
    return stream;
  }
}

/** The fate of a packet that does not arrive. */
export function lostFor(reason: LossReason): Fate {
  return { lost: reason, arrivesAtUs: 0, heldBack: false, againAtUs: undefined, flippedBit: undefined };
}

/** Flips a bit, counted from the first of the first byte. */
export function flipBit(bytes: Uint8Array, bit: number): void {
  const index = bit >>> 3;
  bytes[index] = (bytes[index] as number) ^ (1 << (bit & 7));
}
