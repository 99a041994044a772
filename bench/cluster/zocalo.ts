/** Zócalo's sessions as a {@link ClusterPeer}. */

import { fileJournal } from "../../src/journal-file.ts";
import { natsJournal } from "../../src/journal-nats.ts";
import { redisJournal } from "../../src/journal-redis.ts";
import { call, connectSession, contract, event, serveSessions, type SessionJournal } from "../../src/protocol.ts";
import type { Figures, Role } from "../harness/processes.ts";
import type { Member, MemberOwner, MemberPlace, NodePlace, Said } from "./peer.ts";

const plaza = contract("plaza", "1.0.0", {
  server: { join: call<string, void>(), say: event<Said>(), count: call<Said, number>(), settle: call<void, void>() },
  client: { said: event<Said>() },
});

/** All members come from one address. */
const LIMITS = { maxSessionsPerAddress: 20_000, maxSessions: 20_000 };
/** A member asks again and again, as its program does when it must know. */
const CALL_MS = 120_000;

const journals: Readonly<Record<string, (place: string) => SessionJournal>> = {
  file: (path) => fileJournal({ path }),
  nats: (server) => natsJournal({ servers: [server], name: "plaza" }),
  redis: (url) => redisJournal({ url, name: "plaza" }),
};

export async function serve({ port, store, place }: NodePlace): Promise<Role> {
  const figures = { moved: 0, resumed: 0 } satisfies Figures;
  const journal = journals[store]?.(place);
  if (journal === undefined) throw new Error(`there is no journal ${store}`);
  const server = await serveSessions(plaza, `tcp://127.0.0.1:${port}`, {
    journal,
    limits: LIMITS,
    data: () => ({ group: "", counted: 0 }),
    handlers: {
      join(group, { session, server: all }) {
        session.data.group = group;
        all.group(group).join(session);
      },
      say: (said, { session, server: all }) => void all.group(session.data.group).remote.said(said),
      count(said, { session, server: all }) {
        session.data.counted += 1;
        all.group(session.data.group).remote.said(said);
        return session.data.counted;
      },
      settle: () => undefined,
    },
    onResume: () => void (figures.resumed += 1),
    onClose: (_session, { error }) => void (figures.moved += error?.code === "SESSION_MOVED" ? 1 : 0),
    onError(error) {
      // What peers do wrong is what is tried here, and a session that another node has is no failure.
      const { code, side } = error as { code?: string; side?: string };
      if (side !== "remote" && code !== "SESSION_MOVED") console.error(String(error));
    },
  });
  server.closed.then(() => process.exit(0), console.error);
  process.on("SIGTERM", () => void server.close());
  return { figures: () => ({ ...figures, sessions: server.sessions.size, detached: server.stats.detached }) };
}

export async function open(place: MemberPlace, owner: MemberOwner): Promise<Member> {
  const servers = place.ports.map((port) => `tcp://127.0.0.1:${port}`);
  const { heartbeatMs, group } = place;
  const session = await connectSession(plaza, servers, {
    retry: {},
    timeouts: { callMs: CALL_MS, ...(heartbeatMs === undefined ? {} : { heartbeatMs, handshakeMs: 2 * heartbeatMs }) },
    handlers: { said: (said) => owner.heard(said) },
    onDetach: () => owner.away(),
    onResume: () => owner.back(false),
    onFresh: () => owner.back(true),
  });
  const { remote } = session;
  await remote.join(group);
  return {
    say: (said) => remote.say(said),
    count: (said) => remote.count(said),
    settle: () => remote.settle(),
    close: () => session.close(),
  };
}
