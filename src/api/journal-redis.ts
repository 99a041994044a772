/** The journal in Redis, with the clock of the system. */

import { checkOptions } from "../core/options/check-options.ts";
import type { SessionJournal } from "../io/journal/journal.ts";
import {
  REDIS_JOURNAL_RULES,
  RedisJournal,
  type RedisJournalOptions,
  type RedisJournalSettings,
} from "../journal/redis/journal.ts";
import { nodeNetwork } from "../node/network.ts";

/**
 * A journal in Redis or Valkey, for servers on many machines. Needs `redis-server` 5 or newer and the package `redis` (`npm install redis`).
 *
 * What a call has answered as written is as safe as the server makes it: with `appendonly yes` and `appendfsync always` it is on the disk,
 * otherwise a server that dies may have lost it. Replicas are told later: a failover may lose what was answered. Set `maxmemory-policy noeviction`,
 * which is the default, and `maxmemory`: other policies throw records of living sessions away.
 *
 * Throws `OPTION_INVALID` for a wrong option. `open` rejects with `UNSUPPORTED` without the package, and with `JOURNAL_UNAVAILABLE` if the server does
 * not answer. When the connection is lost, calls under way reject with `JOURNAL_UNKNOWN`, others with `JOURNAL_UNAVAILABLE` until it is back;
 * followers, which have two connections each, go on then. A call without an answer for five seconds rejects too. `close` waits for the calls under way.
 *
 * @example
 * ```ts
 * import { redisJournal } from "zocalo/journal-redis";
 * const journal = redisJournal({ url: "redis://127.0.0.1:6379", name: "chat" });
 * await journal.open({ keptMs: 60_000 });
 * const version = await journal.commit("ana", 0, Buffer.from("one"));
 * console.log(version > 0); // true
 * await journal.close();
 * ```
 */
export function redisJournal(options: RedisJournalOptions): SessionJournal {
  const given = checkOptions<object>({ op: "redisJournal" }, options ?? {}, REDIS_JOURNAL_RULES);
  return new RedisJournal(given as RedisJournalSettings, nodeNetwork.clock);
}
