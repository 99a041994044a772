/** One direction of a flow of datagrams: without faults they pass at once, else they go by the machine of a link. */

import type { Address } from "../core/address/address.ts";
import { type LinkTable, linkTable } from "../core/faults/conditions.ts";
import { linkChange } from "../core/faults/fault.ts";
import { Link } from "../core/faults/link.ts";
import type { DatagramSocket } from "../io/datagram/public.ts";
import type { Clock, Timer } from "../io/network/network.ts";
import type { Datagram } from "../io/network/datagrams.ts";
import { type Direction, isStreamFault, type ProxyFault } from "./fault.ts";
import type { BoardFault, ConnectionFaults } from "./fault-board.ts";
import type { FaultCounts } from "./report.ts";
import { isSilence } from "./stream-way.ts";

/** What may be under way; a datagram more is lost, as in the queue of a router. */
const MOST_UNDER_WAY = 4096;
const MOST_UNDER_WAY_BYTES = 4_194_304;
const MICROSECONDS = 1000;
/** Headers of IPv4 and UDP (RFC 791, RFC 768): they take bandwidth, too. */
const HEADER_BYTES = 28;
/** No delay, since there is a real network around it; each datagram is one packet. */
const NO_FAULTS: LinkTable = linkTable({ latency: 0, mtuBytes: 65_535 + HEADER_BYTES });

interface UnderWay {
  readonly data: Buffer;
  readonly dueUs: number;
}

/** Passes the datagrams of one direction on. */
export class DatagramWay {
  passedBytes = 0;
  readonly #box: DatagramSocket;
  readonly #to: Address | undefined;
  readonly #connection: ConnectionFaults;
  readonly #clock: Clock;
  readonly #counts: FaultCounts;
  readonly #link: Link;
  readonly #unwatch: () => void;
  readonly #direction: Direction;
  #candidates: readonly BoardFault[] = [];
  /** In the order in which they are due. */
  #underWay: UnderWay[] = [];
  #underWayBytes = 0;
  #timer: Timer | undefined;

  constructor(
    box: DatagramSocket,
    to: Address | undefined,
    connection: ConnectionFaults,
    direction: Direction,
    clock: Clock,
    counts: FaultCounts,
  ) {
    this.#box = box;
    this.#to = to;
    this.#connection = connection;
    this.#direction = direction;
    this.#clock = clock;
    this.#counts = counts;
    this.#link = new Link((kind) => connection.board.stream(connection.number, `${direction}/${kind}`), NO_FAULTS);
    this.#candidates = connection.of(direction);
    this.#unwatch = connection.board.watch(() => {
      this.#candidates = connection.of(this.#direction);
    });
  }

  /** Takes datagrams, which are lent until this settles. */
  async take(batch: readonly Datagram[]): Promise<void> {
    if (this.#candidates.length === 0 && this.#underWay.length === 0) {
      await this.#send(batch.map(({ data }) => data));
      return;
    }
    const ageMs = this.#clock.now() - this.#connection.openedAtMs;
    const acting = this.#candidates.map(({ fault }) => fault).filter(({ when }) => ageMs >= (when?.afterMs ?? 0));
    this.#link.conditions = conditionsOf(acting);
    for (const { data } of batch) this.#plan(data, acting);
    await this.#look();
  }

  stop(): void {
    this.#unwatch();
    this.#timer?.cancel();
    this.#underWay = [];
  }

  #plan(data: Buffer, acting: readonly ProxyFault[]): void {
    const nowUs = this.#clock.now() * MICROSECONDS;
    const silence = acting.find((fault) => isSilence(fault));
    if (silence !== undefined) return this.#counts.add(silence.kind);
    const packet = { payloadBytes: data.length, headerBytes: HEADER_BYTES, checked: false };
    const { lost, arrivesAtUs, heldBack, againAtUs, flippedBit } = this.#link.send(packet, nowUs);
    if (lost !== undefined) return this.#counts.add(lost);
    for (const { kind } of acting) if (kind === "latency" || kind === "bandwidth") this.#counts.add(kind);
    // Drawn, whether or not another one comes soon enough to overtake it: the same traffic gives the same report.
    if (heldBack) this.#counts.add("reordering");
    const copy = Buffer.from(data);
    if (flippedBit !== undefined) {
      copy[flippedBit >>> 3] = (copy[flippedBit >>> 3] as number) ^ (1 << (flippedBit & 7));
      this.#counts.add("corruption");
    }
    this.#add({ data: copy, dueUs: arrivesAtUs });
    if (againAtUs !== undefined) {
      this.#counts.add("duplication");
      this.#add({ data: copy, dueUs: againAtUs });
    }
  }

  #add(item: UnderWay): void {
    if (this.#underWay.length >= MOST_UNDER_WAY || this.#underWayBytes + item.data.length > MOST_UNDER_WAY_BYTES) {
      this.#counts.add("queue");
      return;
    }
    // Behind all that are due with it: only what was held back is overtaken.
    let at = this.#underWay.length;
    while (at > 0 && (this.#underWay[at - 1] as UnderWay).dueUs > item.dueUs) at -= 1;
    this.#underWay.splice(at, 0, item);
    this.#underWayBytes += item.data.length;
  }

  async #look(): Promise<void> {
    this.#timer?.cancel();
    const nowUs = this.#clock.now() * MICROSECONDS;
    const after = this.#underWay.findIndex(({ dueUs }) => dueUs > nowUs);
    const due = this.#underWay.splice(0, after === -1 ? this.#underWay.length : after);
    for (const { data } of due) this.#underWayBytes -= data.length;
    const [next] = this.#underWay;
    if (next !== undefined) {
      this.#timer = this.#clock.setTimer(() => void this.#look(), (next.dueUs - nowUs) / MICROSECONDS);
    }
    if (due.length > 0) await this.#send(due.map(({ data }) => data));
  }

  /** What the system does not take is lost, as anywhere on a network. */
  async #send(datagrams: readonly Buffer[]): Promise<void> {
    for (const data of datagrams) this.passedBytes += data.length;
    try {
      await this.#box.sendMany(datagrams.map((data) => ({ data, to: this.#to })));
    } catch {
      // The socket is closed, or an earlier datagram found nobody.
    }
  }
}

function conditionsOf(acting: readonly ProxyFault[]): LinkTable {
  let table = NO_FAULTS;
  for (const fault of acting) {
    if (!isStreamFault(fault)) table = linkTable(linkChange(fault) ?? {}, table, "inflict");
  }
  return table;
}
