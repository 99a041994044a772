/** A server of sessions for hostile peers: with a clock that a test moves, and a count of what it told. */

import assert from "node:assert/strict";
import { afterEach } from "node:test";
import { nodeNetwork, ZocaloError } from "../../src/index.ts";
import { call, contract, event, connectSession, serveSessions, stream, typeOnly } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";

/** What the server offers; `news` is for slow readers. */
export const room = contract("room", "1.0.0", {
  server: {
    say: event<string>(),
    who: call<void, string>(),
    page: call<void, string>(),
    stuck: call<string, string>(),
    pages: stream({ sends: typeOnly<string>() }),
    deaf: stream({ receives: typeOnly<string>() }),
  },
  client: { news: event<string>() },
});

/** Bytes of an answer of `page`, and of an item of `pages`. */
export const PAGE_BYTES = 100_000;
const page = "x".repeat(PAGE_BYTES);

const never = (): Promise<never> => new Promise<never>(() => undefined);

const open = new Set<AsyncDisposable & { close(options: object): Promise<unknown> }>();

// What a failed test has left open.
afterEach(async () => {
  await Promise.all([...open].map((server) => server.close({ timeoutMs: 0 })));
  open.clear();
});

/** Serves; `more` are options, the handlers among them. */
export async function serveTarget({
  limits,
  ...more
}: {
  readonly limits?: object;
  readonly [name: string]: unknown;
} = {}) {
  const clock = new ManualClock(nodeNetwork.clock);
  const errors: unknown[] = [];
  /** Handlers that were started and do not end by themselves. */
  const started = { say: 0, stuck: 0, pages: 0, deaf: 0, pagesLeft: 0 };
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    network: { ...nodeNetwork, clock },
    handlers: {
      say: () => {
        started.say += 1;
        return never();
      },
      who: () => "you",
      page: () => page,
      stuck: () => {
        started.stuck += 1;
        return never();
      },
      async *pages() {
        started.pages += 1;
        try {
          for (;;) yield page;
        } finally {
          started.pagesLeft += 1;
        }
      },
      deaf: () => {
        started.deaf += 1;
        return never();
      },
    },
    onError: (error) => errors.push(error),
    ...more,
    limits: { maxConnections: Infinity, maxConnectionsPerAddress: Infinity, ...limits },
  });
  open.add(server);
  /** A client that keeps the rules is served. */
  const serves = async (): Promise<void> => {
    const session = await connectSession(room, server.localAddress, { handlers: { news: () => undefined } });
    assert.equal(await session.remote.who(), "you");
    await session.close({ timeoutMs: 0 });
  };
  /** How often each code was told; nothing but typed errors may be. */
  const told = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const error of errors) {
      assert.ok(error instanceof ZocaloError, String(error));
      counts[error.code] = (counts[error.code] ?? 0) + 1;
    }
    return counts;
  };
  /** The server ends, and nothing is left of anybody. */
  const closes = async (): Promise<void> => {
    await server.close({ timeoutMs: 0 });
    const { sessions, detached, unauthenticated, heldBytes, listener } = server.stats;
    assert.deepEqual([sessions, detached, unauthenticated, heldBytes, listener.open], [0, 0, 0, 0, 0]);
    assert.equal(clock.pending, 0, "a timer was left");
  };
  return { server, clock, started, serves, told, closes, port: server.localAddress.port };
}
