import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import {
  call,
  connectSession,
  contract,
  event,
  memoryJournal,
  serveSessions,
  type SessionJournal,
  type SessionServer,
  typeOnly,
} from "../../src/protocol.ts";
import { decodeRecord, encodeRecord } from "../../src/core/journal/record.ts";
import { check, type Host, type World } from "../../src/sim.ts";
import { FaultyJournal } from "../../src/testing.ts";

/* What must not be handled twice, and what ends each server that handles it (docs/semantics.md, rule D15). */

const bank = contract("bank", "1.0.0", {
  server: {
    pay: call(typeOnly<number>(), typeOnly<string>(), { atMostOnce: true }),
    wait: call<number, string>(),
    note: event<string>(),
    ask: call<string, string>(),
  },
});

interface Failure {
  readonly code: string;
  readonly outcome?: string | undefined;
}
const failureOf = (error: Failure): Failure => ({ code: error.code, outcome: error.outcome });

/** A server and what its handlers have done; "poison" ends it, and it is started again after a moment. */
class Bank {
  readonly runs: string[] = [];
  readonly told: Failure[] = [];
  isDown = false;
  server: SessionServer<typeof bank.client> | undefined;
  readonly host: Host;

  constructor(
    world: World,
    store: SessionJournal,
    name: string,
    through = (journal: SessionJournal, _network: Network) => journal,
  ) {
    const handle = async (what: string): Promise<string> => {
      this.runs.push(what);
      if (!what.startsWith("poison")) return what;
      this.isDown = true;
      this.host.crash();
      return await new Promise<never>(() => undefined);
    };
    this.host = world.host(name, async (network: Network) => {
      const pause = (ms: number): Promise<void> => new Promise((resolve) => void network.clock.setTimer(resolve, ms));
      this.server = await serveSessions(bank, "tcp://0.0.0.0:7000", {
        network,
        journal: through(store, network),
        timeouts: { heartbeatMs: 1000 },
        onError: (error) => this.told.push(failureOf(error as Failure)),
        handlers: {
          pay: async (ms) => {
            this.runs.push(`pay ${ms}`);
            await pause(ms);
            return `paid ${ms}`;
          },
          wait: async (ms) => {
            await pause(ms);
            return `waited ${ms}`;
          },
          note: handle,
          ask: handle,
        },
      });
    });
  }
}

async function join(world: World, name: string, servers: string | readonly string[]) {
  const fresh: unknown[] = [];
  const session = await connectSession(bank, servers, {
    network: world.host(name).network,
    timeouts: { heartbeatMs: 1000, callMs: Infinity },
    reconnect: { initialDelayMs: 20, maxDelayMs: 100 },
    retry: {},
    onReady: (_session, report) => void (report.reason === "first" || fresh.push(report)),
  });
  return { session, fresh };
}

/** Waits for something while servers that are down are started again. */
async function whileRestarting<T>(world: World, banks: readonly Bank[], waited: Promise<T>): Promise<T> {
  const state = { isOver: false };
  const result = waited.finally(() => (state.isOver = true));
  while (!state.isOver) {
    await world.sleep(10);
    for (const one of banks) {
      if (!one.isDown) continue;
      one.isDown = false;
      one.host.restart();
    }
  }
  return await result;
}

test("a call at most once: whenever the server dies, it runs once at most, and is answered or unknown", async () => {
  let unknown = 0;
  for (let seed = 1; seed <= 30; seed += 1) {
    await check({ seed, link: { latency: 3 } }, async (world) => {
      const one = new Bank(world, memoryJournal({ clock: world.clock }), "server");
      const { session, fresh } = await join(world, "client", "tcp://server:7000");
      const outcomes: Promise<string>[] = [];
      for (let number = 1; number <= 20; number += 1) {
        const payment = session.remote.pay(number);
        outcomes.push(payment.catch((error: Failure) => `${error.code} ${error.outcome}`));
        await world.sleep(Math.floor(world.random.next() * 20));
        if (number % 5 !== 0) continue;
        one.host.crash();
        await world.sleep(10);
        one.host.restart();
      }
      for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
        const ran = one.runs.filter((run) => run === `pay ${index + 1}`).length;
        assert.ok(outcome === `paid ${index + 1}` ? ran === 1 : ran <= 1, `seed ${seed}: ${outcome}, ran ${ran} times`);
        if (outcome === `paid ${index + 1}`) continue;
        assert.equal(outcome, "SESSION_MOVED unknown");
        unknown += 1;
      }
      assert.deepEqual(fresh, []);
      await session.close({ timeoutMs: 0 });
    });
  }
  assert.ok(unknown > 0, "no server died while it handled one");
});

test("handlers start in the order of the wire, whatever has to be written before them", async () => {
  await check({ seed: 1, link: { latency: 3 } }, async (world) => {
    const one = new Bank(world, memoryJournal({ clock: world.clock }), "server");
    const { session } = await join(world, "client", "tcp://server:7000");
    const sent: Promise<unknown>[] = [];
    for (let number = 0; number < 30; number += 1) {
      sent.push(session.remote.pay(number), session.remote.ask(`ask ${number}`));
      if (number % 3 === 0) sent.push(session.remote.note(`note ${number}`));
    }
    await Promise.all(sent);
    const expected = Array.from({ length: 30 }, (_, number) => [
      `pay ${number}`,
      `ask ${number}`,
      ...(number % 3 === 0 ? [`note ${number}`] : []),
    ]);
    assert.deepEqual(one.runs, expected.flat());
    await session.close({ timeoutMs: 0 });
  });
});

test("an event that ends three servers is skipped and told, and the session lives", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const one = new Bank(world, memoryJournal({ clock: world.clock }), "server");
    const { session, fresh } = await join(world, "client", "tcp://server:7000");
    await session.remote.note("before");
    await session.remote.note("poison");
    await session.remote.note("behind");
    assert.equal(await whileRestarting(world, [one], session.remote.ask("last")), "last");
    const runs = one.runs.filter((run) => run !== "before");
    assert.deepEqual(
      runs.filter((run) => run === "poison"),
      ["poison", "poison", "poison"],
    );
    assert.deepEqual(runs.slice(-2), ["behind", "last"]);
    assert.deepEqual(one.told, [{ code: "INTERNAL", outcome: undefined }]);
    assert.deepEqual(fresh, []);
    await session.close({ timeoutMs: 0 });
  });
});

test("a call that ends three servers is refused with INTERNAL; what was under way beside it is not", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    await check({ seed, link: { latency: 5 } }, async (world) => {
      const journal = memoryJournal({ clock: world.clock });
      const banks = ["a", "b"].map((name) => new Bank(world, journal, name));
      const servers = ["tcp://a:7000", "tcp://b:7000"];
      const { session, fresh } = await join(world, "client", servers);
      const others = await Promise.all([1, 2, 3].map((number) => join(world, `other${number}`, servers)));
      const waits = [session, ...others.map((other) => other.session)].map((each, index) =>
        each.remote.wait(100 + 50 * index),
      );
      const notes = others.map((other, index) => other.session.remote.note(`note ${index}`));
      const refused = session.remote.ask("poison").catch(failureOf as (error: unknown) => Failure);
      const behind = session.remote.ask("behind");
      const all = Promise.all([refused, behind, ...waits, ...notes]);
      const [failure, ...answers] = await whileRestarting(world, banks, all);
      assert.deepEqual(failure, { code: "INTERNAL", outcome: undefined }, `seed ${seed}`);
      assert.deepEqual(answers.slice(0, 5), ["behind", "waited 100", "waited 150", "waited 200", "waited 250"]);
      const runs = banks.flatMap(({ runs: own }) => own);
      assert.equal(runs.filter((run) => run === "poison").length, 3, `seed ${seed}`);
      assert.deepEqual(
        banks.flatMap(({ told }) => told),
        [{ code: "INTERNAL", outcome: undefined }],
      );
      assert.deepEqual([fresh, ...others.map((other) => other.fresh)], [[], [], [], []]);
      for (const each of [session, ...others.map((other) => other.session)]) await each.close({ timeoutMs: 0 });
    });
  }
});

test("a client that changes its connection again and again loses nothing: the servers live, and say so", async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    await check({ seed, link: { latency: 5 } }, async (world) => {
      const journal = memoryJournal({ clock: world.clock });
      const banks = ["a", "b"].map((name) => new Bank(world, journal, name));
      const { session, fresh } = await join(world, "client", ["tcp://a:7000", "tcp://b:7000"]);
      const waited = session.remote.wait(20_000);
      const paid = session.remote.pay(20_000).catch(failureOf as (error: unknown) => Failure);
      for (let times = 0; times < 6; times += 1) {
        await world.sleep(6000);
        const at = session.remoteAddress?.host;
        const { host } = banks.find((one) => one.host.addresses.includes(at ?? "")) as Bank;
        const cut = world.partition("client", host.name);
        await world.sleep(5000);
        cut.heal();
      }
      assert.equal(await waited, "waited 20000", `seed ${seed}`);
      assert.deepEqual(await paid, { code: "SESSION_MOVED", outcome: "unknown" });
      assert.deepEqual(
        banks.flatMap(({ runs }) => runs),
        ["pay 20000"],
      );
      assert.deepEqual(fresh, []);
      await session.close({ timeoutMs: 0 });
    });
  }
});

test("servers that are closed in order again and again: a call that they cut is handled by the last one", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const one = new Bank(world, memoryJournal({ clock: world.clock }), "server");
    const { session, fresh } = await join(world, "client", "tcp://server:7000");
    const waited = session.remote.wait(5000);
    for (let times = 0; times < 6; times += 1) {
      await world.sleep(1000);
      await one.server?.close({ timeoutMs: 50, reconnectSpreadMs: 0 });
      one.host.restart();
    }
    assert.equal(await waited, "waited 5000");
    assert.deepEqual([fresh, one.told], [[], []]);
    await session.close({ timeoutMs: 0 });
  });
});

test("a record whose beginnings are damaged: a new session, and the server is told which it was", async () => {
  const damages: readonly object[] = [{ begun: "x" }, { begun: [1.5] }, { again: -1 }, { suspects: null }];
  for (const damage of damages)
    await check({ seed: 1, link: { latency: 5 } }, async (world) => {
      const journal = memoryJournal({ clock: world.clock });
      const one = new Bank(world, journal, "server");
      const { session, fresh } = await join(world, "client", "tcp://server:7000");
      const { id } = session;
      await session.remote.ask("a");
      one.host.crash();
      const record = await journal.read(id);
      assert.ok(record !== undefined);
      const stored = decodeRecord(id, record.bytes);
      const damaged = encodeRecord({ ...stored, session: { ...stored.session, ...damage } });
      await journal.commit(id, record.version, damaged);
      one.host.restart();
      while (fresh.length === 0) await world.sleep(10);
      assert.equal(await session.remote.ask("b"), "b");
      assert.deepEqual(one.told, [{ code: "JOURNAL_RECORD_INVALID", outcome: undefined }]);
      await session.close({ timeoutMs: 0 });
    });
});

test("whatever the journal does: no call at most once runs twice, poison comes to its end, and nothing else is lost", async () => {
  const OUTCOMES = ["refused", "call lost", "answer lost"] as const;
  for (let seed = 1; seed <= 30; seed += 1) {
    await check({ seed, link: { latency: 3 } }, async (world) => {
      const below = (bound: number): number => Math.floor(world.random.next() * bound);
      const unreliable = (journal: SessionJournal, network: Network): SessionJournal => {
        const faulty = new FaultyJournal(journal, network.clock);
        faulty.fault = (step) => ({
          delayMs: below(4),
          answerDelayMs: below(4),
          outcome: step !== "open" && step !== "follow" && below(8) === 0 ? OUTCOMES[below(3)] : undefined,
        });
        return faulty;
      };
      const store = memoryJournal({ clock: world.clock });
      const banks = ["a", "b"].map((name) => new Bank(world, store, name, unreliable));
      const { session, fresh } = await join(world, "client", ["tcp://a:7000", "tcp://b:7000"]);
      const pays: Promise<string>[] = [];
      const asks: Promise<string>[] = [];
      for (let number = 1; number <= 8; number += 1) {
        pays.push(session.remote.pay(number).catch((error: Failure) => `${error.code} ${error.outcome}`));
        asks.push(session.remote.ask(String(number)));
        if (number === 4) await session.remote.note("poison");
        await world.sleep(below(5));
      }
      const answers = await whileRestarting(world, banks, Promise.all(asks));
      assert.deepEqual(answers, ["1", "2", "3", "4", "5", "6", "7", "8"], `seed ${seed}`);
      const runs = banks.flatMap((one) => one.runs);
      for (const [index, outcome] of (await whileRestarting(world, banks, Promise.all(pays))).entries()) {
        const ran = runs.filter((run) => run === `pay ${index + 1}`).length;
        const isRight = outcome === `paid ${index + 1}` ? ran === 1 : outcome === "SESSION_MOVED unknown" && ran <= 1;
        assert.ok(isRight, `seed ${seed}: ${outcome}, ran ${ran} times`);
      }
      // A server that took the session over and could not answer counts as one that has died.
      assert.ok(runs.filter((run) => run === "poison").length >= 2, `seed ${seed}`);
      assert.ok(
        banks.some(({ told }) => told.some(({ code }) => code === "INTERNAL")),
        `seed ${seed}`,
      );
      assert.deepEqual(fresh, []);
      await session.close({ timeoutMs: 0 });
    });
  }
});
