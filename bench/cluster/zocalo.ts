/** Zócalo's sessions as a {@link ClusterPeer}. */

import { type Member, type MemberOwner, openPlaza, servePlaza } from "../../src/cli/demo/plaza.ts";
import { fileJournal } from "../../src/journal-file.ts";
import { natsJournal } from "../../src/journal-nats.ts";
import { redisJournal } from "../../src/journal-redis.ts";
import type { SessionJournal } from "../../src/protocol.ts";
import type { Role } from "../harness/processes.ts";
import type { MemberPlace, NodePlace } from "./peer.ts";

const journals: Readonly<Record<string, (place: string) => SessionJournal>> = {
  file: (path) => fileJournal({ path }),
  nats: (server) => natsJournal({ servers: [server], name: "plaza" }),
  redis: (url) => redisJournal({ url, name: "plaza" }),
};

export async function serve({ port, store, place }: NodePlace): Promise<Role> {
  const journal = journals[store]?.(place);
  if (journal === undefined) throw new Error(`there is no journal ${store}`);
  const counts = { moved: 0, resumed: 0 };
  const server = await servePlaza(`tcp://127.0.0.1:${port}`, journal, {
    resumed: () => (counts.resumed += 1),
    moved: () => (counts.moved += 1),
    failed: (error) => console.error(String(error)),
  });
  process.on("SIGTERM", () => void server.close().then(() => process.exit(0)));
  return { figures: () => ({ ...counts, sessions: server.stats.sessions }) };
}

export function open({ ports, group, heartbeatMs }: MemberPlace, owner: MemberOwner): Promise<Member> {
  const servers = ports.map((port) => `tcp://127.0.0.1:${port}`);
  return openPlaza(servers, group, owner, heartbeatMs);
}
