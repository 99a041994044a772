import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloseReport, Network } from "../../src/index.ts";
import { turnsMsOf } from "../../src/io/session/server/leave-sessions.ts";
import {
  call,
  type CloseSessionsOptions,
  connectSession,
  contract,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import { check, type World } from "../../src/sim.ts";

/* A server with a journal is closed, and another one goes on with its sessions (docs/semantics.md, rule D8). */

const SESSIONS = 40;
const CLIENT_HOSTS = 4;
const LATENCY_MS = 5;
/** GOAWAY, a connection, hello and welcome, and the time of the event loops between. */
const HAND_OVER_MS = 10 * LATENCY_MS;
const ASKED_EACH_MS = 20;
const office = contract("office", "1.0.0", { server: { who: call<void, string>() }, client: {} });

const serveOffice = async (network: Network, journal: SessionJournal, name: string) =>
  await serveSessions(office, "tcp://0.0.0.0:7000", { network, journal, handlers: { who: () => name } });

/** What one client has seen. */
interface Seen {
  leftAt: number;
  backAt: number;
  /** Who has answered each of its calls. */
  readonly answers: string[];
}

interface Left {
  readonly seen: readonly Seen[];
  readonly report: CloseReport;
  /** From the beginning of `close`. */
  readonly leftMs: readonly number[];
  readonly awayMs: readonly number[];
}

/** All clients ask again and again; meanwhile the server of all of them is closed. */
async function leave(world: World, options: CloseSessionsOptions): Promise<Left> {
  const { clock } = world;
  const journal = memoryJournal({ clock });
  const first = await serveOffice(world.host("first").network, journal, "first");
  const networks = Array.from({ length: CLIENT_HOSTS }, (_, index) => world.host(`client${index}`).network);
  const seen = Array.from({ length: SESSIONS }, (): Seen => ({ leftAt: 0, backAt: 0, answers: [] }));
  const sessions = await Promise.all(
    seen.map((mine, index) =>
      connectSession(office, ["tcp://first:7000", "tcp://second:7000"], {
        network: networks[index % CLIENT_HOSTS],
        onDetach: () => (mine.leftAt = clock.now()),
        onResume: () => (mine.backAt = clock.now()),
        onReady: (_session, { reason }) => assert.equal(reason, "first"),
      }),
    ),
  );
  const second = await serveOffice(world.host("second").network, journal, "second");
  const asking = sessions.map(async ({ remote }, index) => {
    const mine = seen[index] as Seen;
    while (mine.backAt === 0) {
      mine.answers.push(await remote.who());
      await world.sleep(ASKED_EACH_MS);
    }
  });
  const closedAt = clock.now();
  const report = await first.close(options);
  await Promise.all(asking);
  await Promise.all(sessions.map((session) => session.close({ timeoutMs: 0 })));
  await second.close({ timeoutMs: 0 });
  const leftMs = seen.map(({ leftAt }) => leftAt - closedAt).sort((a, b) => a - b);
  return { seen, report, leftMs, awayMs: seen.map(({ leftAt, backAt }) => backAt - leftAt).sort((a, b) => a - b) };
}

test("rule D8: sessions leave one after the other; until its turn each is served, and then it is away for the hand-over only", async () => {
  const options = { reconnectSpreadMs: 1000 };
  const { value } = await check({ seed: 21, link: { latency: LATENCY_MS } }, (world) => leave(world, options));
  const { seen, report, leftMs, awayMs } = value;
  assert.deepEqual([report.finished, report.cut], [SESSIONS, 0]);
  assert.ok((awayMs.at(-1) as number) <= HAND_OVER_MS, `away for ${awayMs.at(-1)} ms`);
  // One each 25 ms, as seen by the clients.
  const gaps = leftMs.slice(1).map((at, index) => at - (leftMs[index] as number));
  assert.ok(Math.max(...gaps) <= 35 && Math.min(...gaps) >= 15, gaps.join(" "));
  for (const { answers, leftAt } of seen) {
    assert.deepEqual([...answers].sort(), answers, "the second one answers behind the first one");
    assert.equal(answers.at(-1), "second");
    // A call takes a round trip.
    const served = answers.filter((name) => name === "first").length;
    const turns = (leftAt - Math.min(...seen.map((one) => one.leftAt))) / (ASKED_EACH_MS + 3 * LATENCY_MS);
    assert.ok(served >= Math.floor(turns), `${served} answers in ${turns} turns`);
  }
});

test("rule D8: when the time of close is over, the other sessions leave together, and come back spread", async () => {
  const options = { reconnectSpreadMs: 2000, timeoutMs: 300 };
  const { value } = await check({ seed: 22, link: { latency: LATENCY_MS } }, (world) => leave(world, options));
  const { report, leftMs, awayMs } = value;
  assert.deepEqual([report.finished, report.cut], [SESSIONS, 0]);
  assert.ok(report.durationMs < 400, `${report.durationMs} ms`);
  assert.equal(leftMs.filter((at) => at < 290).length, 6);
  assert.ok((leftMs.at(-1) as number) <= 300 + 2 * LATENCY_MS);
  assert.ok(awayMs.filter((ms) => ms > HAND_OVER_MS).length >= SESSIONS / 2);
  assert.ok((awayMs.at(-1) as number) <= 2000 + HAND_OVER_MS, `away for ${awayMs.at(-1)} ms`);
});

test("rule D8: a session has 5 ms for itself, all have half of the time of close, and none has less than half a millisecond", async () => {
  assert.deepEqual(
    [500, 2000, 10_000].map((sessions) => turnsMsOf(sessions, {})),
    [2500, 2500, 5000],
  );
  assert.deepEqual([turnsMsOf(500, { timeoutMs: 1000 }), turnsMsOf(500, { timeoutMs: 0 })], [500, 250]);
  const { value } = await check({ seed: 23, link: { latency: LATENCY_MS } }, (world) => leave(world, {}));
  const { leftMs } = value;
  const tookMs = (leftMs.at(-1) as number) - (leftMs[0] as number);
  assert.ok(tookMs >= 185 && tookMs <= 210, `${tookMs} ms`);
});
