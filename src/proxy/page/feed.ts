/** What goes to those who look at the page: nothing is gathered while nobody does. */

import type { EventStream } from "../../http/answer.ts";
import type { Clock, Timer } from "../../io/network/network.ts";
import type { FaultProxies } from "../public.ts";
import type { ProxyEvent } from "../watch.ts";
import { ConnectionBook } from "./connection-book.ts";
import { FlowLog } from "./flow-log.ts";
import type { Rows } from "./rows.ts";
import type { FlowRow, PageMessage, StateMessage } from "./wire.ts";

/** Pages that may look at the same time. */
const MOST_READERS = 16;
/** Between two messages about the selected connection: a page draws no more often. */
const FLOW_MS = 50;
/** One of so many of them tells the rest too: a throughput of four values a second is smooth enough. */
const PULSE_EVERY = 5;
/** Rows of one message; more are counted: those of a second of 2,000 chunks, when this program does not come to tell them. */
const MOST_ROWS = 2000;

/** A page that has read nothing for so many pulses in a row, half a minute, has lost its place to those that do; a browser comes again. */
const MOST_UNREAD = 120;

/** A page that looks. */
interface Reader {
  readonly stream: EventStream;
  /** The connection whose bytes it shows. */
  readonly selected: string | undefined;
  rows: FlowRow[];
  missed: number;
  /** Pulses in a row that it had no room for. */
  unread: number;
  /** The last state that it was sent. */
  state: StateMessage | undefined;
}

/** Sends messages to all readers. */
export class Feed {
  readonly #running: FaultProxies;
  readonly #rows: Rows;
  readonly #clock: Clock;
  readonly #readers = new Set<Reader>();
  readonly #log = new FlowLog();
  readonly #book: ConnectionBook;
  #timer: Timer | undefined;
  #unwatch: () => void = () => undefined;
  #turn = 0;

  constructor(running: FaultProxies, rows: Rows, clock: Clock) {
    this.#running = running;
    this.#rows = rows;
    this.#clock = clock;
    this.#book = new ConnectionBook(running);
  }

  get isFull(): boolean {
    return this.#readers.size >= MOST_READERS;
  }

  /**
   * Adds a reader, and answers how to remove it.
   *
   * @param selected - The connection whose bytes it shows, of those that `keyOf` names.
   */
  add(stream: EventStream, selected: string | undefined): () => void {
    if (this.#readers.size === 0) this.#begin();
    const reader: Reader = { stream, selected, rows: [], missed: 0, unread: 0, state: undefined };
    this.#readers.add(reader);
    if (selected !== undefined) {
      const rows = this.#log.of(selected).slice(-MOST_ROWS);
      stream.send({ type: "flow", rows, missed: 0, sinceMs: this.#log.sinceMs } satisfies PageMessage);
    }
    this.#pulse([reader]);
    if (this.#timer === undefined) this.#next();
    return () => this.#remove(reader);
  }

  /** Tells all readers at once: something has changed by the page itself. */
  changed(): void {
    this.#pulse(this.#readers);
  }

  /** What happened while nobody looked is not known. */
  #begin(): void {
    this.#rows.faultsChanged();
    this.#log.clear(this.#clock.now());
    this.#unwatch = this.#running.watch((event) => this.#told(event));
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#unwatch();
    this.#log.clear(this.#clock.now());
    this.#book.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #told(event: ProxyEvent): void {
    this.#book.add(event);
    if (event.type === "fault") return this.#rows.faultsChanged(event.proxy);
    const { key, row } = this.#log.add(event);
    for (const reader of this.#readers) {
      if (reader.selected !== key) continue;
      if (reader.rows.length < MOST_ROWS) reader.rows.push(row);
      else reader.missed += 1;
    }
  }

  #next(): void {
    const look = (): void => {
      this.#turn += 1;
      if (this.#turn % PULSE_EVERY === 0) this.#pulse(this.#readers);
      for (const reader of this.#readers) this.#flow(reader);
      this.#next();
    };
    this.#timer = this.#clock.setTimer(look, FLOW_MS, true);
  }

  /** A reader that does not read gets the next one. What has changed until then, that tells too. */
  #pulse(readers: Iterable<Reader>): void {
    const reading = Array.from(readers).filter(hasRead);
    if (reading.length === 0) return;
    const state = this.#rows.state();
    const pulse: PageMessage = { ...this.#rows.pulse(this.#clock.now()), ...this.#book.rows() };
    for (const reader of reading) {
      // The time first: it says when the page has heard of what has changed.
      reader.stream.send(pulse);
      if (reader.state !== state) reader.stream.send(state);
      reader.state = state;
    }
  }

  #flow(reader: Reader): void {
    const { rows, missed, stream } = reader;
    if ((rows.length === 0 && missed === 0) || stream.isFull) return;
    reader.rows = [];
    reader.missed = 0;
    stream.send({ type: "flow", rows, missed } satisfies PageMessage);
  }
}

/** Whether a reader has room. Cuts off one that has had none for long. */
function hasRead(reader: Reader): boolean {
  reader.unread = reader.stream.isFull ? reader.unread + 1 : 0;
  if (reader.unread > MOST_UNREAD) reader.stream.end();
  return reader.unread === 0;
}
