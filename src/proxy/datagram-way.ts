/** One direction of a flow of datagrams: without faults they pass at once, else they go by the machine of a link. */

import type { Address } from "../core/address/address.ts";
import { addToLink, type LinkTable, linkTable } from "../core/faults/conditions.ts";
import { flipBit, Link } from "../core/faults/link.ts";
import type { DatagramSocket } from "../io/datagram/public.ts";
import type { Timer } from "../io/network/network.ts";
import type { Datagram } from "../io/network/datagrams.ts";
import type { Direction, ProxyFault } from "./fault.ts";
import type { BoardFault, ConnectionFaults } from "./fault-board.ts";
import type { ConnectionLog, DatagramFate } from "./connection-log.ts";
import { isSilence } from "./candidate.ts";
import { MICROSECONDS } from "./microseconds.ts";

/** What may be under way; a datagram more is lost, as in the queue of a router. */
const MOST_UNDER_WAY = 4096;
const MOST_UNDER_WAY_BYTES = 4_194_304;
/** Headers of IPv4 and UDP (RFC 791, RFC 768): they take bandwidth, too. */
const HEADER_BYTES = 28;
/** No delay, since there is a real network around it; each datagram is one packet. */
const NO_FAULTS: LinkTable = linkTable({ latency: 0, mtuBytes: 65_535 + HEADER_BYTES });

const NOTHING_DUE: Promise<void> = Promise.resolve();

interface UnderWay {
  readonly data: Buffer;
  readonly dueUs: number;
}

/** Passes the datagrams of one direction on. */
export class DatagramWay {
  passedBytes = 0;
  readonly #socket: DatagramSocket;
  readonly #to: Address | undefined;
  readonly #log: ConnectionLog;
  readonly #link: Link;
  readonly #connection: ConnectionFaults;
  readonly #direction: Direction;
  readonly #candidates = new Set<BoardFault>();
  /** In the order in which they are due. */
  #underWay: UnderWay[] = [];
  #underWayBytes = 0;
  #timer: Timer | undefined;

  constructor(
    socket: DatagramSocket,
    to: Address | undefined,
    connection: ConnectionFaults,
    direction: Direction,
    log: ConnectionLog,
  ) {
    this.#socket = socket;
    this.#to = to;
    this.#direction = direction;
    this.#log = log;
    this.#link = new Link((kind) => connection.board.stream(connection.number, `${direction}/${kind}`), NO_FAULTS);
    this.#connection = connection;
    connection.board.watch(this);
  }

  /** Takes datagrams, which nobody else changes from now on. Settles when the system has decided on those that are due. */
  take(batch: readonly Datagram[]): Promise<unknown> {
    if (this.#candidates.size === 0 && this.#underWay.length === 0) {
      const nowUs = this.#nowUs;
      if (this.#log.isWatched) for (const { data } of batch) this.#tell(data, [], { leavesAtUs: [nowUs], draws: [] });
      return this.#send(batch);
    }
    const ageMs = this.#log.clock.now() - this.#log.openedAtMs;
    const hits = Array.from(this.#candidates).filter(({ fault: { when } }) => ageMs >= (when?.afterMs ?? 0));
    this.#link.conditions = hits.reduce((before, { link }) => addToLink(before, link), NO_FAULTS);
    const acting = hits.map(({ fault }) => fault);
    for (const { data } of batch) this.#tell(data, acting, this.#plan(data, acting));
    return this.#look();
  }

  boardChanged(began: readonly BoardFault[], ended: ReadonlySet<BoardFault>): void {
    for (const one of ended) this.#candidates.delete(one);
    for (const one of this.#connection.among(began, this.#direction)) this.#candidates.add(one);
    if (this.#candidates.size > 0) return;
    // No fault is left: what is under way arrives now.
    const nowUs = this.#nowUs;
    this.#link.clear(nowUs);
    if (this.#underWay.length === 0) return;
    this.#log.released(this.#direction, "all");
    this.#underWay = this.#underWay.map(({ data, dueUs }) => ({ data, dueUs: Math.min(dueUs, nowUs) }));
    void this.#look();
  }

  stop(): void {
    this.#connection.board.unwatch(this);
    this.#timer?.cancel();
    this.#underWay = [];
  }

  get #nowUs(): number {
    return this.#log.clock.now() * MICROSECONDS;
  }

  #tell(data: Buffer, acting: readonly ProxyFault[], fate: DatagramFate): void {
    this.#log.datagram(this.#direction, data, acting, fate);
  }

  #plan(data: Buffer, acting: readonly ProxyFault[]): DatagramFate {
    const { counts, isWatched } = this.#log;
    const draws = isWatched ? [...this.#connection.chances(this.#direction)] : undefined;
    this.#link.draws = draws;
    const silence = acting.find((fault) => isSilence(fault));
    const packet = { payloadBytes: data.length, headerBytes: HEADER_BYTES, checked: false };
    const fate = silence === undefined ? this.#link.send(packet, this.#nowUs) : undefined;
    const lostTo = fate === undefined ? silence?.kind : fate.lost;
    if (fate === undefined || lostTo !== undefined) {
      counts.add(lostTo ?? "loss");
      return { lostTo, leavesAtUs: [], draws };
    }
    for (const { kind } of acting) if (kind === "latency" || kind === "bandwidth") counts.add(kind);
    const { arrivesAtUs, heldBack, againAtUs, flippedBit } = fate;
    // Drawn, whether or not another one comes soon enough to overtake it: the same traffic gives the same report.
    if (heldBack) counts.add("reordering");
    // Who watches has the datagram as it came.
    const copy = flippedBit === undefined ? data : Buffer.from(data);
    if (flippedBit !== undefined) {
      flipBit(copy, flippedBit);
      counts.add("corruption");
    }
    if (againAtUs !== undefined) counts.add("duplication");
    const times = againAtUs === undefined ? [arrivesAtUs] : [arrivesAtUs, againAtUs];
    const leavesAtUs = times.filter((dueUs) => this.#add({ data: copy, dueUs }));
    return { leavesAtUs, flippedBit, lostTo: leavesAtUs.length === 0 ? "queue" : undefined, draws };
  }

  /** False when there is no room for it. */
  #add(item: UnderWay): boolean {
    if (this.#underWay.length >= MOST_UNDER_WAY || this.#underWayBytes + item.data.length > MOST_UNDER_WAY_BYTES) {
      this.#log.counts.add("queue");
      return false;
    }
    // Behind all that are due with it: only what was held back is overtaken.
    let at = this.#underWay.length;
    while (at > 0 && (this.#underWay[at - 1] as UnderWay).dueUs > item.dueUs) at -= 1;
    this.#underWay.splice(at, 0, item);
    this.#underWayBytes += item.data.length;
    return true;
  }

  #look(): Promise<unknown> {
    this.#timer?.cancel();
    const nowUs = this.#nowUs;
    const after = this.#underWay.findIndex(({ dueUs }) => dueUs > nowUs);
    const due = this.#underWay.splice(0, after === -1 ? this.#underWay.length : after);
    for (const { data } of due) this.#underWayBytes -= data.length;
    const [next] = this.#underWay;
    if (next !== undefined) {
      this.#timer = this.#log.clock.setTimer(() => void this.#look(), (next.dueUs - nowUs) / MICROSECONDS);
    }
    return due.length === 0 ? NOTHING_DUE : this.#send(due);
  }

  /** Without a frame of its own for each call: many clients send one datagram each. */
  #send(datagrams: readonly { readonly data: Buffer }[]): Promise<unknown> {
    for (const { data } of datagrams) this.passedBytes += data.length;
    const to = this.#to;
    return this.#socket.sendMany(to === undefined ? datagrams : datagrams.map(({ data }) => ({ data, to })));
  }
}
