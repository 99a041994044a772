/** Follows the log in NATS, over losses of the connection. */

import type { ConsumerMessages } from "@nats-io/jetstream";
import type { Following, LogFollower } from "../../io/journal/journal.ts";
import type { Clock } from "../../io/network/network.ts";
import type { ConnectedNats } from "./connect.ts";

/** Messages that the server sends before it is asked for more. */
const AHEAD = 500;
/** The server says that it is there at least as often. The client takes twice the time without a word for a loss. */
const HEARTBEAT_MS = 1_000;
const EXPIRES_MS = 10_000;
const RETRY_MS = 100;

/** A follower, until it is stopped. The places are the sequences of the stream. */
export class LogWatch implements Following {
  readonly behind: number;
  readonly #nats: ConnectedNats;
  readonly #clock: Clock;
  readonly #follower: LogFollower;
  #place: number;
  #stopped = false;
  #messages: ConsumerMessages | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(nats: ConnectedNats, clock: Clock, behind: number, follower: LogFollower) {
    this.#nats = nats;
    this.#clock = clock;
    this.behind = behind;
    this.#place = behind;
    this.#follower = follower;
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe?.();
    this.restart();
  }

  /** Reads anew, behind what was told: the server may have forgotten who follows. */
  restart(): void {
    void this.#messages?.close().catch(() => undefined);
    this.#messages = undefined;
  }

  /** Hears what is published from now on. */
  async subscribe(): Promise<void> {
    this.#unsubscribe = await this.#nats.store.subscribe(({ topic, body }) => {
      if (!this.#stopped) this.#follower.published?.(topic, body);
    });
  }

  /** Follows until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#readOn();
      } catch {
        // The store is away: it is asked again, for as long as anybody follows.
      }
      if (!this.#stopped) await new Promise<void>((resolve) => void this.#clock.setTimer(resolve, RETRY_MS, true));
    }
  }

  async #readOn(): Promise<void> {
    const { store, client } = this.#nats;
    // A server that has lost its data has no stream.
    await this.#nats.keep();
    const { lostPlace, lastPlace } = await store.logEnds();
    if (lostPlace > this.#place) this.#gap(lostPlace);
    else if (lastPlace < this.#place) this.#gap(lastPlace);
    // The values of DeliverPolicy and ReplayPolicy are these texts.
    const consumer = await client.consumers.get(store.names.log, {
      deliver_policy: "by_start_sequence",
      opt_start_seq: this.#place + 1,
    });
    if (this.#stopped) return;
    const messages = await consumer.consume({
      max_messages: AHEAD,
      expires: EXPIRES_MS,
      idle_heartbeat: HEARTBEAT_MS,
      abort_on_missing_resource: true,
      callback: ({ seq, data }) => this.#heard(messages, seq, data),
    });
    if (this.#stopped) return void messages.close();
    this.#messages = messages;
    await messages.closed();
  }

  #heard(messages: ConsumerMessages, place: number, message: Uint8Array): void {
    if (this.#stopped || place <= this.#place) return;
    if (this.#messages !== undefined && this.#messages !== messages) return;
    if (place > this.#place + 1) this.#gap(place - 1);
    if (this.#stopped) return;
    this.#place = place;
    this.#follower.entries([this.#nats.store.entryOf(place, message)]);
  }

  #gap(place: number): void {
    if (this.#stopped) return;
    this.#place = place;
    this.#follower.gap(place);
  }
}
