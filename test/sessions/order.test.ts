/** What stands behind an answer in one packet comes after the code that awaits the answer (docs/semantics.md, rule D9). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { partsOf, type SessionFacade } from "../../src/io/session/endpoint/session.ts";
import { call, contract, event, stream, typeOnly } from "../../src/protocol.ts";
import { Detour } from "./detour.ts";
import { connectSession, serveSessions } from "./opened.ts";

const room = contract("room", "1.0.0", {
  server: { join: call<string, string[]>(), deny: call(), rows: stream({ sends: typeOnly<number>() }) },
  client: { said: event<string>(), ask: call<string, string>() },
});

/** A client whose packets from the server can be joined, and what happens there in its order. */
async function scene(greeting?: string) {
  const seen: string[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    codecs: ["json"],
    onOpen: (session) => {
      if (greeting !== undefined) void session.remote.said(greeting);
    },
    handlers: {
      join: () => ["snapshot"],
      deny: () => Promise.reject(new Error("no")),
      async *rows() {
        yield* [1, 2, 3];
      },
    },
  });
  const detour = await Detour.to(server.localAddress.port);
  if (greeting !== undefined) detour.holdUpTo(greeting);
  const opening = connectSession(room, detour.address, {
    handlers: {
      said: (text) => {
        seen.push(text);
      },
      ask: (text) => {
        seen.push(text);
        return text;
      },
    },
  });
  return { server, detour, opening, seen };
}

/** As code of a program around a call: what awaits it goes on many microtasks after the answer. */
async function deep<T>(promise: Promise<T>, layers: number): Promise<T> {
  if (layers === 0) return await promise;
  try {
    return await deep(promise, layers - 1);
  } finally {
    await Promise.resolve();
  }
}

for (const layers of [0, 1, 20]) {
  test(`an answer, then events and a call in one packet: what awaits it goes on first, ${layers} functions above`, async () => {
    const { server, detour, opening, seen } = await scene();
    const session = await opening;
    const [served] = server.sessions.values();
    assert.ok(served !== undefined);
    detour.holdUpTo("third");
    const joined = deep(session.remote.join("plaza"), layers).then((rows) => seen.push(...rows));
    const denied = deep(session.remote.deny(), layers).catch(() => seen.push("denied"));
    while (served.stats.unacknowledged < 2) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([served.remote.said("first"), served.remote.said("second")]);
    assert.equal(await served.remote.ask("third"), "third");
    await Promise.all([joined, denied]);
    assert.deepEqual(seen, ["snapshot", "denied", "first", "second", "third"]);
  });
}

test("events behind the items of a stream: its loop comes to its end first", async () => {
  const { server, detour, opening, seen } = await scene();
  const session = await opening;
  const [served] = server.sessions.values();
  assert.ok(served !== undefined);
  detour.holdUpTo("changed");
  const rows = session.remote.rows();
  const reading = (async () => {
    for await (const row of rows) seen.push(`row ${row}`);
    seen.push("end");
  })();
  // Three items and the end of them.
  while (served.stats.unacknowledged < 4) await new Promise((resolve) => setImmediate(resolve));
  await served.remote.said("changed");
  await reading;
  await session.remote.join("plaza");
  assert.deepEqual(seen, ["row 1", "row 2", "row 3", "end", "changed"]);
});

test("an event behind the welcome: the program has the session when its handler starts", async () => {
  const { opening, seen } = await scene("welcome");
  const session = await deep(opening, 3);
  seen.push("open");
  await session.remote.join("plaza");
  assert.deepEqual(seen, ["open", "welcome"]);
});

test("an event before an answer is handled first, also in the first packet behind the welcome", async () => {
  const seen: string[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    codecs: ["json"],
    handlers: {
      join: async (_room, { session }) => {
        await session.remote.said("before");
        return ["snapshot"];
      },
      deny: () => undefined,
      rows: () => undefined,
    },
  });
  const handlers = { said: (text: string) => void seen.push(text), ask: (text: string) => text };
  const session = await connectSession(room, server.localAddress, { codecs: ["json"], handlers });
  for (const round of [1, 2]) {
    const rows = await session.remote.join("plaza");
    assert.deepEqual([...seen.splice(0), ...rows], ["before", "snapshot"], `round ${round}`);
  }
});

test("an event behind an answer, both read ahead in pieces: what awaits the answer goes on first", async () => {
  const { server, opening, seen } = await scene();
  const session = await opening;
  const [served] = server.sessions.values();
  const { connection } = partsOf(session as unknown as SessionFacade).endpoint;
  assert.ok(served !== undefined && connection !== undefined);
  connection.inbound.hold(true);
  const joined = deep(session.remote.join("plaza"), 20).then((rows) => seen.push(...rows));
  while (served.stats.unacknowledged < 1) await new Promise((resolve) => setImmediate(resolve));
  const long = "x".repeat(10_000);
  await served.remote.said(long);
  while (connection.inbound.queuedBytes < long.length) await new Promise((resolve) => setImmediate(resolve));
  connection.inbound.hold(false);
  await joined;
  await session.remote.join("plaza");
  assert.deepEqual(seen, ["snapshot", long]);
});
