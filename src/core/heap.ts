/** A binary heap whose members know their place, so that each can be moved or taken out in logarithmic time. */

/** A member of a {@link Heap}. */
export interface HeapMember {
  /** Its place; -1 when it has none. Only the heap changes it. */
  heapIndex: number;
}

/** Members in an order of which only the first is known at once. */
export class Heap<T extends HeapMember> {
  readonly #members: T[] = [];
  readonly #isBefore: (one: T, other: T) => boolean;

  /** @param isBefore - Whether `one` comes before `other`. */
  constructor(isBefore: (one: T, other: T) => boolean) {
    this.#isBefore = isBefore;
  }

  /** Members. */
  get size(): number {
    return this.#members.length;
  }

  /** The one that comes before all others; undefined when there is none. */
  get first(): T | undefined {
    return this.#members[0];
  }

  /** Takes a member in, or finds its new place after it has changed. */
  place(one: T): void {
    if (one.heapIndex === -1) one.heapIndex = this.#members.push(one) - 1;
    this.#up(one.heapIndex);
    this.#down(one.heapIndex);
  }

  /** Lets a member go. One that is not there is ignored. */
  remove(one: T): void {
    const index = one.heapIndex;
    if (index === -1) return;
    one.heapIndex = -1;
    const last = this.#members.pop() as T;
    if (last === one) return;
    this.#put(last, index);
    this.place(last);
  }

  #up(from: number): void {
    let index = from;
    const one = this.#members[index] as T;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#members[parent] as T;
      if (!this.#isBefore(one, above)) break;
      this.#put(above, index);
      index = parent;
    }
    this.#put(one, index);
  }

  #down(from: number): void {
    let index = from;
    const one = this.#members[index] as T;
    for (;;) {
      let at = index * 2 + 1;
      let next = this.#members[at];
      if (next === undefined) break;
      const right = this.#members[at + 1];
      if (right !== undefined && this.#isBefore(right, next)) {
        at += 1;
        next = right;
      }
      if (!this.#isBefore(next, one)) break;
      this.#put(next, index);
      index = at;
    }
    this.#put(one, index);
  }

  #put(one: T, index: number): void {
    this.#members[index] = one;
    one.heapIndex = index;
  }
}
