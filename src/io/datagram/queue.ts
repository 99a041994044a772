/** A first-in first-out queue of datagrams that knows how many bytes it holds. */

import { HELD } from "../../core/held-bytes.ts";
import type { Datagram } from "../network/network.ts";

/** Taken places at the front are given back when there are this many and they are half of the array. */
const SPARE_PLACES = 64;

/** Datagrams that arrived and that nobody has taken. Every operation is constant in time, spread over its calls. */
export class DatagramQueue {
  #items: (Datagram | undefined)[] = [];
  #head = 0;
  /** Payload bytes in the queue. */
  bytes = 0;

  /** Datagrams in the queue. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Memory that they pin. */
  get heldBytes(): number {
    return this.bytes + this.length * HELD.datagram;
  }

  push(datagram: Datagram): void {
    this.#items.push(datagram);
    this.bytes += datagram.data.length;
  }

  /** Takes the oldest. The queue must not be empty. */
  shift(): Datagram {
    const datagram = this.#items[this.#head] as Datagram;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.bytes -= datagram.data.length;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= SPARE_PLACES && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return datagram;
  }

  /** Takes the newest. The queue must not be empty. */
  pop(): Datagram {
    const datagram = this.#items.pop() as Datagram;
    this.bytes -= datagram.data.length;
    if (this.#head === this.#items.length) this.clear();
    return datagram;
  }

  /** Takes the oldest ones, at most `max`. */
  take(max: number): Datagram[] {
    if (this.#head === 0 && this.#items.length <= max) {
      const all = this.#items as Datagram[];
      this.clear();
      return all;
    }
    const count = Math.min(max, this.length);
    const taken: Datagram[] = [];
    for (let index = 0; index < count; index += 1) taken.push(this.shift());
    return taken;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.bytes = 0;
  }
}
