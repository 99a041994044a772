/** Connections to Redis. */

import type * as redisPackage from "redis";
import { unavailable } from "../../io/journal/failure.ts";
import { loadPackage } from "../../io/journal/load-package.ts";

const RECONNECT_MS = 100;
const CONNECT_MS = 4_000;

/** Connects; the connection is made again when it is lost, and meanwhile refuses what it is given. */
export async function connectRedis(
  url: string,
  options: Readonly<Record<string, unknown>>,
): Promise<redisPackage.RedisClientType> {
  const { createClient } = await loadPackage("redisJournal", ["redis"], () => import("redis"));
  let isOpen = false;
  const client: redisPackage.RedisClientType = createClient({
    ...options,
    url,
    disableOfflineQueue: true,
    socket: {
      ...(options["socket"] as object | undefined),
      connectTimeout: CONNECT_MS,
      reconnectStrategy: (_tries: number, cause: Error) => (isOpen ? RECONNECT_MS : cause),
    },
  });
  // Each call says what became of it.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    const why =
      error instanceof Error ? error.message || String((error as { readonly code?: unknown }).code) : String(error);
    throw unavailable("open", `Redis cannot be reached: ${why}; is redis-server running, and is the URL right?`, error);
  }
  isOpen = true;
  return client;
}
