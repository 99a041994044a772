import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloseReport, Network } from "../../src/index.ts";
import {
  call,
  contract,
  connectSession,
  event,
  type ReadyReport,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import { decodeRecord, encodeRecord } from "../../src/core/journal/record.ts";
import { check } from "../../src/sim.ts";
import { crash, cutOff, drawsOf, unreliable } from "../fixtures/unreliable-cluster.ts";

/* Servers that keep their sessions in a journal, in the simulated world: they crash, and the sessions go on (docs/semantics.md, rule D15). */

const work = contract("work", "1.0.0", {
  server: { add: event<number>(), next: call<string, string>() },
  client: { added: event<string>() },
});

interface Kept {
  sum: number;
  asked: number;
}

async function serveWork(network: Network, journal: SessionJournal, told: unknown[] = []) {
  return await serveSessions(work, "tcp://0.0.0.0:7000", {
    network,
    journal,
    onError: (error) => told.push(error),
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

/** A client of the host `server`. */
async function join(network: Network) {
  const fresh: ReadyReport[] = [];
  const session = await connectSession(work, "tcp://server:7000", {
    network,
    timeouts: { heartbeatMs: 1000 },
    onReady: (_session, report) => void (report.reason === "first" || fresh.push(report)),
    handlers: { added: () => undefined },
  });
  return { session, fresh };
}

test("a server crashes again and again: the session goes on, each message counts once, each answer comes once", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    await check({ seed, link: { latency: 5 } }, async (world) => {
      const journal = memoryJournal({ clock: world.clock });
      const server = world.host("server", async (network) => void (await serveWork(network, journal)));
      const { network } = world.host("client");
      const fresh: ReadyReport[] = [];
      const heard: string[] = [];
      const session = await connectSession(work, "tcp://server:7000", {
        network,
        timeouts: { heartbeatMs: 1000 },
        reconnect: { initialDelayMs: 20, maxDelayMs: 200 },
        onReady: (_session, report) => void (report.reason === "first" || fresh.push(report)),
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

test("a server that is closed sends its sessions to the next one: no handler is cut, no answer is lost, nothing is rejected", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    await check({ seed, link: { latency: 5 } }, async (world) => {
      const journal = memoryJournal({ clock: world.clock });
      const reports: CloseReport[] = [];
      const servers = new Map<string, Awaited<ReturnType<typeof serveWork>>>();
      const hosts = ["a", "b"].map((name) =>
        world.host(name, async (network) => void servers.set(name, await serveWork(network, journal))),
      );
      const { network } = world.host("client");
      const fresh: ReadyReport[] = [];
      const heard: string[] = [];
      const session = await connectSession(work, ["tcp://a:7000", "tcp://b:7000"], {
        network,
        timeouts: { heartbeatMs: 1000 },
        onReady: (_session, report) => void (report.reason === "first" || fresh.push(report)),
        handlers: { added: (text) => void heard.push(text) },
      });
      const { id } = session;
      const answers: Promise<string>[] = [];
      for (let number = 1; number <= 40; number += 1) {
        await session.remote.add(number);
        answers.push(session.remote.next("x".repeat(number % 30), { timeoutMs: Infinity }));
        await world.sleep(number % 3);
        if (number !== 20) continue;
        const name =
          hosts.find(({ addresses }) => addresses.includes(session.remoteAddress?.host ?? ""))?.name ?? "none";
        void servers
          .get(name)
          ?.close({ reconnectSpreadMs: 50 })
          .then((report) => reports.push(report));
      }
      const counts = (await Promise.all(answers)).map((answer) => Number(answer.split(": ")[1]));
      while (heard.length < 40 || reports.length === 0) await world.sleep(10);
      assert.deepEqual([fresh, session.id], [[], id]);
      assert.deepEqual(
        reports.map(({ finished, cut }) => ({ finished, cut })),
        [{ finished: 1, cut: 0 }],
      );
      assert.deepEqual(
        heard,
        Array.from({ length: 40 }, (_, index) => `${index + 1}: ${((index + 1) * (index + 2)) / 2}`),
      );
      assert.deepEqual(
        [...counts].sort((a, b) => a - b),
        Array.from({ length: 40 }, (_, index) => index + 1),
      );
      await session.close({ timeoutMs: 0 });
    });
  }
});

test("servers die, are cut off and see their journal fail: whatever the seed, each message counts once", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    await check({ seed, link: { latency: 3 } }, async (world) => {
      const { below, oneIn } = drawsOf(world);
      const store = unreliable(world, memoryJournal({ clock: world.clock }), { delayMs: 4, failsOneIn: 8 });
      const hosts = ["a", "b"].map((name) =>
        world.host(name, async (network) => void (await serveWork(network, store.at(network)))),
      );
      const { network } = world.host("client");
      const fresh: ReadyReport[] = [];
      const heard: string[] = [];
      const session = await connectSession(work, ["tcp://a:7000", "tcp://b:7000"], {
        network,
        timeouts: { heartbeatMs: 200 },
        reconnect: { initialDelayMs: 20, maxDelayMs: 100 },
        retry: {},
        onReady: (_session, report) => void (report.reason === "first" || fresh.push(report)),
        handlers: { added: (text) => void heard.push(text) },
      });
      const { id } = session;
      const answers: Promise<string>[] = [];
      for (let number = 1; number <= 60; number += 1) {
        await session.remote.add(number);
        answers.push(session.remote.next("x".repeat(number % 9), { timeoutMs: Infinity }));
        await world.sleep(below(5));
        const host = hosts[below(2)];
        if (host === undefined || !oneIn(12)) continue;
        if (oneIn(2)) await crash(world, host, 40);
        // What it wants to write is refused once another has the session.
        else await cutOff(world, "client", host, 1500);
      }
      store.calm();
      const counts = (await Promise.all(answers)).map((answer) => Number(answer.split(": ")[1]));
      while (heard.length < 60) await world.sleep(10);
      await world.sleep(1000);
      assert.deepEqual([fresh, session.id], [[], id], `seed ${seed}`);
      const upTo = Array.from({ length: 60 }, (_, index) => index + 1);
      assert.deepEqual(
        heard,
        upTo.map((number) => `${number}: ${(number * (number + 1)) / 2}`),
        `seed ${seed}`,
      );
      assert.deepEqual(
        [...counts].sort((a, b) => a - b),
        upTo,
        `seed ${seed}`,
      );
      await session.close({ timeoutMs: 0 });
    });
  }
});

test("a session that says nothing for long is kept as long as it lives, and goes on", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const journal = memoryJournal({ clock: world.clock });
    const server = world.host("server", async (network) => void (await serveWork(network, journal)));
    const { network } = world.host("client");
    const { session, fresh } = await join(network);
    await session.remote.add(1);
    await world.sleep(600_000);
    assert.equal(await session.remote.next("x"), "x: 1");
    await world.sleep(600_000);
    server.crash();
    server.restart();
    assert.equal(await session.remote.next("x"), "x: 2");
    assert.deepEqual(fresh, []);
    await session.close({ timeoutMs: 0 });
  });
});

test("a record that is damaged: the client has a new session, and the server is told which it was", async () => {
  const damages: readonly ((id: string, bytes: Uint8Array) => Uint8Array)[] = [
    () => Buffer.from("garbage"),
    (_id, bytes) => bytes.subarray(0, bytes.length - 1),
    (id, bytes) => encodeRecord({ ...decodeRecord(id, bytes), data: Uint8Array.of(0xc1) }),
  ];
  for (const damage of damages)
    await check({ seed: 1, link: { latency: 5 } }, async (world) => {
      const journal = memoryJournal({ clock: world.clock });
      const told: unknown[] = [];
      const server = world.host("server", async (network) => void (await serveWork(network, journal, told)));
      const { network } = world.host("client");
      const { session, fresh } = await join(network);
      const { id } = session;
      await session.remote.add(1);
      await world.sleep(1000);
      server.crash();
      const record = await journal.read(id);
      assert.ok(record !== undefined);
      await journal.commit(id, record.version, damage(id, record.bytes));
      server.restart();
      while (fresh.length === 0) await world.sleep(10);
      assert.equal(await session.remote.next("x"), "x: 1");
      assert.notEqual(session.id, id);
      assert.equal(fresh.length, 1);
      const [error] = told as { readonly code: string; readonly detail: string }[];
      assert.equal(error?.code, "JOURNAL_RECORD_INVALID");
      assert.ok(error.detail.includes(id));
      await session.close({ timeoutMs: 0 });
    });
});
