import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import tls from "node:tls";
import { type Identity, makeAuthority, makeIdentity, testCertificates } from "../../test/fixtures/certificates.ts";
import {
  ConnectError,
  type ConnectOptions,
  connect,
  type ErrorCode,
  type Listener,
  listen,
  type NetworkOption,
  nodeNetwork,
  type StreamSocket,
  type TlsOptions,
  UsageError,
} from "../index.ts";
import { assertError, expectError, reasonOf } from "../testing/expect-error.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { pending, textToEnd } from "../testing/stream/check.ts";
import { portOf } from "../../test/fixtures/port-of.ts";

const { authority, server } = await testCertificates();
const trusting = { ca: authority.cert };
/** Names of Loopback that certificates of these tests hold. */
const LOCAL = { dns: ["localhost"], ips: ["127.0.0.1"] };

/** Opens a listener with TLS; its connections end when the listener's scope does. */
function tlsListener(options: TlsOptions = {}): Promise<Listener> {
  return listen("tls://127.0.0.1:0", { tls: { ...server, ...options } });
}

async function call(listener: Listener, options: TlsOptions = {}): Promise<readonly [StreamSocket, StreamSocket]> {
  const calling = connect(listener.localAddress, { tls: { ...trusting, ...options } });
  return await Promise.all([calling, listener.accept()]);
}

test("what the handshake agreed on", async () => {
  await using listener = await tlsListener();
  const [called, peer] = await call(listener);
  const { tls: info } = called;
  assert.ok(info !== undefined && peer.tls !== undefined);
  assert.match(info.protocol, /^TLSv1\.[23]$/);
  assert.equal(peer.tls.protocol, info.protocol);
  assert.match(info.cipher, /^TLS_/);
  assert.deepEqual([info.authorized, info.authorizationError], [true, undefined]);
  const { peerCertificate: certificate } = info;
  assert.ok(certificate !== undefined);
  assert.deepEqual([certificate.subject, certificate.issuer], ["server", "Zocalo test authority"]);
  assert.ok(certificate.subjectAltNames.includes("DNS:localhost"), String(certificate.subjectAltNames));
  assert.match(certificate.fingerprint256, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assert.equal(certificate.raw[0], 0x30);
  assert.deepEqual([peer.tls.peerCertificate, peer.tls.authorized, peer.tls.alpn], [undefined, false, undefined]);
  assert.ok(called.interop.native instanceof tls.TLSSocket);
  called.abort();
  peer.abort();
});

test("ALPN: the server chooses, the best first; without a common protocol there is no connection", async () => {
  await using listener = await tlsListener({ alpn: ["h2", "chat/2", "chat/1"] });
  const [called, peer] = await call(listener, { alpn: ["chat/1", "chat/2"] });
  assert.equal(called.tls?.alpn, peer.tls?.alpn);
  assert.ok(["chat/1", "chat/2"].includes(String(called.tls?.alpn)));
  const refused = connect(listener.localAddress, { tls: { ...trusting, alpn: ["other"] } });
  await expectError(refused, { code: "TLS_FAILED", op: "connect", type: ConnectError });
  const [without] = await call(listener);
  assert.equal(without.tls?.alpn, undefined);
  assert.equal(listener.stats.refused.handshake, 1);
  for (const socket of [called, peer, without]) socket.abort();
});

test("SNI: the exact name, a wildcard for one label, and else the default", async () => {
  const names = ["exact.example", "*.wild.example"];
  const identities = await Promise.all(names.map((name) => makeIdentity(authority, { name, dns: [name] })));
  const sni = Object.fromEntries(names.map((name, index) => [name, identities[index] as Identity]));
  await using listener = await tlsListener({ sni });
  for (const [asked, shown] of [
    ["exact.example", "exact.example"],
    ["EXACT.example", "exact.example"],
    ["one.wild.example", "*.wild.example"],
    ["two.one.wild.example", "server"],
    ["wild.example", "server"],
    ["other.example", "server"],
    ["__proto__", "server"],
    ["constructor", "server"],
  ] as const) {
    const [called, peer] = await call(listener, { servername: asked, insecure: shown === "server" });
    assert.equal(called.tls?.peerCertificate?.subject, shown, asked);
    assert.equal(peer.tls?.servername?.toLowerCase(), asked.toLowerCase());
    called.abort();
    peer.abort();
  }
});

test("SNI without a default identity refuses other names", async () => {
  const identity = await makeIdentity(authority, { name: "only", dns: ["only.example"] });
  await using listener = await listen("tls://127.0.0.1:0", { tls: { sni: { "only.example": identity } } });
  const [called] = await call(listener, { servername: "only.example" });
  assert.equal(called.tls?.peerCertificate?.subject, "only");
  called.abort();
  const refused = connect(listener.localAddress, { tls: { ...trusting, servername: "other.example" } });
  await expectError(refused, { code: "TLS_FAILED", op: "connect" });
});

test("mutual TLS: the server knows its client", async () => {
  const client = await makeIdentity(authority, { name: "client" });
  for (const clientCertificate of ["require", "ask"] as const) {
    await using listener = await tlsListener({ ...trusting, clientCertificate });
    const [called, peer] = await call(listener, client);
    assert.deepEqual([peer.tls?.authorized, peer.tls?.peerCertificate?.subject], [true, "client"]);
    await called.write("x");
    assert.equal(String(await peer.read()), "x");
    called.abort();
    peer.abort();
  }
});

test("mutual TLS: a server that asks may decide by itself", async () => {
  const stranger = await makeIdentity(await makeAuthority("Another authority"), { name: "stranger" });
  await using listener = await tlsListener({ ...trusting, clientCertificate: "ask" });
  for (const [shown, subject] of [
    [{}, undefined],
    [stranger, "stranger"],
  ] as const) {
    const [called, peer] = await call(listener, shown);
    assert.deepEqual([peer.tls?.authorized, peer.tls?.peerCertificate?.subject], [false, subject]);
    assert.equal(typeof peer.tls?.authorizationError, "string");
    called.abort();
    peer.abort();
  }
});

test("mutual TLS: a required certificate that is missing or not trusted keeps the client out", async () => {
  const stranger = await makeIdentity(await makeAuthority("Another authority"), { name: "stranger" });
  const expired = await makeIdentity(authority, { name: "expired", fromDays: -9, toDays: -1 });
  await using listener = await tlsListener({ ...trusting, clientCertificate: "require" });
  for (const [round, shown] of [{}, stranger, expired].entries()) {
    // With TLS 1.3 the client has finished its handshake before the server has judged.
    const outcome = await reasonOf(
      connect(listener.localAddress, { tls: { ...trusting, ...shown } }).then((socket) => socket.readExactly(1)),
    );
    const { code } = outcome as { code: ErrorCode };
    const expected =
      round === 0 ? ["CERTIFICATE_REQUIRED"] : ["CONNECTION_RESET", "CERTIFICATE_UNTRUSTED", "TLS_FAILED"];
    assert.ok(expected.includes(code), code);
    assertError(outcome, { code });
    assert.equal(listener.stats.refused.handshake, round + 1);
  }
  assert.deepEqual([listener.stats.accepted, listener.stats.open], [0, 0]);
});

test("certificates can be exchanged while the listener is open", async () => {
  const renewed = await makeIdentity(authority, { name: "renewed", ...LOCAL });
  await using listener = await tlsListener();
  const [before, peerBefore] = await call(listener);
  listener.setTls(renewed);
  const [after, peerAfter] = await call(listener);
  assert.equal(before.tls?.peerCertificate?.subject, "server");
  assert.equal(after.tls?.peerCertificate?.subject, "renewed");
  await before.write("goes on");
  assert.equal(String(await peerBefore.readExactly(7)), "goes on");

  const misfit = { cert: renewed.cert, key: server.key };
  for (const wrong of [misfit, { cert: "no certificate", key: server.key }, { ...renewed, sni: { x: misfit } }]) {
    assert.throws(
      () => listener.setTls(wrong),
      (error) => {
        assertError(error, { code: "CERTIFICATE_INVALID", op: "setTls" });
        return true;
      },
    );
  }
  const [kept, peerKept] = await call(listener);
  assert.equal(kept.tls?.peerCertificate?.subject, "renewed");
  for (const socket of [before, peerBefore, after, peerAfter, kept, peerKept]) socket.abort();
});

test("setTls needs a listener with TLS; a listener with TLS needs a certificate that fits", async () => {
  await using listener = await listen("tcp://127.0.0.1:0");
  assert.throws(() => listener.setTls(server), { code: "OPTION_INVALID", op: "setTls" });
  const none = { code: "OPTION_INVALID", op: "listen", type: UsageError } as const;
  await expectError(listen("tls://127.0.0.1:0"), none);
  await expectError(listen("tls://127.0.0.1:0", { tls: { cert: server.cert } }), none);
  const misfit = { cert: server.cert, key: authority.key };
  await expectError(listen("tls://127.0.0.1:0", { tls: misfit }), { code: "CERTIFICATE_INVALID", op: "listen" });
});

test("a certificate that does not do is refused, with the reason as the code", async () => {
  const stranger = await makeAuthority("Another authority");
  const cases: readonly (readonly [ErrorCode, Identity, TlsOptions])[] = [
    ["CERTIFICATE_EXPIRED", await makeIdentity(authority, { name: "old", ...LOCAL, fromDays: -9, toDays: -1 }), {}],
    ["CERTIFICATE_NOT_YET_VALID", await makeIdentity(authority, { name: "new", ...LOCAL, fromDays: 5, toDays: 9 }), {}],
    ["CERTIFICATE_NAME_MISMATCH", await makeIdentity(authority, { name: "other", dns: ["other.example"] }), {}],
    ["CERTIFICATE_NAME_MISMATCH", server, { servername: "other.example" }],
    ["CERTIFICATE_UNTRUSTED", await makeIdentity(stranger, { name: "stranger", ...LOCAL }), {}],
    ["CERTIFICATE_UNTRUSTED", stranger, {}],
    ["CERTIFICATE_UNTRUSTED", server, { ca: stranger.cert }],
  ];
  for (const [code, identity, options] of cases) {
    await using listener = await listen("tls://127.0.0.1:0", { tls: identity });
    const refused = connect(listener.localAddress, { tls: { ...trusting, ...options } });
    const error = (await expectError(refused, {
      code,
      op: "connect",
      side: "remote",
      type: ConnectError,
    })) as ConnectError;
    assert.equal(error.remote, listener.localAddress.toString());
    assert.deepEqual(
      error.attempts.map((attempt) => [attempt.address, attempt.error.code]),
      [[listener.localAddress.toString(), code]],
    );
    const [called, peer] = await call(listener, { ...options, insecure: true });
    assert.equal(called.tls?.authorized, false);
    called.abort();
    peer.abort();
  }
});

test("a client's own settings that do not fit are CERTIFICATE_INVALID", async () => {
  await using listener = await tlsListener();
  const misfit = { cert: server.cert, key: authority.key };
  await expectError(connect(listener.localAddress, { tls: { ...trusting, ...misfit } }), {
    code: "CERTIFICATE_INVALID",
  });
});

test("a server that speaks no TLS is TLS_FAILED; one that hangs up too", async () => {
  for (const behave of [
    (socket: net.Socket): unknown => socket.resume().end("220 plain.example ready\r\n"),
    (socket: net.Socket): unknown => socket.resume().end(),
  ]) {
    const plain = net.createServer(behave).listen(0, "127.0.0.1").unref();
    const port = await portOf(plain);
    const refused = connect(`tls://127.0.0.1:${port}`, { tls: trusting });
    await expectError(refused, { code: "TLS_FAILED", op: "connect", side: "remote", type: ConnectError });
    plain.close();
  }
});

test("clients that speak no TLS are turned away and counted", async () => {
  await using listener = await tlsListener();
  for (const say of ["GET / HTTP/1.1\r\n\r\n", "\0".repeat(1000), "\x16\x03\x01\x01\0", ""]) {
    const called = await connect(listener.localAddress.with({ transport: "tcp" }));
    await called.write(say);
    await called.end();
    await textToEnd(called).catch((error: unknown) => assertError(error, { code: "CONNECTION_RESET" }));
    called.abort();
  }
  assert.deepEqual([listener.stats.refused.handshake, listener.stats.open, listener.stats.accepted], [4, 0, 0]);
});

test("a client that says nothing is turned away after timeouts.handshakeMs, 10,000 by default", async () => {
  for (const [handshakeMs, limitMs] of [
    [undefined, 10_000],
    [700, 700],
  ] as const) {
    const clock = new ManualClock(nodeNetwork.clock);
    const network = { ...nodeNetwork, clock };
    await using listener = await listen("tls://127.0.0.1:0", {
      tls: server,
      network,
      timeouts: { handshakeMs },
    });
    const silent = await connect(listener.localAddress.with({ transport: "tcp" }));
    while (listener.stats.open === 0) await clock.turn();
    await clock.advance(limitMs - 1);
    assert.deepEqual([listener.stats.open, listener.stats.refused.handshake], [1, 0]);
    await clock.advance(1);
    assert.deepEqual([listener.stats.open, listener.stats.refused.handshake], [0, 1]);
    await expectError(silent.read(), { code: "CONNECTION_RESET" });
    assert.equal(clock.pending, 0);
  }
});

test("closing the listener ends handshakes", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const listener = await tlsListener();
  const silent = await connect(listener.localAddress.with({ transport: "tcp" }));
  while (listener.stats.open === 0) await clock.turn();
  await listener.close();
  await expectError(silent.read(), { code: "CONNECTION_RESET" });
  assert.equal(listener.stats.open, 0);
});

test("the time-out and the signal of connect cover the handshake, and the server sees a reset", async () => {
  await using listener = await listen("tcp://127.0.0.1:0");
  const address = listener.localAddress.with({ transport: "tls" });
  const reason = new Error("no more patience");
  const controller = new AbortController();
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  const ways: readonly (readonly [
    ConnectOptions & NetworkOption,
    end: () => unknown,
    judge: (outcome: unknown) => void,
  ])[] = [
    [
      { timeoutMs: 20, network },
      () => clock.advance(20),
      (outcome) => assertError(outcome, { code: "TIMEOUT", op: "connect", outcome: "none" }),
    ],
    [{ signal: controller.signal }, () => controller.abort(reason), (outcome) => assert.equal(outcome, reason)],
  ];
  for (const [option, end, judge] of ways) {
    const refused = pending(connect(address, { ...option, tls: trusting }));
    const peer = await listener.accept();
    // The handshake has begun.
    await peer.readExactly(5);
    await end();
    judge(await reasonOf(refused));
    await expectError(textToEnd(peer), { code: "CONNECTION_RESET" });
  }
});

test("peers of node:tls, in both roles", async () => {
  await using listener = await tlsListener();
  const client = tls.connect({ port: listener.localAddress.port, host: "127.0.0.1", ca: authority.cert });
  const peer = await listener.accept();
  client.write("question");
  assert.equal(String(await peer.readExactly(8)), "question");
  await peer.write("answer");
  assert.equal(String((await once(client, "data"))[0]), "answer");
  client.end();
  assert.equal(await peer.read(), null);
  await peer.close();

  const theirs = tls
    .createServer(server, (socket) => socket.pipe(socket))
    .listen(0, "127.0.0.1")
    .unref();
  const port = await portOf(theirs);
  const called = await connect(`tls://localhost:${port}`, { tls: trusting });
  assert.equal(called.tls?.servername, "localhost");
  await called.write("echo");
  assert.equal(String(await called.readExactly(4)), "echo");
  await called.end();
  assert.equal(await called.read(), null);
  theirs.close();
});
