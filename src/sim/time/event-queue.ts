/** What will happen, in the order of virtual time. */

/** Decides about an event when its moment has come. */
export interface EventOwner {
  /** With false it does not happen now; the owner has added another one if it happens later. */
  isDue(): boolean;
}

/** Something that happens at one moment. */
export interface SimEvent {
  /** The moment, in microseconds since the world began. */
  readonly atUs: number;
  /** Decides among events of one moment; equal for events of one flow, which keep their order. */
  readonly order: number;
  /** Decides among those with the same `order`: first come, first served. */
  readonly sequence: number;
  /** What happens. */
  action: () => void;
  /** It has neither happened nor been cancelled. */
  waits: boolean;
  readonly owner: EventOwner | undefined;
}

const nothing = (): void => undefined;

/** A binary heap of events. */
export class EventQueue {
  readonly #heap: SimEvent[] = [];
  #sequence = 0;
  #cancelled = 0;

  /** Events that will happen. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Adds an event. */
  push(atUs: number, order: number, action: () => void, owner?: EventOwner): SimEvent {
    this.#sequence += 1;
    const event: SimEvent = { atUs, order, sequence: this.#sequence, action, waits: true, owner };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
    return event;
  }

  /** Cancels an event; harmless when it has happened. */
  cancel(event: SimEvent): void {
    if (!event.waits) return;
    event.waits = false;
    event.action = nothing;
    this.#cancelled += 1;
    // A program that sets and cancels timers for ever must not fill the memory.
    if (this.#cancelled > 1024 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
  }

  /** Takes the next event; undefined when there is none. */
  pop(): SimEvent | undefined {
    for (let event = this.#take(); event !== undefined; event = this.#take()) {
      if (event.waits) {
        event.waits = false;
        if (event.owner === undefined || event.owner.isDue()) return event;
      } else this.#cancelled -= 1;
    }
    return undefined;
  }

  #take(): SimEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #sweep(): void {
    const live = this.#heap.filter((event) => event.waits);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const event of live) {
      this.#heap.push(event);
      this.#rise(this.#heap.length - 1);
    }
  }

  #rise(index: number): void {
    const heap = this.#heap;
    const event = heap[index] as SimEvent;
    let at = index;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as SimEvent;
      if (!before(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #sink(index: number): void {
    const heap = this.#heap;
    const event = heap[index] as SimEvent;
    let at = index;
    for (;;) {
      let child = at * 2 + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let next = left;
      if (right !== undefined && before(right, left)) {
        child += 1;
        next = right;
      }
      if (!before(next, event)) break;
      heap[at] = next;
      at = child;
    }
    heap[at] = event;
  }
}

function before(a: SimEvent, b: SimEvent): boolean {
  if (a.atUs !== b.atUs) return a.atUs < b.atUs;
  return a.order === b.order ? a.sequence < b.sequence : a.order < b.order;
}

/** Where a timer puts its events. */
export interface TimerQueue {
  at(atUs: number, flow: number, action: () => void, owner: EventOwner): SimEvent;
  cancel(event: SimEvent): void;
}

/**
 * Its event stays where it is in the queue while the timer moves to later or is switched off, and is put back when its
 * place comes: one event for all segments of a round trip.
 */
export class MovingTimer implements EventOwner {
  #dueUs = Number.POSITIVE_INFINITY;
  #event: SimEvent | undefined;
  readonly #queue: TimerQueue;
  readonly #flow: number;
  readonly #action: () => void;

  constructor(queue: TimerQueue, flow: number, action: () => void) {
    this.#queue = queue;
    this.#flow = flow;
    this.#action = action;
  }

  /** When it is due; `Infinity` for never. */
  set(atUs: number): void {
    this.#dueUs = atUs;
    if (this.#event !== undefined && this.#event.atUs > atUs) {
      this.#queue.cancel(this.#event);
      this.#event = undefined;
    }
    if (this.#event === undefined && atUs !== Number.POSITIVE_INFINITY) this.#put();
  }

  /** It will not be set again. */
  cancel(): void {
    this.#dueUs = Number.POSITIVE_INFINITY;
    if (this.#event !== undefined) this.#queue.cancel(this.#event);
    this.#event = undefined;
  }

  isDue(): boolean {
    const atUs = this.#event?.atUs ?? 0;
    this.#event = undefined;
    if (this.#dueUs <= atUs) {
      this.#dueUs = Number.POSITIVE_INFINITY;
      return true;
    }
    if (this.#dueUs !== Number.POSITIVE_INFINITY) this.#put();
    return false;
  }

  #put(): void {
    this.#event = this.#queue.at(this.#dueUs, this.#flow, this.#action, this);
  }
}
