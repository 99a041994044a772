/** Connections that take places and say nothing: they make room for those that speak. */

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ServeOptions } from "../../src/index.ts";
import { call, contract, connectSession, serveSessions, type SessionServerStats } from "../../src/protocol.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { gate } from "../fixtures/gate.ts";
import { RawClient } from "../sessions/raw-client.ts";
import { Listener, gone, type Kind, kinds, PROXY_HEADER } from "./listeners.ts";
import { nothingEscapes } from "./escapes.ts";
import { serveTarget } from "./session-target.ts";

const { authority, server: identity } = await testCertificates();

nothingEscapes();

async function crowd(knock: () => Promise<net.Socket>, size: number): Promise<readonly net.Socket[]> {
  return await Promise.all(Array.from({ length: size }, knock));
}

async function leave(sockets: readonly net.Socket[]): Promise<void> {
  const left = sockets.map((socket) => gone(socket.resume()));
  for (const socket of sockets) socket.destroy();
  await Promise.all(left);
}

for (const kind of kinds.filter(({ tls, proxy }) => tls || proxy)) {
  const opened = (options: ServeOptions): Promise<Listener> => Listener.open(kind, options);

  test(`${kind.name}: one more silent connection than maxHandshakes resets the oldest`, async () => {
    const listener = await opened({ limits: { maxHandshakes: 10 } });
    const sockets = await crowd(() => listener.knock(), 100);
    while (listener.server.stats.refused["max-handshakes"] < 90) await nextTurn();
    const { open, handshakes, refused } = listener.server.stats;
    assert.deepEqual([open, handshakes, refused["max-handshakes"]], [10, 10, 90]);
    await listener.serves();
    assert.equal(listener.server.stats.refused["max-handshakes"], 91);
    await leave(sockets);
    await listener.closes();
    assert.equal(listener.server.stats.handshakes, 0);
  });

  test(`${kind.name}: silent connections that take all places keep nobody out; those that were let in keep theirs`, async () => {
    const listener = await opened({ limits: { maxConnections: 4 } });
    const sockets = [...(await crowd(() => listener.knock(), 50))];
    while (listener.server.stats.refused["max-handshakes"] < 46) await nextTurn();
    await listener.serves();
    const inside = [await listener.enter(), await listener.enter(), await listener.enter()];
    while (listener.server.peers.size < 3) await nextTurn();
    sockets.push(...(await crowd(() => listener.knock(), 50)));
    await listener.serves();
    assert.equal(listener.server.peers.size, 3);
    assert.equal(listener.server.stats.refused["max-connections"], 0);
    const fourth = await listener.enter();
    while (listener.server.peers.size < 4) await nextTurn();
    const surplus = await listener.knock();
    await gone(surplus.resume());
    assert.equal(listener.server.stats.refused["max-connections"], 1);
    for (const { stream, socket } of [...inside, fourth]) {
      stream.destroy();
      socket.destroy();
    }
    await leave([...sockets, surplus]);
    await listener.closes();
  });
}

const room = contract("room", "1.0.0", { server: { who: call<void, string>() } });

/** The counts of connections without a session. */
const waitingIn = ({ unauthenticated, listener }: SessionServerStats) => ({ unauthenticated, open: listener.open });

for (const kind of ["tls", "tcp behind PROXY", "tcp"] as const) {
  test(`sessions over ${kind}: silent connections do not keep clients out`, async () => {
    const proxy: Kind["proxy"] = kind === "tcp behind PROXY";
    const server = await serveSessions(room, `${kind === "tls" ? "tls" : "tcp"}://127.0.0.1:0`, {
      ...(kind === "tls" ? { tls: identity } : {}),
      ...(proxy ? { proxyProtocol: { from: ["127.0.0.1"] } } : {}),
      limits: { maxSessions: 10, maxUnauthenticated: 10 },
      handlers: { who: () => "you" },
    });
    const { port } = server.localAddress;
    const knock = async (): Promise<net.Socket> => {
      const socket = net.connect(port, "127.0.0.1").on("error", () => undefined);
      await once(socket, "connect");
      return socket;
    };
    const sockets = await crowd(knock, 200);
    while (waitingIn(server.stats).open > 10) await nextTurn();
    if (proxy) {
      const client = await RawClient.to(port);
      client.socket.write(PROXY_HEADER);
      assert.equal(typeof (await client.hello("room"))["session"], "string");
      client.close();
    } else {
      const tls = { ca: authority.cert, servername: "localhost" };
      const session = await connectSession(room, server.localAddress, kind === "tls" ? { tls } : {});
      assert.equal(await session.remote.who(), "you");
      await session.close({ timeoutMs: 0 });
    }
    assert.ok(waitingIn(server.stats).unauthenticated <= 10);
    await leave(sockets);
    await server.close({ timeoutMs: 0 });
  });
}

test("a client that waits for authenticate is not pushed out by silent connections", async () => {
  const decided = gate();
  const asked: unknown[] = [];
  const target = await serveTarget({
    limits: { maxUnauthenticated: 5 },
    authenticate: async (applicant: unknown) => {
      asked.push(applicant);
      await decided.opened;
      return "ana";
    },
  });
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.to(target.port)));
  const answers = clients.map((client) => client.hello("room"));
  while (asked.length < 3) await nextTurn();
  const silent = await Promise.all(Array.from({ length: 100 }, () => RawClient.to(target.port)));
  while (target.server.stats.declined < 95) await nextTurn();
  assert.equal(target.server.stats.unauthenticated, 8);
  decided.open();
  for (const answer of answers) assert.equal(typeof (await answer)["session"], "string");
  for (const client of [...clients, ...silent]) client.close();
  await target.closes();
});

test("clients that were refused and do not go count until they are closed, and make room before the silent ones", async () => {
  const target = await serveTarget({ limits: { maxUnauthenticated: 5 } });
  const { server, clock, port } = target;
  const refused: RawClient[] = [];
  const refuse = async (): Promise<void> => {
    const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    const client = new RawClient(socket);
    assert.equal((await client.hello("another"))["code"], "CONTRACT_UNKNOWN");
    refused.push(client);
  };
  const silent = [await RawClient.to(port), await RawClient.to(port)];
  for (let count = 0; count < 50; count += 1) await refuse();
  assert.ok(server.stats.unauthenticated <= 5);
  assert.deepEqual(
    silent.map(({ ended }) => ended),
    [undefined, undefined],
  );
  await target.serves();
  await clock.advance(500);
  while (server.stats.unauthenticated > 2) await nextTurn();
  for (const client of [...silent, ...refused]) client.close();
  await target.closes();
});
