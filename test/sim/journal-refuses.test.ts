import assert from "node:assert/strict";
import { test } from "node:test";
import { ZocaloError } from "../../src/index.ts";
import {
  call,
  connectSession,
  contract,
  event,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import { check, type World } from "../../src/sim.ts";
import { FaultyJournal } from "../../src/testing.ts";

/* The store takes other writes, but not those of one session: the program is told why calls have no answer. */

const notes = contract("notes", "1.0.0", { server: { note: call<void, number>(), shout: call<void, void>() } });
const pages = contract("pages", "1.0.0", {
  server: { write: call<string, void>() },
  client: { turned: event<string>() },
});

test("a record that the store refuses for ten seconds, and data that cannot be kept, are told to onError with the words of the store", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const { network } = world.host("server");
    const journal = new FaultyJournal(memoryJournal({ clock: world.clock }), network.clock);
    const told: string[] = [];
    await serveSessions(notes, "tcp://0.0.0.0:7000", {
      network,
      journal,
      data: () => ({ notes: 0, what: null as unknown }),
      onError: (error) => told.push(error instanceof ZocaloError ? error.message : String(error)),
      handlers: {
        note: (_nothing, { session }) => (session.data.notes += 1),
        shout: (_nothing, { session }) => void (session.data.what = () => undefined),
      },
    });
    const client = world.host("client").network;
    const session = await connectSession(notes, "tcp://server:7000", {
      network: client,
      timeouts: { callMs: Infinity },
    });
    journal.fault = (name, id) => (name === "commit" && id === session.id ? { outcome: "refused" } : undefined);
    const answer = session.remote.note();
    await world.sleep(9_000);
    assert.deepEqual(told, []);
    await world.sleep(30_000);
    assert.equal(told.length, 1);
    assert.match(
      told[0] ?? "",
      /^JOURNAL_UNAVAILABLE: commit: the store has not taken the record of session \S+ for 1\d s, and it is tried again \(.+\)$/,
    );
    journal.fault = undefined;
    assert.equal(await answer, 1);
    await session.remote.shout();
    assert.match(
      told[1] ?? "",
      /^FRAME_INVALID: data: session\.data cannot be kept, so the journal has it as it was before: .*\(value\.what\)$/,
    );
    await session.close({ timeoutMs: 0 });
  });
});

/** A journal that takes no record of more than 4 KiB. */
function narrow(world: World): SessionJournal {
  const journal = memoryJournal({ clock: world.clock });
  const commit = journal.commit.bind(journal);
  journal.commit = async (id, version, bytes) => {
    if (bytes.length <= 4096) return await commit(id, version, bytes);
    throw new ZocaloError("JOURNAL_RECORD_INVALID", {
      op: "commit",
      detail: `${bytes.length > 9000 ? "far " : ""}too long`,
    });
  };
  return journal;
}

test("a record that is too long is made anew until the session has less; a session that keeps so much ends, and begins anew", async () => {
  await check({ seed: 1, link: { latency: 5 } }, async (world) => {
    const journal = narrow(world);
    const told: string[] = [];
    const server = await serveSessions(pages, "tcp://0.0.0.0:7000", {
      network: world.host("server").network,
      journal,
      data: () => ({ page: "" }),
      onError: (error) => told.push(error instanceof ZocaloError ? error.message : String(error)),
      handlers: { write: (page, { session }) => void (session.data.page = page) },
    });
    const fresh: unknown[] = [];
    const session = await connectSession(pages, "tcp://server:7000", {
      network: world.host("client").network,
      handlers: { turned: () => undefined },
      onReady: (_session, report) => void fresh.push(report.reason),
    });
    const long = session.remote.write("x".repeat(5000));
    await world.sleep(1000);
    await session.remote.write("short");
    await long;
    assert.deepEqual(told, []);
    await assert.rejects(session.remote.write("x".repeat(10_000)), { code: "SESSION_LOST", outcome: "unknown" });
    assert.deepEqual(fresh, ["first", "aborted"]);
    assert.deepEqual(told, [
      "JOURNAL_RECORD_INVALID: commit: the journal takes no record of this session, which ends with it: far too long",
    ]);
    await session.remote.write("short");
    await session.close({ timeoutMs: 0 });
    await server.close({ timeoutMs: 0 });
  });
});

for (const [cutMs, hears] of [
  [3_000, ["a", "b"]],
  [60_000, ["a"]],
] as const)
  test(`a record that is too long for what a client of ${cutMs} ms without a network has not acknowledged waits for it`, async () => {
    await check({ seed: 1, link: { latency: 5 } }, async (world) => {
      const server = await serveSessions(pages, "tcp://0.0.0.0:7000", {
        network: world.host("server").network,
        journal: narrow(world),
        handlers: { write: () => undefined },
        onError: () => undefined,
      });
      const heard: string[] = [];
      const session = await connectSession(pages, "tcp://server:7000", {
        network: world.host("client").network,
        onReady: (_session, report) => report.reason === "first" || assert.fail(report.reason),
        handlers: { turned: (page) => void heard.push(page.slice(0, 1)) },
      });
      await session.remote.write("");
      const [peer] = server.sessions.values();
      const cut = world.partition("client", "server");
      void peer?.remote.turned("a".repeat(3000));
      await world.sleep(500);
      void peer?.remote.turned("b".repeat(3000));
      await world.sleep(cutMs);
      cut.heal();
      await world.sleep(30_000);
      // Over a new connection it goes on from what was kept.
      await session.remote.write("");
      assert.deepEqual(heard, hears);
      await session.close({ timeoutMs: 0 });
      await server.close({ timeoutMs: 0 });
    });
  });
