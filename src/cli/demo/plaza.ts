/** The program of the clusters: clients in groups hear what their members say, and their sessions count. */

import {
  call,
  connectSession,
  contract,
  event,
  serveSessions,
  type SessionJournal,
  type SessionServer,
} from "../../protocol.ts";

/** What a member says to its group. */
export interface Said {
  /** Which member. */
  readonly from: number;
  /** Its messages are numbered from 1 on. */
  readonly number: number;
  /** When, on the clock of the process that has all members. */
  readonly atMs: number;
}

/** How a member is told. */
export interface MemberOwner {
  heard(said: Said): void;
  /** The connection is lost. */
  away(): void;
  /** It goes on. `fresh`: with a new session, which knows nothing of the one before. */
  back(fresh: boolean): void;
}

/** One client. */
export interface Member {
  /** Says something to the group, and waits for no answer. */
  say(said: Said): Promise<unknown> | void;
  /** Says it, and answers how often this member has asked so. */
  count(said: Said): Promise<number>;
  /** Comes back when all that was said before has been heard. */
  settle(): Promise<unknown>;
  close(): Promise<unknown>;
}

const plaza = contract("plaza", "1.0.0", {
  server: { join: call<string, void>(), say: event<Said>(), count: call<Said, number>(), settle: call<void, void>() },
  client: { said: event<Said>() },
});

/** All members come from one address. None waits with a call while its events go on: their order is looked at. */
const LIMITS = { maxSessionsPerAddress: 20_000, maxSessions: 20_000, maxCalls: 65_536 };
/** Longer than anything that is done to the servers. */
const CALL_MS = 120_000;

/** What a server tells about itself. */
interface PlazaOwner {
  resumed(): void;
  /** Another server has a session that this one had. */
  moved(): void;
  /** Something failed that is no doing of a client. */
  failed(error: unknown): void;
}

/** What is asked of a server. */
type PlazaServer = Pick<SessionServer<Record<string, never>>, "localAddress" | "stats" | "close">;

/** What a session keeps. */
interface PlazaData {
  group: string;
  counted: number;
}

/** Serves it. */
export function servePlaza(address: string, journal: SessionJournal, owner: PlazaOwner): Promise<PlazaServer> {
  return serveSessions(plaza, address, {
    journal,
    limits: LIMITS,
    data: (): PlazaData => ({ group: "", counted: 0 }),
    handlers: {
      join(group, { session, server }) {
        session.data.group = group;
        server.group(group).join(session);
      },
      say: (said, { session, server }) => void server.group(session.data.group).remote.said(said),
      count(said, { session, server }) {
        session.data.counted += 1;
        server.group(session.data.group).remote.said(said);
        return session.data.counted;
      },
      settle: () => undefined,
    },
    onResume: () => owner.resumed(),
    onClose: (_session, { error }) => error?.code === "SESSION_MOVED" && owner.moved(),
    onError(error) {
      const { code, side } = error as { readonly code?: string; readonly side?: string };
      if (side !== "remote" && code !== "SESSION_MOVED") owner.failed(error);
    },
  });
}

/** Opens a client that joins a group. `heartbeatMs`: a silent server is given up after twice as long; default: 15,000. */
export async function openPlaza(
  servers: readonly string[],
  group: string,
  owner: MemberOwner,
  heartbeatMs?: number,
): Promise<Member> {
  const session = await connectSession(plaza, servers, {
    retry: {},
    timeouts: { callMs: CALL_MS, ...(heartbeatMs === undefined ? {} : { heartbeatMs, handshakeMs: 2 * heartbeatMs }) },
    handlers: { said: (said) => owner.heard(said) },
    onDetach: () => owner.away(),
    onResume: () => owner.back(false),
    onReady: (_session, { reason }) => void (reason === "first" || owner.back(true)),
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
