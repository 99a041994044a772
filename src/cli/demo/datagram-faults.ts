/** What the relay of the demo does to datagrams. Decided by a seed and by the order of arrival, never by time. */

import { linkTable } from "../../core/faults/conditions.ts";
import { Link } from "../../core/faults/link.ts";
import { RandomStream } from "../../core/faults/random-stream.ts";

/** The clock of the link counts datagrams: each is a millisecond behind the one before, so some are overtaken by two. */
const GAP_US = 1000;
const CONDITIONS = linkTable({
  latency: 0,
  loss: 0.05,
  duplication: 0.01,
  reordering: { chance: 0.02, delayMs: 3 },
});

/** What was done so far. */
export interface DatagramFaultReport {
  readonly taken: number;
  readonly forwarded: number;
  readonly dropped: number;
  readonly doubled: number;
  readonly reordered: number;
}

interface UnderWay {
  readonly data: Buffer;
  /** Counted from 1 in the order of sending. */
  readonly number: number;
  readonly arrivesAtUs: number;
  readonly again: boolean;
}

/** Decides for datagram after datagram what is sent on. */
export class DatagramFaults {
  readonly #link: Link;
  readonly #done = { taken: 0, forwarded: 0, dropped: 0, doubled: 0, reordered: 0 };
  #underWay: UnderWay[] = [];
  #newest = 0;

  /** `seed`: any whole number. */
  constructor(seed: number) {
    this.#link = new Link((kind) => new RandomStream(seed, kind), CONDITIONS);
  }

  /** One datagram arrived: what is to be sent on now, in this order. */
  take(data: Buffer): readonly Buffer[] {
    const number = (this.#done.taken += 1);
    const nowUs = number * GAP_US;
    const packet = { payloadBytes: data.length, headerBytes: 0, checked: false };
    const { lost, arrivesAtUs, againAtUs } = this.#link.send(packet, nowUs);
    if (lost !== undefined) this.#done.dropped += 1;
    else this.#underWay.push({ data, number, arrivesAtUs, again: false });
    if (againAtUs !== undefined) {
      this.#done.doubled += 1;
      this.#underWay.push({ data, number, arrivesAtUs: againAtUs, again: true });
    }
    return this.#arrivals(nowUs);
  }

  /** No more datagrams will come: those that are still under way. */
  flush(): readonly Buffer[] {
    return this.#arrivals(Number.POSITIVE_INFINITY);
  }

  /** The sums up to now. */
  report(): DatagramFaultReport {
    return { ...this.#done };
  }

  #arrivals(untilUs: number): readonly Buffer[] {
    const arrived = this.#underWay.filter(({ arrivesAtUs }) => arrivesAtUs <= untilUs);
    this.#underWay = this.#underWay.filter(({ arrivesAtUs }) => arrivesAtUs > untilUs);
    this.#done.forwarded += arrived.length;
    arrived.sort((a, b) => a.arrivesAtUs - b.arrivesAtUs);
    return arrived.map(({ data, number, again }) => {
      if (number < this.#newest && !again) this.#done.reordered += 1;
      this.#newest = Math.max(this.#newest, number);
      return data;
    });
  }
}
