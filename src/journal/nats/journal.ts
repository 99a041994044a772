/** A journal in NATS. */

import { unavailable } from "../../io/journal/failure.ts";
import type {
  Following,
  JournalNeeds,
  JournalRecord,
  LogFollower,
  NewEntry,
  SessionJournal,
} from "../../io/journal/journal.ts";
import { PublishQueue } from "../../io/journal/publish-queue.ts";
import { StoreCalls } from "../../io/journal/store-calls.ts";
import type { Clock } from "../../io/network/network.ts";
import { type ConnectedNats, connectNats, refusal } from "./connect.ts";
import { LogWatch } from "./log-watch.ts";
import type { NatsJournalSettings } from "./options.ts";

/** Records and the log in streams of JetStream. */
export class NatsJournal implements SessionJournal {
  readonly name: string;
  readonly #clock: Clock;
  readonly #calls: StoreCalls<ConnectedNats>;
  readonly #followers = new Set<LogWatch>();
  readonly #published: PublishQueue;
  #isAway = false;
  /** Each rejects a call that waits for its answer, when the connection is lost. */
  readonly #waiting = new Set<(error: Error) => void>();
  #turn: Promise<void> | undefined;

  constructor(settings: NatsJournalSettings, clock: Clock) {
    this.name = settings.name;
    this.#clock = clock;
    this.#calls = new StoreCalls<ConnectedNats>(clock, {
      connect: (needs) => this.#connect(settings, needs),
      keep: async (connected, { keptMs }) => await connected.keep(keptMs).catch(refuse),
      leave: () => {
        for (const follower of this.#followers) follower.stop();
      },
      disconnect: ({ connection }) => connection.close(),
      wroteNothing: isRefusal,
    });
    this.#published = new PublishQueue((batch) =>
      this.#calls.write("publish", ({ store }) => this.#unlessLost("publish", () => store.publish(batch))),
    );
  }

  open(needs: JournalNeeds): Promise<void> {
    return this.#calls.open(needs);
  }

  read(id: string): Promise<JournalRecord | undefined> {
    return this.#calls.read("read", ({ store }) => this.#unlessLost("read", () => store.read(id)));
  }

  commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
    return this.#calls.write("commit", ({ store }) =>
      this.#unlessLost("commit", () => store.commit(id, version, bytes)),
    );
  }

  remove(id: string, version: number): Promise<void> {
    return this.#calls.write("remove", ({ store }) => this.#unlessLost("remove", () => store.remove(id, version)));
  }

  append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
    return this.#calls.write("append", ({ store }) => this.#unlessLost("append", () => store.append(topic, entries)));
  }

  follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
    return this.#calls.read("follow", (connected) =>
      this.#unlessLost("follow", async () => {
        const place = behind ?? (await connected.store.logEnds()).lastPlace;
        const watch = new LogWatch(connected, this.#clock, place, follower);
        await watch.subscribe();
        this.#followers.add(watch);
        void watch.run().then(() => this.#followers.delete(watch));
        return watch;
      }),
    );
  }

  publish(topic: string, body: Uint8Array): void {
    this.#published.push(topic, body);
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  async #connect(settings: NatsJournalSettings, { keptMs }: JournalNeeds): Promise<ConnectedNats> {
    const connected = await connectNats(settings, this.#clock);
    try {
      await connected.keep(keptMs);
    } catch (error) {
      await connected.connection.close();
      throw refusal(error);
    }
    this.#isAway = false;
    void this.#watch(connected);
    return connected;
  }

  /** Learns of losses of the connection, until it is closed. */
  async #watch({ connection, requests, store }: ConnectedNats): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === "disconnect") {
        this.#isAway = true;
        store.isSteady = false;
        const error = new Error("the connection to NATS is lost");
        for (const reject of this.#waiting) reject(error);
        requests.fail(error);
      } else if (type === "reconnect") {
        this.#isAway = false;
        for (const follower of this.#followers) follower.restart();
      }
    }
  }

  /** Comes at the end of this turn of the event loop: what is asked for in it leaves in one system call. */
  #endOfTurn(): Promise<void> {
    this.#turn ??= new Promise((resolve) => {
      this.#clock.defer(() => {
        this.#turn = undefined;
        resolve();
      });
    });
    return this.#turn;
  }

  /** Refuses while the connection is lost: the client would keep what is given to it, and write it when nobody expects that any more. */
  async #unlessLost<T>(op: string, call: () => Promise<T>): Promise<T> {
    await this.#endOfTurn();
    if (this.#isAway) throw unavailable(op, "the connection to NATS is lost; it is being made again");
    // No race with a promise that lives as long as the connection: that would keep what each call has left there.
    return await new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      void call()
        .then(resolve, reject)
        .finally(() => this.#waiting.delete(reject));
    });
  }
}

function refuse(error: unknown): never {
  throw refusal(error);
}

/** Nobody listens where the message was sent to, or the client does not send it: it is too long. */
function isRefusal(error: unknown): boolean {
  const { name, isNoResponders } = (error ?? {}) as {
    readonly name?: unknown;
    readonly isNoResponders?: () => boolean;
  };
  return name === "NoRespondersError" || name === "InvalidArgumentError" || isNoResponders?.call(error) === true;
}
