/** Who has connected when a server begins to close is served: in a handshake, and at the door that servers share. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, nodeNetwork, serve, type Server } from "../../src/index.ts";
import { call, connectSession, contract, serveSessions, typeOnly } from "../../src/protocol.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { textToEnd } from "../../src/testing/stream/check.ts";
import { testCertificates } from "../fixtures/certificates.ts";
import { gate } from "../fixtures/gate.ts";

const { authority, server: identity } = await testCertificates();

/** A server, and a connection to it that has not begun its TLS handshake. */
async function inHandshake() {
  const server = await serve("tls://127.0.0.1:0", (peer) => peer.write("hola"), { tls: identity });
  const client = await connect(server.localAddress.with({ transport: "tcp" }));
  while (server.stats.handshakes === 0) await new Promise(setImmediate);
  return { server, client };
}

test("a connection in its TLS handshake when the server closes is served; no other one comes in", async () => {
  const { server, client } = await inHandshake();
  const report = server.close({ timeoutMs: 3_600_000 });
  await expectError(connect(server.localAddress), { code: "CONNECTION_REFUSED" });
  await client.startTls({ role: "client", ca: authority.cert, servername: "localhost" });
  assert.equal(await textToEnd(client), "hola");
  await client.close();
  const { finished, cut } = await report;
  assert.deepEqual([finished, cut], [1, 0]);
});

test("a handshake is given up when the time of close is over, and by abort", async () => {
  for (const end of [
    (server: Server) => void server.close({ timeoutMs: 0 }),
    (server: Server) => server.abort(),
    (server: Server) => {
      void server.close({ timeoutMs: 3_600_000 });
      void server.close({ timeoutMs: 0 });
    },
  ]) {
    const { server, client } = await inHandshake();
    end(server);
    await expectError(client.read(), { code: "CONNECTION_RESET" });
    await server.closed;
  }
});

test("a handshake that fails ends the wait of close", async () => {
  const { server, client } = await inHandshake();
  const report = server.close({ timeoutMs: 3_600_000 });
  client.abort();
  assert.equal((await report).finished, 0);
});

const work = contract("work", "1.0.0", { server: { ask: call(undefined, typeOnly<string>()) } });

/** A server of sessions whose address others share, as workers of node:cluster do. */
async function shared(clock = new ManualClock(nodeNetwork.clock)) {
  const sockets: typeof nodeNetwork.sockets = {
    ...nodeNetwork.sockets,
    listen: async (...args) => Object.assign(await nodeNetwork.sockets.listen(...args), { isShared: true }),
  };
  const { opened, open } = gate();
  const server = await serveSessions(work, "tcp://127.0.0.1:0", {
    network: { ...nodeNetwork, sockets, clock },
    handlers: { ask: () => "hola" },
    authenticate: async () => {
      await opened;
      return "ana";
    },
  });
  return { server, clock, open };
}

test("sessions: where others accept too, the door closes at once, and who waits there gets a session", async () => {
  const { server, open } = await shared();
  const opening = connectSession(work, server.localAddress, { reconnect: false });
  while (server.stats.unauthenticated === 0) await new Promise(setImmediate);
  const report = server.close({ timeoutMs: 3_600_000 });
  await expectError(connect(server.localAddress), { code: "CONNECTION_REFUSED" });
  open();
  const session = await opening;
  assert.equal((await session.closed).how, "ended");
  const { finished, cut } = await report;
  assert.deepEqual([finished, cut, server.stats.opened], [1, 0, 1]);
});

test("sessions: a connection that says nothing delays that by one second at most", async () => {
  const { server, clock } = await shared();
  const silent = await connect(server.localAddress);
  while (server.stats.unauthenticated === 0) await new Promise(setImmediate);
  const report = server.close({ timeoutMs: 3_600_000 });
  await clock.advance(1000);
  assert.equal((await report).cut, 0);
  await expectError(silent.read(), { code: "CONNECTION_RESET" });
});
