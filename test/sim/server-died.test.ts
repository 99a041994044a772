/** What a client sees when its server dies, leaves or is cut off: the table of docs/guide/your-server-died.md, row by row. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Network } from "../../src/index.ts";
import {
  call,
  connectSession,
  contract,
  event,
  memoryJournal,
  type SessionJournal,
  serveSessions,
  stream,
  typeOnly,
} from "../../src/protocol.ts";
import { check, type Host, type World } from "../../src/sim.ts";
import { FaultyJournal } from "../../src/testing.ts";

const desk = contract("desk", "1.0.0", {
  server: {
    slow: call<void, string>(),
    once: call(undefined, typeOnly<string>(), { atMostOnce: true }),
    who: call<void, string>(),
    note: event<string>(),
    ticks: stream({ sends: typeOnly<number>() }),
  },
});

/** What happened to what the client had under way, and what it was told. */
interface Seen {
  readonly hooks: string[];
  readonly [what: string]: unknown;
}

interface Scene {
  readonly world: World;
  readonly first: Host;
  readonly second: Host;
  /** Of rows with a journal. */
  readonly journal: FaultyJournal;
  /** The server of the first host, while that lives. */
  readonly close: () => Promise<unknown>;
}

interface Row {
  readonly journal: boolean;
  /** The time of the client to come back. */
  readonly reconnectMs?: number;
  /** Refuses who comes to the second server. */
  readonly refuses?: boolean;
  /** The second server is not there. */
  readonly alone?: boolean;
  happens(scene: Scene): Promise<void>;
  readonly seen: Seen;
}

async function serveDesk(network: Network, name: string, journal: SessionJournal | undefined, refuses = false) {
  const pause = (ms: number): Promise<string> =>
    new Promise((resolve) => void network.clock.setTimer(() => resolve(name), ms));
  return await serveSessions(desk, "tcp://0.0.0.0:7000", {
    network,
    journal,
    ...(refuses ? { authenticate: () => undefined } : {}),
    onError: () => undefined,
    handlers: {
      slow: () => pause(2000),
      once: () => pause(2000),
      who: () => name,
      note: () => undefined,
      async *ticks(_none, { signal }) {
        for (let tick = 1; !signal.aborted; tick += 1) {
          yield tick;
          await pause(500);
        }
      },
    },
  });
}

const outcomeOf = async (asked: Promise<unknown>): Promise<unknown> =>
  await asked.then(
    (answer) => answer,
    ({ code, outcome }: { code: string; outcome?: string }) => `${code} ${outcome ?? ""}`.trim(),
  );

async function play(world: World, row: Row): Promise<Seen> {
  const memory = row.journal ? memoryJournal({ clock: world.clock }) : undefined;
  const journal = memory === undefined ? undefined : new FaultyJournal(memory, world.clock);
  let closing: (() => Promise<unknown>) | undefined;
  const first = world.host("first", async (network) => {
    const server = await serveDesk(network, "first", journal);
    closing = () => server.close({ reconnectSpreadMs: 0 });
  });
  const second = world.host("second");
  const hooks: string[] = [];
  const session = await connectSession(desk, ["tcp://first:7000", "tcp://second:7000"], {
    network: world.host("client").network,
    timeouts: { heartbeatMs: 1000, callMs: 600_000 },
    reconnect: { timeoutMs: row.reconnectMs ?? 300_000, maxDelayMs: 500 },
    onReady: (_session, { reason }) => void hooks.push(`onReady ${reason}`),
    onResume: () => hooks.push("onResume"),
    onDetach: () => hooks.push("onDetach"),
    onClose: (_session, { error }) => hooks.push(`onClose ${error?.code}`),
  });
  const ticks: number[] = [];
  const reading = (async () => {
    for await (const tick of session.remote.ticks()) ticks.push(tick);
    return "ended";
  })();
  const slow = outcomeOf(session.remote.slow());
  const once = outcomeOf(session.remote.once());
  const streamed = outcomeOf(reading);
  await world.sleep(600);
  if (row.alone !== true) await serveDesk(second.network, "second", journal, row.refuses);
  await row.happens({ world, first, second, journal: journal as FaultyJournal, close: async () => await closing?.() });
  await world.sleep(1);
  const state: string = session.state;
  const away = outcomeOf(session.remote.who());
  const busy = await outcomeOf(session.remote.who(undefined, { whileAway: "reject" }));
  const note = outcomeOf(session.remote.note("one").then(() => "sent"));
  await world.sleep(400_000);
  const goesOn = await Promise.race([streamed, world.sleep(1).then(() => "goes on")]);
  const answers = { slow: await slow, once: await once, away: await away, busy, note: await note };
  const seen = { state, ...answers, stream: goesOn, hooks: [...hooks] };
  await session.close({ timeoutMs: 0 });
  return seen;
}

function later(world: World, act: () => void, ms: number): void {
  void world.clock.setTimer(act, ms);
}

const rows: Readonly<Record<string, Row>> = {
  "the process is killed, without a journal": {
    journal: false,
    happens: async ({ world, first }) => {
      first.crash();
      await world.sleep(2500);
    },
    seen: {
      state: "detached",
      slow: "SESSION_LOST unknown",
      once: "SESSION_LOST unknown",
      away: "second",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "SESSION_LOST unknown",
      hooks: ["onReady first", "onDetach", "onReady other-server"],
    },
  },
  "the process is killed and started again, without a journal": {
    journal: false,
    alone: true,
    happens: async ({ world, first }) => {
      first.crash();
      await world.sleep(2500);
      later(world, () => first.restart(), 1000);
    },
    seen: {
      state: "detached",
      slow: "SESSION_LOST unknown",
      once: "SESSION_LOST unknown",
      away: "first",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "SESSION_LOST unknown",
      hooks: ["onReady first", "onDetach", "onReady server-restarted"],
    },
  },
  "the process is killed, with a journal": {
    journal: true,
    happens: async ({ world, first }) => {
      first.crash();
      await world.sleep(2500);
    },
    seen: {
      state: "detached",
      slow: "second",
      once: "SESSION_MOVED unknown",
      away: "second",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "SESSION_MOVED unknown",
      hooks: ["onReady first", "onDetach", "onResume"],
    },
  },
  "the server is closed, without a journal": {
    journal: false,
    happens: async ({ world, close }) => {
      void close();
      await world.sleep(100);
    },
    seen: {
      state: "leaving",
      slow: "first",
      once: "first",
      away: "second",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "SESSION_LOST unknown",
      hooks: ["onReady first", "onDetach", "onReady server-left"],
    },
  },
  "the server is closed, with a journal": {
    journal: true,
    happens: async ({ world, close }) => {
      void close();
      await world.sleep(100);
    },
    seen: {
      state: "open",
      slow: "first",
      once: "first",
      away: "second",
      busy: "second",
      note: "sent",
      stream: "SESSION_MOVED unknown",
      hooks: ["onReady first", "onDetach", "onResume"],
    },
  },
  "the line is cut for a while": {
    journal: false,
    happens: async ({ world }) => {
      const cut = world.partition("client", "first");
      await world.sleep(5000);
      later(world, () => cut.heal(), 1000);
    },
    alone: true,
    seen: {
      state: "detached",
      slow: "first",
      once: "first",
      away: "first",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "goes on",
      hooks: ["onReady first", "onDetach", "onResume"],
    },
  },
  "the client is away for too long": {
    journal: false,
    happens: async ({ world }) => {
      const cut = world.partition("client", "first");
      await world.sleep(70_000);
      later(world, () => cut.heal(), 1000);
    },
    alone: true,
    seen: {
      state: "detached",
      slow: "SESSION_LOST unknown",
      once: "SESSION_LOST unknown",
      away: "first",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "SESSION_LOST unknown",
      hooks: ["onReady first", "onDetach", "onReady expired"],
    },
  },
  "no server is there any more": {
    journal: false,
    alone: true,
    reconnectMs: 30_000,
    happens: async ({ world, first }) => {
      first.crash();
      await world.sleep(2500);
    },
    seen: {
      state: "detached",
      slow: "SESSION_LOST unknown",
      once: "SESSION_LOST unknown",
      away: "SESSION_LOST none",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "SESSION_LOST unknown",
      hooks: ["onReady first", "onDetach", "onClose SESSION_LOST"],
    },
  },
  "the next server refuses": {
    journal: false,
    refuses: true,
    happens: async ({ world, first }) => {
      first.crash();
      await world.sleep(2500);
    },
    seen: {
      state: "detached",
      slow: "UNAUTHENTICATED unknown",
      once: "UNAUTHENTICATED unknown",
      away: "UNAUTHENTICATED none",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "UNAUTHENTICATED unknown",
      hooks: ["onReady first", "onDetach", "onClose UNAUTHENTICATED"],
    },
  },
  "the store is away for a moment": {
    journal: true,
    alone: true,
    happens: async ({ world, journal }) => {
      journal.fault = () => ({ outcome: "refused" });
      later(world, () => (journal.fault = undefined), 2000);
      await world.sleep(100);
    },
    seen: {
      state: "open",
      slow: "first",
      once: "first",
      away: "first",
      busy: "first",
      note: "sent",
      stream: "goes on",
      hooks: ["onReady first"],
    },
  },
  "the store is away for long": {
    journal: true,
    alone: true,
    happens: async ({ world, journal }) => {
      journal.fault = () => ({ outcome: "refused" });
      later(world, () => (journal.fault = undefined), 60_000);
      await world.sleep(50_000);
    },
    seen: {
      state: "detached",
      slow: "first",
      once: "first",
      away: "first",
      busy: "SESSION_AWAY none",
      note: "sent",
      stream: "goes on",
      hooks: ["onReady first", "onDetach", "onResume"],
    },
  },
};

for (const [name, row] of Object.entries(rows)) {
  test(name, async () => {
    const { value } = await check({ seed: 7, link: { latency: 2 } }, (world) => play(world, row));
    assert.deepEqual(value, row.seen);
  });
}
