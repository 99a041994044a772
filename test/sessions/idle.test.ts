/** What an idle session holds: docs/decisions/0022-what-an-idle-session-holds.md. Objects are counted, not bytes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { queryObjects } from "node:v8";
import { Departure } from "../../src/core/session/departure.ts";
import { Incoming } from "../../src/core/session/incoming.ts";
import { Outgoing } from "../../src/core/session/outgoing.ts";
import { ReplayLog } from "../../src/core/session/replay-log.ts";
import { Requests } from "../../src/core/session/requests.ts";
import { Session } from "../../src/core/session/session.ts";
import { StreamSocket } from "../../src/io/stream/socket.ts";
import { SessionCalls } from "../../src/io/session/traffic/calls.ts";
import { SessionDispatch } from "../../src/io/session/traffic/dispatch.ts";
import { SessionEvents } from "../../src/io/session/traffic/events.ts";
import { SessionIntake } from "../../src/io/session/traffic/intake.ts";
import { OpenStreams } from "../../src/io/session/traffic/streams.ts";
import { SessionTerms } from "../../src/io/session/terms.ts";
import { call, contract } from "../../src/protocol.ts";
import { connectSession, serveSessions } from "./opened.ts";
import { RawClient } from "./raw-client.ts";

const SESSIONS = 100;
const room = contract("room", "1.0.0", { server: { who: call<void, string>() } });

/** How many there are that are in use. */
function count(kind: new (...args: never[]) => object): number {
  return queryObjects(kind, { format: "count" });
}

test("idle sessions have no parts that only messages need, and share what follows from their agreement", async () => {
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers: { who: () => "you" } });
  const place = String(server.localAddress);
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => connectSession(room, place)));
  assert.equal(count(Session), 2 * SESSIONS, "one at each side");
  assert.equal(count(SessionTerms), SESSIONS + 1, "each client has its own, the server has one");
  // Whoever looks at them makes nothing.
  for (const session of [...sessions, ...server.sessions.values()]) assert.equal(session.stats.runningCalls, 0);
  assert.equal(server.stats.sessions, SESSIONS);
  const parts = [
    Incoming,
    Outgoing,
    Departure,
    Requests,
    SessionCalls,
    SessionDispatch,
    SessionEvents,
    OpenStreams,
    SessionIntake,
  ];
  for (const part of parts) assert.equal(count(part), 0, part.name);
  // The one of all sessions that have nothing in it.
  assert.equal(count(ReplayLog), 1);

  assert.equal(await sessions[0]?.remote.who(), "you");
  assert.equal(count(Outgoing), 2, "the session that is not idle has them, at each side");
  assert.equal(count(SessionCalls), 1, "who calls");
  assert.equal(count(SessionDispatch), 1, "who is called");
  await Promise.all(sessions.map((session) => session.close({ timeoutMs: 0 })));
});

test("a session without a connection pins nothing of the one before, and still knows where it led", async () => {
  const server = await serveSessions(room, "tcp://127.0.0.1:0", { handlers: { who: () => "you" } });
  const before = count(StreamSocket);
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.to(server.localAddress.port)));
  for (const client of clients) await client.hello("room");
  const places = [...server.sessions.values()].map(({ remoteAddress }) => String(remoteAddress));
  assert.equal(count(StreamSocket), before + 20);
  for (const client of clients) client.socket.resetAndDestroy();
  while (server.stats.detached < 20 || server.stats.listener.open > 0) await new Promise(setImmediate);
  assert.equal(count(StreamSocket), before);
  const detached = [...server.sessions.values()];
  assert.deepEqual(
    detached.map(({ remoteAddress }) => String(remoteAddress)),
    places,
  );
  assert.equal(String(detached[0]?.localAddress), String(server.localAddress));
});
