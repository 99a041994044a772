import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type Network, serve, type ZocaloError } from "../../src/index.ts";
import { call, contract, event, connectSession, serveSessions } from "../../src/protocol.ts";
import { check, type Host, type HostMain, type World } from "../../src/sim.ts";
import { gate } from "../fixtures/gate.ts";
import { codeOf } from "./scene.ts";

/* Whoever waits for somebody waits as long as was said: the last attempt is made when the time is up. */

const work = contract("work", "1.0.0", { server: { job: call<void, number>() } });
const SERVER = "tcp://server:7000";
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

async function serveWork(network: Network): Promise<void> {
  await serveSessions(work, "tcp://0.0.0.0:7000", { network, handlers: { job: () => 7 } });
}

/** A world with two hosts. */
interface Scene {
  readonly world: World;
  readonly server: Host;
  /** Of the client. */
  readonly network: Network;
}

/** What `program` gives in such a world, for some seeds; each world runs twice. `main` is what runs on the server's host. */
async function inWorlds<T>(program: (scene: Scene) => Promise<T>, main?: HostMain): Promise<T[]> {
  const values: T[] = [];
  for (const seed of SEEDS) {
    const { value } = await check({ seed }, async (world) => {
      const server = world.host("server", main);
      return await program({ world, server, network: world.host("client").network });
    });
    values.push(value);
  }
  return values;
}

/** How a call fails, and after how many milliseconds. */
async function failure({ clock }: Network, waiting: () => Promise<unknown>): Promise<readonly [string, number]> {
  const startedAt = clock.now();
  const code = await codeOf(waiting());
  return [code, Math.round(clock.now() - startedAt)];
}

/** The last attempt begins when the time is up, and takes a round trip. */
function assertLastAttempt(afterMs: unknown, timeMs: number): void {
  assert.ok((afterMs as number) >= timeMs && (afterMs as number) < timeMs + 100, `${String(afterMs)} of ${timeMs}`);
}

test("connect gives up when its time is up, and not before", async () => {
  const failures = await inWorlds(({ network }) =>
    failure(network, () => connect(SERVER, { network, retry: { timeoutMs: 1500 } })),
  );
  for (const [code, afterMs] of failures) {
    assert.equal(code, "CONNECTION_REFUSED");
    assertLastAttempt(afterMs, 1500);
  }
});

test("a server that comes up in the last moment is found: by connect, and by connectSession", async () => {
  const found = await inWorlds(async ({ world, server, network }) => {
    const retry = { timeoutMs: 3000 };
    const waiting = Promise.all([
      connect(SERVER, { network, retry }).then((socket) => socket.close()),
      connectSession(work, SERVER, { network, retry }).then(async (session) => {
        const answer = await session.remote.job();
        await session.close({ timeoutMs: 0 });
        return answer;
      }),
    ]);
    await world.sleep(2990);
    await serveWork(server.network);
    return (await waiting)[1];
  });
  assert.deepEqual(
    found,
    SEEDS.map(() => 7),
  );
});

test("connectSession waits behind a proxy that ends connections, within its time and that of the whole call", async () => {
  const proxy = async (network: Network): Promise<void> => {
    await serve("tcp://0.0.0.0:7000", (peer) => peer.end(), { network });
  };
  const failures = await inWorlds(async ({ network }) => {
    const failing = (options: object): Promise<readonly [string, number]> =>
      failure(network, () => connectSession(work, SERVER, { network, ...options }));
    return [
      await failing({}),
      await failing({ retry: { timeoutMs: 1500 } }),
      await failing({ retry: { timeoutMs: 1500 }, timeoutMs: 700 }),
    ];
  }, proxy);
  for (const [once, waited, limited] of failures) {
    assert.deepEqual([once?.[0], waited?.[0], limited], ["END_OF_STREAM", "END_OF_STREAM", ["TIMEOUT", 700]]);
    assert.ok((once?.[1] as number) < 100);
    assertLastAttempt(waited?.[1], 1500);
  }
});

test("retry comes back to a server that is busy, after the time for which it has asked", async () => {
  const opened = await inWorlds(async ({ world, server, network }) => {
    const handlers = { job: () => 7 };
    const listener = await serveSessions(work, "tcp://0.0.0.0:7000", {
      network: server.network,
      handlers,
      limits: { maxSessionsPerAddress: 1 },
    });
    const first = await connectSession(work, SERVER, { network });
    const startedAt = network.clock.now();
    const waiting = connectSession(work, SERVER, { network, retry: { timeoutMs: 10_000 } });
    await world.sleep(100);
    await first.close({ timeoutMs: 0 });
    const second = await waiting;
    const afterMs = network.clock.now() - startedAt;
    await second.close({ timeoutMs: 0 });
    return [afterMs, listener.stats.declined];
  });
  for (const [afterMs, declined] of opened) {
    assert.ok((afterMs as number) >= 1000 && (afterMs as number) < 1300, String(afterMs));
    assert.equal(declined, 1);
  }
});

test("a session gives up when timeoutMs is over, and not before; a server that is back in the last moment is found", async () => {
  const ends = await inWorlds(async ({ world, network }) => {
    let up = true;
    const { clock } = network;
    const listener = world.host("listener", async (listenerNetwork) => {
      if (up) await serveWork(listenerNetwork);
    });
    const restart = (isUp: boolean): void => {
      up = isUp;
      listener.crash();
      listener.restart();
    };
    const lostSession = async () => {
      const lost = gate<number>();
      const fresh = gate();
      const options = { network, timeouts: { heartbeatMs: 1000 }, reconnect: { timeoutMs: 30_000 } };
      const session = await connectSession(work, "tcp://listener:7000", {
        ...options,
        onDetach: () => lost.open(clock.now()),
        onReady: (_session, { reason }) => void (reason === "first" || fresh.open()),
      });
      restart(false);
      return { session, lostAt: await lost.opened, fresh: fresh.opened };
    };
    const { session, lostAt } = await lostSession();
    const { error } = await session.closed;
    const afterMs = clock.now() - lostAt;

    restart(true);
    const { session: another, fresh } = await lostSession();
    await world.sleep(29_990);
    restart(true);
    await fresh;
    const answer = await another.remote.job(undefined, { timeoutMs: 5000 });
    await another.close({ timeoutMs: 0 });
    return { code: error?.code, cause: (error?.cause as ZocaloError | undefined)?.code, afterMs, answer };
  });
  for (const { code, cause, afterMs, answer } of ends) {
    assert.deepEqual([code, cause, answer], ["SESSION_LOST", "CONNECTION_REFUSED", 7]);
    assertLastAttempt(afterMs, 30_000);
  }
});

test("a connection that meets itself is refused in a world as by the kernel, and tried again until its time is up", async () => {
  const failures = await inWorlds(async ({ network }) => {
    const own = { network, localAddress: "127.0.0.1:7000" };
    const once = await failure(network, () => connect("tcp://127.0.0.1:7000", own));
    const retry = { timeoutMs: 1500 };
    const often = await failure(network, () => connect("tcp://127.0.0.1:7000", { ...own, retry }));
    // The port is left to the server that comes up.
    const server = await serve("tcp://127.0.0.1:7000", () => undefined, { network });
    await server.close({ timeoutMs: 0 });
    return [once[0], ...often] as const;
  });
  for (const [once, often, afterMs] of failures) {
    assert.deepEqual([once, often], ["CONNECTION_REFUSED", "CONNECTION_REFUSED"]);
    assertLastAttempt(afterMs, 1500);
  }
});

const feed = contract("feed", "1.0.0", { server: { job: call<void, void>() }, client: { news: event<string>() } });

test("a server of sessions closes within its time, although its clients do not answer, and do not read", async () => {
  const times = await inWorlds(async ({ world, server, network }) => {
    const taken: number[] = [];
    for (const [what, timeoutMs] of [
      ["nothing", 1000],
      ["a call", 1000],
      ["events", 1000],
      ["events", 0],
      ["nothing", undefined],
    ] as const) {
      const started = gate();
      const listener = await serveSessions(feed, "tcp://0.0.0.0:7000", {
        network: server.network,
        handlers: {
          job: () => {
            started.open();
            return new Promise<void>(() => undefined);
          },
        },
      });
      const handlers = { news: () => new Promise<void>(() => undefined) };
      const session = await connectSession(feed, SERVER, { network, handlers, reconnect: false });
      if (what === "a call") {
        void session.remote.job();
        await started.opened;
      }
      const cut = world.partition("client", "server");
      if (what === "events") {
        // More than the windows and the buffers hold.
        for (let count = 0; count < 30; count += 1) listener.remote.news("x".repeat(100_000));
      }
      const { clock } = server.network;
      const startedAt = clock.now();
      if (timeoutMs === undefined) await listener.close({ timeoutMs: 0 });
      else await listener.close({ timeoutMs });
      taken.push(clock.now() - startedAt);
      session.abort();
      cut.heal();
    }
    return taken;
  });
  for (const taken of times) {
    assert.deepEqual(
      taken.map((ms) => Math.round(ms)),
      [1000, 1000, 1000, 0, 0],
    );
  }
});
