import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import {
  call,
  connectSession,
  contract,
  event,
  type ReadyReport,
  memoryJournal,
  serveSessions,
  type SessionJournal,
} from "../../src/protocol.ts";
import { check } from "../../src/sim.ts";
import { FaultyJournal } from "../../src/testing.ts";

/* What is said to many: to whom, to members that read slowly or were away, and what is lost is told. */

const chat = contract("chat", "1.0.0", {
  server: { who: call<undefined, string>(), say: event<string>() },
  client: { said: event<string>() },
});

async function serveChat(network: Network, journal?: SessionJournal) {
  return await serveSessions(chat, "tcp://0.0.0.0:7000", {
    network,
    journal,
    timeouts: { heartbeatMs: 200 },
    authenticate: ({ auth }) => String(auth),
    handlers: {
      who: (_nothing, { session }) => session.id,
      say: (text, { server }) => void server.remote.said(text),
    },
  });
}

async function enter(network: Network, address: string | readonly string[], auth: string, gate?: () => Promise<void>) {
  const heard: string[] = [];
  const fresh: ReadyReport[] = [];
  const session = await connectSession(chat, address, {
    network,
    auth,
    timeouts: { heartbeatMs: 200 },
    reconnect: { initialDelayMs: 10, maxDelayMs: 50 },
    onReady: (_session, report) => void (report.reason === "first" || fresh.push(report)),
    handlers: {
      async said(text) {
        await gate?.();
        heard.push(text.length > 20 ? text.slice(0, 3) : text);
      },
    },
  });
  return { session, heard, fresh };
}

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index).padStart(3, "0"));

test("to all, to the sessions of a principal and to one session: at all servers with a journal, at this one without", async () => {
  for (const isJournaled of [true, false])
    await check({ seed: 1 }, async (world) => {
      const journal = isJournaled ? memoryJournal({ clock: world.clock }) : undefined;
      const one = await serveChat(world.host("one").network, journal);
      const two = await serveChat(world.host("two").network, journal);
      const { network } = world.host("clients");
      const ana = await enter(network, "tcp://one:7000", "ana");
      const anas = await enter(network, "tcp://two:7000", "ana");
      const eva = await enter(network, "tcp://two:7000", "eva");
      await one.remote.said("all").stored;
      await one.principal("ana").remote.said("to ana").stored;
      await one.principal("nobody").remote.said("to nobody").stored;
      const report = one.session(eva.session.id).remote.said("to eva");
      assert.equal(report.stored === undefined, !isJournaled);
      await report.stored;
      await two.session(eva.session.id).remote.said("at her server").stored;
      await one.remote.said("not to eva", { except: { id: eva.session.id } }).stored;
      const long = Array.from({ length: 10_000 }, (_, index) => ({ id: String(index).padStart(100) }));
      const sayLong = (): unknown => one.remote.said("to nobody of ten thousand", { except: long });
      if (isJournaled) assert.throws(sayLong, { code: "FRAME_TOO_LONG", message: /917504 with the ids of `except`/ });
      else assert.doesNotThrow(sayLong);
      await two.session("nobody").remote.said("to nobody").stored;
      await world.sleep(100);
      const everybody = isJournaled ? [] : ["to "];
      assert.deepEqual(ana.heard, ["all", "to ana", "not to eva", ...everybody]);
      assert.deepEqual(anas.heard, isJournaled ? ["all", "to ana", "not to eva"] : []);
      assert.deepEqual(eva.heard, isJournaled ? ["all", "to eva", "at her server"] : ["at her server"]);
      assert.deepEqual([one.principal("ana").size, two.principal("ana").size, two.principal("eva").size], [1, 1, 1]);
      const [hers] = two.principal("ana");
      assert.equal(hers?.id, anas.session.id);
      assert.ok(hers !== undefined && two.principal("ana").has(hers) && !two.principal("eva").has(hers));
      await Promise.all([one.close(), two.close()]);
    });
});

/** A gate that is shut until it is opened. */
function shutGate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, wait: async () => await opened };
}

test("a member that reads slowly hears all of it, also what its server must read from the journal again", async () => {
  await check({ seed: 2 }, async (world) => {
    const journal = memoryJournal({ clock: world.clock });
    const server = await serveChat(world.host("server").network, journal);
    const { network } = world.host("clients");
    const gate = shutGate();
    const slow = await enter(network, "tcp://server:7000", "slow", gate.wait);
    for (const number of numbered(45)) await server.remote.said(number + "x".repeat(400_000)).stored;
    await world.sleep(1_000);
    assert.ok(server.stats.heldBytes < 1_000_000, `the server holds ${server.stats.heldBytes} bytes`);
    gate.open();
    await world.sleep(5_000);
    assert.deepEqual([slow.heard, slow.fresh], [numbered(45), []]);
    await server.close();
  });
});

test("who was away hears what was said meanwhile, at a server that has never heard of it", async () => {
  await check({ seed: 3 }, async (world) => {
    const journal = memoryJournal({ clock: world.clock });
    const one = world.host("one", async (network) => void (await serveChat(network, journal)));
    const other = await serveChat(world.host("other").network, journal);
    const { network } = world.host("clients");
    const ana = await enter(network, ["tcp://one:7000", "tcp://two:7000"], "ana");
    await other.remote.said("before").stored;
    await world.sleep(100);
    one.crash();
    for (const number of numbered(30)) await other.remote.said(number).stored;
    world.host("two", async (host) => void (await serveChat(host, journal)));
    await other.remote.said("after").stored;
    await world.sleep(5_000);
    assert.deepEqual([ana.heard, ana.fresh], [["before", ...numbered(30), "after"], []]);
    await ana.session.close({ timeoutMs: 0 });
    await other.close();
  });
});

test("who joins a group late, and comes back, hears nothing that was said to it before", async () => {
  await check({ seed: 6 }, async (world) => {
    const server = await serveChat(world.host("server").network, memoryJournal({ clock: world.clock }));
    const { network } = world.host("clients");
    const ana = await enter(network, "tcp://server:7000", "ana");
    const plaza = server.group("plaza");
    await plaza.remote.said("before").stored;
    await world.sleep(100);
    const [hers] = server.principal("ana");
    assert.ok(hers !== undefined && plaza.join(hers));
    const cut = world.partition("clients", "server");
    await plaza.remote.said("after").stored;
    await world.sleep(2_000);
    cut.heal();
    await world.sleep(2_000);
    assert.deepEqual([ana.heard, ana.fresh], [["after"], []]);
    await server.close();
  });
});

test("what the log has lost is told: the member has a fresh session, place-unknown", async () => {
  await check({ seed: 4 }, async (world) => {
    const journal = memoryJournal({ clock: world.clock, maxEntries: 10 });
    const host = world.host("server");
    const server = await serveChat(host.network, journal);
    const other = await serveChat(world.host("other").network, journal);
    const { network } = world.host("clients");
    const ana = await enter(network, "tcp://server:7000", "ana");
    await other.remote.said("before").stored;
    await world.sleep(100);
    // Its ring has what follows; a server that begins now has not.
    await server.close({ timeoutMs: 0 });
    for (const number of numbered(20)) await other.remote.said(number).stored;
    assert.deepEqual(ana.heard, ["before"]);
    const next = await serveChat(host.network, journal);
    await world.sleep(20_000);
    assert.deepEqual(
      ana.fresh.map(({ reason }) => reason),
      ["place-unknown"],
    );
    await other.remote.said("after").stored;
    await world.sleep(1_000);
    assert.deepEqual(ana.heard, ["before", "after"]);
    await ana.session.close({ timeoutMs: 0 });
    await Promise.all([next.close(), other.close()]);
  });
});

test("a server that cannot listen lets go of its journal, and of nobody else's", async () => {
  await check({ seed: 5 }, async (world) => {
    const journal = memoryJournal({ clock: world.clock });
    const { network } = world.host("server");
    const server = await serveChat(network, journal);
    await assert.rejects(serveChat(network, journal), { code: "ADDRESS_IN_USE" });
    assert.equal(await journal.read("nobody"), undefined);
    await server.close();
    await assert.rejects(journal.read("nobody"), { code: "JOURNAL_UNAVAILABLE" });
  });
});

test("a server whose time to close is up does not wait to hear what is stored after that", async () => {
  await check({ seed: 7 }, async (world) => {
    const { network } = world.host("server");
    const journal = new FaultyJournal(memoryJournal({ clock: world.clock }), network.clock);
    journal.fault = (step) => (step === "append" ? { delayMs: 2_000 } : undefined);
    const server = await serveChat(network, journal);
    const ana = await enter(world.host("clients").network, "tcp://server:7000", "ana");
    await ana.session.remote.say("late");
    await world.sleep(100);
    const closed = server.close({ timeoutMs: 0 }).then(() => "closed");
    assert.equal(await Promise.race([closed, world.sleep(10_000).then(() => "waits")]), "closed");
    ana.session.abort();
  });
});
