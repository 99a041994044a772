import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import { call, contract, connectSession, type SessionServer, serveSessions } from "../../src/protocol.ts";
import { check, type World } from "../../src/sim.ts";

/* A server that goes and another one that comes at its address: 100 sessions must not come back all at once. */

const SESSIONS = 100;
const SPREAD_MS = 5000;
/** The first pause of a client: what it adds to the time that it was told. */
const FIRST_DELAY_MS = 100;

const warnings: string[] = [];
process.on("warning", (warning) => warnings.push(String(warning)));

const room = contract("room", "1.0.0", { server: { who: call<void, string>(), slow: call<void, string>() } });

/** What a client did. */
interface Told {
  /** When it had a session again, after the GOAWAY. */
  backAt: number;
  reason: string;
  attempts: number;
  resumes: number;
}

async function serveRoom(network: Network, name: string): Promise<SessionServer<typeof room.client>> {
  const slow = (): Promise<string> =>
    new Promise((resolve) => {
      network.clock.setTimer(() => resolve(name), 300);
    });
  return await serveSessions(room, "tcp://0.0.0.0:7000", { network, handlers: { who: () => name, slow } });
}

/** 100 sessions on ten hosts; the server closes, and the next one serves after `pauseMs`. */
async function rollingRestart(world: World, pauseMs: number) {
  const { network } = world.host("server");
  const first = await serveRoom(network, "first");
  const networks = Array.from({ length: 10 }, (_, index) => world.host(`client${index}`).network);
  let leftAt = 0;
  const told: Told[] = [];
  const sessions = await Promise.all(
    Array.from({ length: SESSIONS }, async (_, index) => {
      const own = networks[index % networks.length] as Network;
      const mine: Told = { backAt: 0, reason: "", attempts: 1, resumes: 0 };
      told.push(mine);
      return await connectSession(room, "tcp://server:7000", {
        network: own,
        reconnect: { initialDelayMs: FIRST_DELAY_MS },
        onError: () => (mine.attempts += 1),
        onResume: () => (mine.resumes += 1),
        onReady: (_session, { reason }) => {
          if (reason === "first") return;
          mine.backAt = own.clock.now() - leftAt;
          mine.reason = reason;
        },
      });
    }),
  );
  // One of them has a call under way: the server finishes it before it goes.
  const answer = sessions[0]?.remote.slow();
  await sessions[0]?.remote.who();
  leftAt = network.clock.now();
  const report = await first.close({ reconnectSpreadMs: SPREAD_MS });
  assert.deepEqual([report.finished, report.cut, await answer], [SESSIONS, 0, "first"]);
  await world.sleep(pauseMs);
  const second = await serveRoom(network, "second");
  while (told.some(({ backAt }) => backAt === 0)) await world.sleep(100);
  const names = new Set(await Promise.all(sessions.map((session) => session.remote.who())));
  const { accepted } = second.stats.listener;
  await Promise.all(sessions.map((session) => session.close({ timeoutMs: 0 })));
  await second.close({ timeoutMs: 0 });
  return { told, accepted, names: [...names] };
}

/** Most of the times that lie within one piece of `windowMs`. */
function mostWithin(times: readonly number[], windowMs: number): number {
  const counts = times.map((from) => times.filter((time) => time >= from && time < from + windowMs).length);
  return Math.max(...counts);
}

// The rules are those of docs/semantics.md.
test("rule D8: GOAWAY in a rolling restart: 100 clients begin anew with the next server, spread over the announced time", async () => {
  const { value } = await check({ seed: 11, link: { latency: 5 } }, (world) => rollingRestart(world, 0));
  const { told, accepted, names } = value;
  assert.deepEqual(names, ["second"]);
  assert.deepEqual(warnings, []);
  assert.ok(told.every(({ reason, resumes }) => reason === "server-left" && resumes === 0));
  const times = told.map(({ backAt }) => backAt);
  // Who was told to come at once has perhaps asked in vain: the server was still finishing a call.
  assert.equal(accepted, SESSIONS);
  assert.ok(told.reduce((sum, { attempts }) => sum + attempts, 0) <= SESSIONS * 1.2, "attempts in vain");
  assert.ok(Math.max(...times) <= SPREAD_MS + 2 * FIRST_DELAY_MS + 100, String(Math.max(...times)));
  assert.ok(Math.max(...times) >= SPREAD_MS / 2, "they are spread over the whole time");
  // Ten in 500 ms would be even.
  assert.ok(mostWithin(times, 500) <= 25, `${mostWithin(times, 500)} came within 500 ms`);
});

test("rule D8: GOAWAY in a rolling restart: no storm when the next server is late", async () => {
  const { value } = await check({ seed: 12, link: { latency: 5 } }, (world) => rollingRestart(world, 4000));
  const { told, accepted, names } = value;
  assert.deepEqual(names, ["second"]);
  const times = told.map(({ backAt }) => backAt);
  assert.equal(accepted, SESSIONS);
  // Pauses double: in four seconds a client asks a few times, not forty.
  assert.ok(Math.max(...told.map(({ attempts }) => attempts)) <= 15);
  assert.ok(mostWithin(times, 100) <= 25, `${mostWithin(times, 100)} came within 100 ms`);
  assert.ok(Math.max(...times) <= 2 * SPREAD_MS + 4000, String(Math.max(...times)));
});
