/** A journal in Redis. */

import { OBJECT, type RulesOf, TEXT } from "../../core/options/check-options.ts";
import { notOpen } from "../../io/journal/failure.ts";
import type {
  Following,
  JournalNeeds,
  JournalRecord,
  LogFollower,
  NewEntry,
  SessionJournal,
} from "../../io/journal/journal.ts";
import { LogTail } from "../../io/journal/log-tail.ts";
import { bounds, type Checked } from "../../io/journal/options.ts";
import { PublishQueue } from "../../io/journal/publish-queue.ts";
import { StoreCalls } from "../../io/journal/store-calls.ts";
import type { Clock } from "../../io/network/network.ts";
import { connectRedis } from "./connect.ts";
import { RedisStore } from "./store.ts";

/** Where and how {@link "../../api/journal-redis.ts" | redisJournal} keeps. Records are bounded by `maxmemory` of the server. */
export interface RedisJournalOptions {
  /** The server, as `redis://127.0.0.1:6379` or `rediss://user:password@host:port`. */
  readonly url: string;
  /** What {@link SessionJournal.name} answers. Journals of one name on the same server have everything in common. */
  readonly name: string;
  /** Entries of the log; an older one leaves for a new one. Default: 1,000,000: 100 seconds at 10,000 a second. */
  readonly maxEntries?: number | undefined;
  /** Bytes of the entries of the log together. Default: 268,435,456 (256 MiB), since they are in memory there. */
  readonly maxLogBytes?: number | undefined;
  /** More for `createClient` of `redis`: `username`, `password`, `database`, `socket`. Default: nothing. */
  readonly connection?: Readonly<Record<string, unknown>> | undefined;
}

/** The rules of {@link RedisJournalOptions}. */
export const REDIS_JOURNAL_RULES: RulesOf<RedisJournalOptions> = {
  url: {
    wanted: "a URL such as redis://127.0.0.1:6379",
    holds: (value) => typeof value === "string" && /^rediss?:\/\/./.test(value),
    required: true,
    secret: true,
  },
  name: { ...TEXT, required: true },
  ...bounds({ maxEntries: 1_000_000, maxLogBytes: 268_435_456 }),
  connection: { ...OBJECT, secret: true, fallback: () => ({}) },
};

/** Options that were checked. */
export type RedisJournalSettings = Checked<RedisJournalOptions>;

type Client = Awaited<ReturnType<typeof connectRedis>>;

interface Connected {
  readonly client: Client;
  readonly store: RedisStore;
}

/** Records and the log in one server. */
export class RedisJournal implements SessionJournal {
  readonly name: string;
  readonly #settings: RedisJournalSettings;
  readonly #clock: Clock;
  readonly #calls: StoreCalls<Connected>;
  /** Each has two connections of its own: it waits on one, and has subscribed on the other. */
  readonly #followers = new Map<LogTail, Client[]>();
  readonly #published: PublishQueue;

  constructor(settings: RedisJournalSettings, clock: Clock) {
    this.name = settings.name;
    this.#settings = settings;
    this.#clock = clock;
    this.#calls = new StoreCalls<Connected>(clock, {
      connect: async ({ keptMs }) => {
        const client = await this.#client();
        return { client, store: new RedisStore(client, settings.name, settings, keptMs) };
      },
      keep: async ({ store }, { keptMs }) => void (store.keptMs = Math.max(store.keptMs, keptMs)),
      leave: () => {
        for (const follower of this.#followers.keys()) this.#end(follower);
      },
      disconnect: async ({ client }) => client.destroy(),
      wroteNothing: isRefusal,
    });
    this.#published = new PublishQueue((batch) => this.#calls.write("publish", ({ store }) => store.publish(batch)));
  }

  open(needs: JournalNeeds): Promise<void> {
    return this.#calls.open(needs);
  }

  read(id: string): Promise<JournalRecord | undefined> {
    return this.#calls.read("read", ({ store }) => store.read(id));
  }

  commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
    return this.#calls.write("commit", ({ store }) => store.commit(id, version, bytes));
  }

  remove(id: string, version: number): Promise<void> {
    return this.#calls.write("remove", ({ store }) => store.remove(id, version));
  }

  append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
    return this.#calls.write("append", ({ store }) => store.append(topic, entries));
  }

  follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
    return this.#calls.read("follow", async ({ store }) => {
      const tail = new LogTail(this.#clock, behind ?? (await store.lastPlace()), follower);
      this.#followers.set(tail, []);
      try {
        const channel = await this.#another(tail);
        await channel.subscribe(({ topic, body }) => tail.published(topic, body));
        const log = await this.#another(tail);
        void tail.run((place) => log.page(place), 0);
      } catch (error) {
        this.#end(tail);
        throw error;
      }
      return { behind: tail.behind, stop: () => this.#end(tail) };
    });
  }

  publish(topic: string, body: Uint8Array): void {
    this.#published.push(topic, body);
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  #client(): Promise<Client> {
    return connectRedis(this.#settings.url, this.#settings.connection);
  }

  /** A connection for a follower. */
  async #another(follower: LogTail): Promise<RedisStore> {
    const client = await this.#client();
    const clients = this.#followers.get(follower);
    if (clients === undefined) {
      client.destroy();
      throw notOpen("follow");
    }
    clients.push(client);
    return new RedisStore(client, this.name, this.#settings, 0);
  }

  #end(follower: LogTail): void {
    follower.stop();
    for (const client of this.#followers.get(follower) ?? []) client.destroy();
    this.#followers.delete(follower);
  }
}

/** The server has answered with an error, or was not asked. */
function isRefusal(error: unknown): boolean {
  const name = error instanceof Error ? error.constructor.name : "";
  return (
    name === "SimpleError" ||
    name === "BlobError" ||
    name === "ErrorReply" ||
    name === "ClientOfflineError" ||
    name === "ClientClosedError"
  );
}
