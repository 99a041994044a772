/** What goes to those who look at the page: nothing is gathered while nobody does. */

import type { EventStream } from "../../http/answer.ts";
import type { Clock, Timer } from "../../io/network/network.ts";
import type { Rows } from "./rows.ts";
import type { PageMessage } from "./wire.ts";

/** Pages that may look at the same time. */
const MOST_READERS = 16;
/** Between two pulses: a throughput of four values a second is smooth enough. */
const PULSE_MS = 250;

interface Reader {
  readonly stream: EventStream;
  /** The last state that it was sent, as JSON. */
  state: string;
}

/** Sends messages to all readers. */
export class Feed {
  readonly #rows: Rows;
  readonly #clock: Clock;
  readonly #readers = new Set<Reader>();
  #timer: Timer | undefined;

  constructor(rows: Rows, clock: Clock) {
    this.#rows = rows;
    this.#clock = clock;
  }

  get isFull(): boolean {
    return this.#readers.size >= MOST_READERS;
  }

  /** Adds a reader, and answers how to remove it. */
  add(stream: EventStream): () => void {
    const reader: Reader = { stream, state: "" };
    this.#readers.add(reader);
    this.#tell([reader]);
    if (this.#timer === undefined) this.#next();
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  /** Tells all readers at once: something has changed by the page itself. */
  changed(): void {
    this.#tell(this.#readers);
  }

  #next(): void {
    this.#timer = this.#clock.setTimer(
      () => {
        this.#tell(this.#readers);
        this.#next();
      },
      PULSE_MS,
      true,
    );
  }

  #tell(readers: Iterable<Reader>): void {
    const state = this.#rows.state();
    const json = JSON.stringify(state);
    const pulse = this.#rows.pulse(this.#clock.now());
    for (const reader of readers) {
      // Who does not read gets the next one; what was between is not missed.
      if (reader.stream.isFull) continue;
      const messages: PageMessage[] = reader.state === json ? [pulse] : [state, pulse];
      reader.state = json;
      for (const message of messages) reader.stream.send(message);
    }
  }
}
