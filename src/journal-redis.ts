/**
 * A journal of sessions in Redis, on the package `redis`.
 *
 * @packageDocumentation
 */

export type { RedisJournalOptions } from "./journal/redis/journal.ts";
export { redisJournal } from "./api/journal-redis.ts";
