/** Sessions between two processes over real TCP, through a relay that cuts them at seeded bytes. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { type ConnectionError, type Network, nodeNetwork } from "../../src/index.ts";
import { type ReadyReport, type ConnectSessionOptions } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { SeededRandom } from "../fixtures/seeded-random.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { counting } from "./counting-contract.ts";
import { Detour } from "./detour.ts";
import { gate } from "../fixtures/gate.ts";
import { connectSession } from "./opened.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const PROGRAM = join(repositoryRoot, "build/test/sessions/counting-server.js");
const NUMBERS = 2000;
const ROUNDS = 6;
/** A client waits at most so long before it connects again. */
const MAX_DELAY_MS = 5;

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  /** The numbers that it was told, whether it lives or not. */
  readonly told: () => number[];
}

let files = 0;

async function startServer(t: TestContext, folder: string): Promise<Server> {
  const file = join(folder, `numbers-${(files += 1)}`);
  writeFileSync(file, "");
  const child = spawn(process.execPath, [PROGRAM, file], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface(child.stdout as NodeJS.ReadableStream & NodeJS.ReadStream);
  const [port] = (await once(lines, "line")) as [string];
  const told = (): number[] => readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number);
  return { child, port: Number(port), told };
}

type Options = Partial<
  ConnectSessionOptions<typeof counting.server, typeof counting.client, Record<string, unknown>>
> & {
  readonly network?: Network;
};

function open(detour: Detour, heard: number[], more: Options = {}) {
  return connectSession(counting, detour.address, {
    handlers: { number: (number) => void heard.push(number) },
    reconnect: { initialDelayMs: 1, maxDelayMs: MAX_DELAY_MS },
    ...more,
  });
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

test("whatever bytes a reset or an end cuts, every message arrives once and in order", async (t) => {
  const folder = temporaryFolder(t);
  const server = await startServer(t, folder);
  for (let seed = 1; seed <= ROUNDS; seed += 1) {
    await t.test(`seed ${seed}`, async () => {
      const random = new SeededRandom(seed);
      const detour = await Detour.to(server.port);
      const before = server.told().length;
      const heard: number[] = [];
      let resumed = 0;
      const session = await open(detour, heard, {
        onResume: () => {
          resumed += 1;
          // Sometimes within the handshake of the next connection, most often behind it.
          if (resumed < 20) detour.cutBehind(random.below(2500), random.oneIn(2) ? "reset" : "fin");
        },
      });
      detour.cutBehind(random.below(2500), "reset");
      void session.remote.countTo(NUMBERS);
      for (const number of upTo(NUMBERS)) await session.remote.number(number);
      assert.equal(await session.remote.last(), NUMBERS);
      while (heard.length < NUMBERS) await session.remote.last();
      assert.deepEqual(server.told().slice(before), upTo(NUMBERS));
      assert.deepEqual(heard, upTo(NUMBERS));
      assert.ok(resumed >= 10, `${resumed} connections were cut`);
      await session.close({ timeoutMs: 0 });
      detour.close();
    });
  }
});

test("silence between two processes is noticed, and nothing is lost by it", async (t) => {
  const server = await startServer(t, temporaryFolder(t));
  const detour = await Detour.to(server.port);
  const clock = new ManualClock(nodeNetwork.clock);
  const resumed = gate();
  const heard: number[] = [];
  const session = await open(detour, heard, {
    network: { ...nodeNetwork, clock },
    onResume: () => resumed.open(),
  });
  await session.remote.last();
  detour.silence();
  for (const number of upTo(100)) await session.remote.number(number);
  while (session.state === "open") assert.ok(await clock.advanceToNext());
  await clock.advance(MAX_DELAY_MS);
  await resumed.opened;
  assert.equal(await session.remote.last(), 100);
  assert.deepEqual(server.told(), upTo(100));
  await session.close({ timeoutMs: 0 });
  detour.close();
});

test("a server that is killed: what it was told and what is reported as lost are all that was sent", async (t) => {
  const folder = temporaryFolder(t);
  const first = await startServer(t, folder);
  const detour = await Detour.to(first.port);
  const fresh = gate<ReadyReport>();
  const session = await open(detour, [], {
    onReady: (_session, report) => void (report.reason === "first" || fresh.open(report)),
  });
  let sent = 0;
  /** Those that waited for room, and were told at once that they are lost. */
  let refused = 0;
  const numbers = async (until: () => boolean): Promise<void> => {
    while (!until()) {
      try {
        await session.remote.number((sent += 1));
      } catch (error) {
        const { code, outcome } = error as ConnectionError;
        assert.deepEqual([code, outcome], ["SESSION_LOST", "none"]);
        refused += 1;
      }
    }
  };
  await numbers(() => sent === NUMBERS);
  await session.remote.last();
  const second = await startServer(t, folder);
  detour.leadTo(second.port);
  first.child.kill("SIGKILL");
  let lost: ReadyReport | undefined;
  void fresh.opened.then((report) => (lost = report));
  await numbers(() => lost !== undefined);
  await numbers(() => sent % 100 === 0);
  assert.equal(lost?.reason, "server-restarted");
  await session.remote.last();
  const [old, fromNowOn] = [first.told(), second.told()];
  // Without a gap in each life, and nothing twice.
  assert.deepEqual(old, upTo(old.length));
  const start = fromNowOn[0] ?? sent + 1;
  assert.deepEqual(fromNowOn, upTo(sent).slice(start - 1));
  assert.ok(start > old.length, "a number came twice");
  const missing = start - 1 - old.length;
  const events = lost?.lost.filter(({ kind, method }) => kind === "event" && method === "number") ?? [];
  assert.ok(events.length + refused >= missing, `${missing} never came, ${events.length} and ${refused} were reported`);
  await session.close({ timeoutMs: 0 });
  detour.close();
});
