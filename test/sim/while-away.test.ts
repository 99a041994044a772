import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network, ZocaloError } from "../../src/index.ts";
import { call, contract, connectSession, event, type SessionServer, serveSessions } from "../../src/protocol.ts";
import { check, type World } from "../../src/sim.ts";

/* Calls and events while the server is away, however the client lost it. */

const desk = contract("desk", "1.0.0", {
  server: { who: call<number, string>(), note: event<number>(), slow: call<number, string>() },
});
type Desk = SessionServer<typeof desk.client>;

/** What one server was told, in order. */
async function serveDesk(network: Network, name: string, log: string[] = []): Promise<Desk> {
  const slow = (number: number): Promise<string> =>
    new Promise((resolve) => {
      log.push(`${name} slow ${number}`);
      network.clock.setTimer(() => resolve(name), 200);
    });
  const who = (number: number): string => {
    log.push(`${name} who ${number}`);
    return name;
  };
  const note = (number: number): void => void log.push(`${name} note ${number}`);
  return await serveSessions(desk, "tcp://0.0.0.0:7000", { network, handlers: { who, note, slow } });
}

const SERVERS = ["tcp://first:7000", "tcp://second:7000"];
const CLIENTS = 500;

/** 500 clients that call all the time; the first server closes while the second one is there. */
async function leaving(world: World) {
  const [one, two] = [world.host("first").network, world.host("second").network];
  const first = await serveDesk(one, "first");
  const networks = Array.from({ length: 10 }, (_, index) => world.host(`client${index}`).network);
  const aways: number[] = [];
  const failed: string[] = [];
  let [asked, answered] = [0, 0];
  const calls = { goOn: true };
  const sessions = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const network = networks[index % networks.length] as Network;
      let lostAt = 0;
      return await connectSession(desk, SERVERS, {
        network,
        onDetach: () => (lostAt = network.clock.now()),
        onReady: (_session, { reason }) => void (reason === "first" || aways.push(network.clock.now() - lostAt)),
      });
    }),
  );
  const second = await serveDesk(two, "second");
  const calling = sessions.map(async (session, index) => {
    for (let number = 0; calls.goOn; number += 1) {
      asked += 1;
      // Not awaited: calls are made while others are under way, and while there is no session.
      const answer = index % 10 === 0 ? session.remote.slow(number) : session.remote.who(number);
      void answer.then(
        () => (answered += 1),
        (error: ZocaloError) => failed.push(error.message),
      );
      await world.sleep(50 + (index % 7));
    }
  });
  await world.sleep(300);
  const report = await first.close();
  await world.sleep(1500);
  calls.goOn = false;
  await Promise.all(calling);
  await world.sleep(500);
  await Promise.all(sessions.map((session) => session.close({ timeoutMs: 0 })));
  await second.close({ timeoutMs: 0 });
  return { aways: aways.sort((a, b) => a - b), failed, asked, answered, report };
}

// The rules are those of docs/semantics.md.
test("rule D8: a server with 500 clients closes and a second one is up: no call fails, and the clients are away for less than a second", async () => {
  const { value } = await check({ seed: 16, link: { latency: 2 } }, leaving);
  const { aways, failed, asked, answered, report } = value;
  assert.deepEqual(failed, []);
  assert.equal(answered, asked);
  assert.deepEqual([aways.length, report.cut], [CLIENTS, 0]);
  const [median, longest] = [aways[CLIENTS / 2] as number, aways.at(-1) as number];
  assert.ok(median <= 300, `half of them were away for ${median} ms`);
  assert.ok(longest <= 1000, `one was away for ${longest} ms`);
});

/** How a client loses its server. */
const ways = ["the server leaves", "the server dies", "the line is cut and the session expires"] as const;

for (const way of ways) {
  test(`rule D14: ${way}: calls and events that were not sent wait for the next session, in their order`, async () => {
    const { value } = await check({ seed: 21, link: { latency: 2 } }, async (world) => {
      const log: string[] = [];
      const host = world.host("first");
      const first = await serveDesk(host.network, "first");
      const { network } = world.host("client");
      const lost: unknown[] = [];
      const session = await connectSession(desk, SERVERS, {
        network,
        timeouts: { heartbeatMs: 300 },
        onReady: (_session, report) => lost.push(...report.lost),
      });
      await session.remote.who(0);
      if (way === "the server leaves") void first.close();
      else world.partition("client", "first");
      while (session.state === "open") await world.sleep(1);
      const asked: Promise<unknown>[] = [];
      for (let number = 1; number <= 3; number += 1) {
        asked.push(session.remote.note(number), session.remote.who(number, { timeoutMs: 120_000 }));
      }
      const refused = await session.remote.who(9, { whileAway: "reject" }).catch((error: unknown) => error);
      if (way === "the server dies") host.crash();
      if (way === "the line is cut and the session expires") await world.sleep(61_000);
      const second = await serveDesk(world.host("second").network, "second", log);
      const answers = await Promise.race([
        Promise.all(asked).then((all) => all.filter((one) => one !== undefined)),
        // An attempt at the one that does not answer takes 30 seconds by now, and the pause behind it up to 10.
        world.sleep(45_000).then(() => "nothing"),
      ]);
      await session.close({ timeoutMs: 0 });
      await second.close({ timeoutMs: 0 });
      const { code, outcome } = refused as ZocaloError;
      return { answers, log, lost, refused: [code, outcome] };
    });
    assert.deepEqual(value, {
      answers: ["second", "second", "second"],
      log: [1, 2, 3].flatMap((number) => [`second note ${number}`, `second who ${number}`]),
      lost: [],
      refused: ["SESSION_AWAY", "none"],
    });
  });
}

test("rule D14: a call that times out without a connection was not sent, and never is; one that was sent may have been", async () => {
  const { value } = await check({ seed: 5, link: { latency: 2 } }, async (world) => {
    const log: string[] = [];
    const server = await serveDesk(world.host("first").network, "first", log);
    const { network } = world.host("client");
    const session = await connectSession(desk, "tcp://first:7000", { network, timeouts: { heartbeatMs: 300 } });
    const failure = async (number: number, method: "who" | "slow"): Promise<unknown> =>
      await session.remote[method](number, { timeoutMs: 100 }).catch(({ code, outcome }: ZocaloError) => [
        code,
        outcome,
      ]);
    const failures = [await failure(1, "slow")];
    const cut = world.partition("client", "first");
    // Into the line, which does not answer.
    failures.push(await failure(2, "who"));
    while (session.state === "open") await world.sleep(1);
    failures.push(await failure(3, "who"));
    cut.heal();
    failures.push(await session.remote.who(4));
    await session.close({ timeoutMs: 0 });
    await server.close({ timeoutMs: 0 });
    return { failures, log };
  });
  const { failures, log } = value;
  assert.deepEqual(failures, [["TIMEOUT", "unknown"], ["TIMEOUT", "unknown"], ["TIMEOUT", "none"], "first"]);
  assert.deepEqual(log, ["first slow 1", "first who 4"]);
});
