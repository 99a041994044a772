import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import {
  call,
  contract,
  connectSession,
  event,
  type FreshReport,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import { check } from "../../src/sim.ts";

/* Servers that keep their sessions in a journal, in the simulated world: they crash, and the sessions go on. */

const work = contract("work", "1.0.0", {
  server: { add: event<number>(), next: call<string, string>() },
  client: { added: event<string>() },
});

interface Kept {
  sum: number;
  asked: number;
}

async function serveWork(network: Network, journal: SessionJournal): Promise<void> {
  await serveSessions(work, "tcp://0.0.0.0:7000", {
    network,
    journal,
    timeouts: { heartbeatMs: 1000 },
    data: (): Kept => ({ sum: 0, asked: 0 }),
    handlers: {
      add(number, { session }) {
        session.data.sum += number;
        void session.remote.added(`${number}: ${session.data.sum}`);
      },
      async next(text, { session }) {
        await new Promise<void>((resolve) => void network.clock.setTimer(resolve, text.length));
        session.data.asked += 1;
        return `${text}: ${session.data.asked}`;
      },
    },
  });
}

test("a server crashes again and again: the session goes on, each message counts once, each answer comes once", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    await check({ seed, link: { latency: 5 } }, async (world) => {
      const journal = memoryJournal({ clock: world.clock });
      const server = world.host("server", (network) => serveWork(network, journal));
      const { network } = world.host("client");
      const fresh: FreshReport[] = [];
      const heard: string[] = [];
      const session = await connectSession(work, "tcp://server:7000", {
        network,
        timeouts: { heartbeatMs: 1000 },
        reconnect: { initialDelayMs: 20, maxDelayMs: 200 },
        onFresh: (_session, report) => fresh.push(report),
        handlers: { added: (text) => void heard.push(text) },
      });
      const { id } = session;
      const answers: Promise<string>[] = [];
      for (let number = 1; number <= 60; number += 1) {
        await session.remote.add(number);
        answers.push(session.remote.next("x".repeat(number % 7), { timeoutMs: Infinity }));
        await world.sleep(number % 3);
        if (number % 10 !== 5) continue;
        server.crash();
        await world.sleep(10);
        server.restart();
      }
      const counts = (await Promise.all(answers)).map((answer) => Number(answer.split(": ")[1]));
      while (heard.length < 60) await world.sleep(10);
      assert.deepEqual(fresh, []);
      assert.equal(session.id, id);
      const sums = Array.from({ length: 60 }, (_, index) => `${index + 1}: ${((index + 1) * (index + 2)) / 2}`);
      assert.deepEqual(heard, sums);
      assert.deepEqual(
        [...counts].sort((a, b) => a - b),
        Array.from({ length: 60 }, (_, index) => index + 1),
      );
      await session.close({ timeoutMs: 0 });
    });
  }
});
