/** What a server knows about who asks to come in. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Address,
  connect,
  formatProxyHeader,
  nodeNetwork,
  proxyTlvTypes,
  relay,
  serve,
  type ZocaloError,
} from "../../src/index.ts";
import { type Admitted, type Applicant, call, contract, RemoteError } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { makeIdentity, testCertificates } from "../fixtures/certificates.ts";
import { Detour } from "./detour.ts";
import { atEnd, connectSession, serveSessions } from "./opened.ts";

const room = contract("room", "1.2.0", { server: { who: call<void, string>() } });

test("authenticate has the certificate of the client, its address and its version at hand", async () => {
  const { authority, server: identity } = await testCertificates();
  const client = await makeIdentity(authority, { name: "sensor-7" });
  const asked: Applicant[] = [];
  const admitted: Admitted[] = [];
  const server = await serveSessions(room, "tls://127.0.0.1:0", {
    tls: { ...identity, clientCertificate: "require", ca: authority.cert },
    authenticate: (applicant) => {
      asked.push(applicant);
      return applicant.tls?.peerCertificate?.subject;
    },
    data: (one) => {
      admitted.push(one);
      return { name: one.principal };
    },
    handlers: { who: (_input, { session }) => `${String(session.data["name"])} is ${session.principal}` },
  });
  const session = await connectSession(room, server.localAddress, {
    tls: { ...client, ca: authority.cert },
    auth: { asked: "for" },
  });
  assert.equal(await session.remote.who(), "sensor-7 is sensor-7");
  const [one] = asked;
  assert.equal(one?.tls?.authorized, true);
  assert.equal(String(one.remoteAddress), String(session.localAddress));
  assert.deepEqual([one.auth, one.version, one.resuming], [{ asked: "for" }, "1.2.0", false]);
  assert.deepEqual(admitted[0]?.principal, "sensor-7");
});

test("authenticate has what a trusted proxy says of the client", async () => {
  const asked: Applicant[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    proxyProtocol: { from: ["127.0.0.1"] },
    authenticate: (applicant) => {
      asked.push(applicant);
      return applicant.proxy?.authority;
    },
    handlers: { who: (_input, { session }) => String(session.principal) },
  });
  const source = Address.parse("tcp://192.0.2.7:4321");
  const destination = Address.parse("tcp://198.51.100.1:443");
  const tlvs = [{ type: proxyTlvTypes.authority, value: Buffer.from("ana.example") }];
  const proxy = await serve("tcp://127.0.0.1:0", async (client) => {
    const upstream = await connect(server.localAddress);
    await upstream.write(formatProxyHeader({ version: 2, source, destination, tlvs }));
    await relay(client, upstream);
  });
  atEnd(() => proxy.close());
  const session = await connectSession(room, proxy.localAddress);
  assert.equal(await session.remote.who(), "ana.example");
  const [one] = asked;
  assert.deepEqual(
    [String(one?.remoteAddress), String(one?.proxy?.destination)],
    [String(source), String(destination)],
  );
});

test("what authenticate throws turns a client away; with SERVER_BUSY it keeps its session, and comes back", async () => {
  let problem: Error | undefined;
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    authenticate: () => {
      if (problem !== undefined) throw problem;
      return "ana";
    },
    handlers: { who: (_input, { session }) => String(session.principal) },
  });
  const detour = await Detour.to(server.localAddress.port);
  const clock = new ManualClock(nodeNetwork.clock);
  const failed: ZocaloError[] = [];
  const resumed: unknown[] = [];
  const session = await connectSession(room, detour.address, {
    network: { ...nodeNetwork, clock },
    reconnect: { initialDelayMs: 1, maxDelayMs: 1 },
    onReconnecting: (_session, { phase, lastError }) => {
      if (phase === "waiting" && lastError !== undefined) failed.push(lastError as ZocaloError);
    },
    onResume: (_session, report) => resumed.push(report.replayed),
  });
  problem = new RemoteError("SERVER_BUSY", "the users are being moved");
  detour.cut("reset");
  while (failed.length === 0) await clock.advance(1);
  assert.deepEqual([failed[0]?.code, failed[0]?.detail], ["SERVER_BUSY", "the users are being moved"]);
  problem = undefined;
  await clock.advance(999);
  assert.equal(session.state, "detached");
  while (session.state === "detached") await clock.advance(1);
  assert.equal(await session.remote.who(), "ana");
  assert.deepEqual([failed.length, resumed.length], [1, 1]);

  problem = new Error("no words for others");
  detour.cut("reset");
  while (session.state !== "closed") await clock.advance(1);
  const { error } = await session.closed;
  assert.deepEqual([error?.code, error?.side], ["UNAUTHENTICATED", "remote"]);
  assert.doesNotMatch(String(error), /no words/);
  await assert.rejects(session.remote.who(), { code: "UNAUTHENTICATED", outcome: "none" });
});

test("without TLS there is no certificate; without authenticate everybody is a principal of its own", async () => {
  const asked: unknown[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    authenticate: ({ tls, auth }) => {
      asked.push([tls, auth]);
      return "ana";
    },
    handlers: { who: (_input, { session }) => String(session.principal) },
  });
  assert.equal(await (await connectSession(room, server.localAddress)).remote.who(), "ana");
  assert.deepEqual(asked, [[undefined, undefined]]);
  const open = await serveSessions(room, "tcp://127.0.0.1:0", {
    handlers: { who: (_input, { session }) => String(session.principal) },
  });
  const session = await connectSession(room, open.localAddress);
  assert.equal(await session.remote.who(), session.id);
  assert.equal(session.principal, undefined);
});

test("an authenticate that throws whatever it likes turns one client away, which is counted and told once", async () => {
  const trap = (): never => {
    throw new Error("not to be looked at");
  };
  const reasons = [undefined, null, "no", Symbol("no"), new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap })];
  const told: unknown[] = [];
  let turn = 0;
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    authenticate: () => Promise.reject(reasons[turn++]),
    onError: (error) => told.push(error),
    handlers: { who: () => "" },
  });
  for (const _ of reasons) await assert.rejects(connectSession(room, server.localAddress), { code: "UNAUTHENTICATED" });
  assert.equal(server.stats.declined, reasons.length);
  assert.ok(told.length === reasons.length && told.every((error, index) => error === reasons[index]));
});
