/** What goes through to the TLS engine is checked before, by every call that takes it: the process lives, and so does the service. */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { call, contract, connectSession, serveSessions } from "../../src/protocol.ts";
import {
  connect,
  type ErrorCode,
  listen,
  type ListenOptions,
  serve,
  type TlsOptions,
  UsageError,
} from "../../src/index.ts";
import { makeIdentity, testCertificates } from "../fixtures/certificates.ts";

const { authority, server } = await testCertificates();
const LISTENER = "tls://127.0.0.1:0";
const work = contract("work", "1.0.0", { server: { job: call() } });
const handlers = { job: () => undefined };

async function refused(op: string, name: string, opening: () => unknown, code: ErrorCode): Promise<void> {
  await assert.rejects(
    async () => await opening(),
    (error) => {
      assert.ok(error instanceof UsageError, `${op} ${name}: ${String(error)}`);
      assert.deepEqual([error.code, error.op, error.side], [code, op, "local"], error.message);
      assert.ok(error.message.includes(name), error.message);
      return true;
    },
  );
}

/** Every call of a client: before a socket is opened, where there is none yet. */
async function refusedByClients(name: string, tls: TlsOptions, code: ErrorCode = "OPTION_INVALID"): Promise<void> {
  await refused("connect", name, () => connect("tls://127.0.0.1:1", { tls }), code);
  const session = connectSession(work, "tls://127.0.0.1:1", { tls });
  await assert.rejects(session, { code, side: "local" });
  await using listener = await listen("tcp://127.0.0.1:0");
  const socket = await connect(listener.localAddress);
  await refused("startTls", name, () => socket.startTls({ role: "client", ...tls }), code);
  // It is of use as before.
  const [peer] = await Promise.all([listener.accept(), socket.write("hola")]);
  assert.equal(String(await peer.readExactly(4)), "hola");
  socket.abort();
}

/** Every call of a server. */
async function refusedByServers(name: string, tls: TlsOptions, code: ErrorCode = "OPTION_INVALID"): Promise<void> {
  await refused("listen", name, () => listen(LISTENER, { tls }), code);
  await refused("serve", name, () => serve(LISTENER, () => undefined, { tls }), code);
  await refused("serveSessions", name, () => serveSessions(work, LISTENER, { handlers, tls }), code);
  await using listener = await listen("tcp://127.0.0.1:0");
  const [socket, peer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
  await refused("startTls", name, () => peer.startTls({ role: "server", ...tls }), code);
  socket.abort();
  for (const secure of [
    await listen(LISTENER, { tls: server }),
    await serve(LISTENER, () => undefined, { tls: server }),
    await serveSessions(work, LISTENER, { handlers, tls: server }),
  ]) {
    await refused("setTls", name, () => secure.setTls(tls), code);
    // The old settings count.
    const called = await connect(secure.localAddress, { tls: { ca: authority.cert } });
    assert.equal(called.tls?.authorized, true);
    called.abort();
    await secure.close({ timeoutMs: 0 });
  }
}

test("a servername that is missing is the host; one that is empty is refused", async () => {
  const other = await makeIdentity(authority, { name: "other", dns: ["localhost"] });
  await using wrong = await serve(LISTENER, () => undefined, { tls: other });
  await using right = await serve(LISTENER, () => undefined, { tls: server });
  for (const more of [{}, { servername: undefined }]) {
    const tls = { ca: authority.cert, ...more };
    await assert.rejects(connect(wrong.localAddress, { tls }), { code: "CERTIFICATE_NAME_MISMATCH" });
    const called = await connect(right.localAddress, { tls });
    assert.deepEqual([called.tls?.authorized, called.tls?.servername], [true, "127.0.0.1"]);
    called.abort();
  }
  await refusedByClients("servername", { servername: "" });
});

test("sessions look for the host of their server, too", async () => {
  const other = await makeIdentity(authority, { name: "other", dns: ["localhost"] });
  await using wrong = await serveSessions(work, LISTENER, { handlers, tls: other });
  const tls = { ca: authority.cert, servername: undefined };
  await assert.rejects(connectSession(work, wrong.localAddress, { tls }), { code: "CERTIFICATE_NAME_MISMATCH" });
});

test("startTls of a client looks for the host that was connected to", async () => {
  const other = await makeIdentity(authority, { name: "other", dns: ["other.example"] });
  const tls = { role: "client", ca: authority.cert } as const;
  for (const [identity, host, outcome] of [
    [server, "127.0.0.1", "127.0.0.1"],
    [server, "localhost", "localhost"],
    [other, "127.0.0.1", "CERTIFICATE_NAME_MISMATCH"],
    [other, "localhost", "CERTIFICATE_NAME_MISMATCH"],
  ] as const) {
    await using listener = await listen("tcp://127.0.0.1:0");
    const [called, peer] = await Promise.all([
      connect(`tcp://${host}:${listener.localAddress.port}`),
      listener.accept(),
    ]);
    peer.startTls({ role: "server", ...identity }).catch(() => undefined);
    const upgraded = called.startTls(tls).then(
      (info) => info.servername,
      (error: { code: string }) => error.code,
    );
    assert.equal(await upgraded, outcome, host);
    called.abort();
  }
  // Who was called cannot know it: it must be told, or accept anything.
  await using listener = await listen("tcp://127.0.0.1:0");
  const [caller, peer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
  await refused("startTls", "servername", () => peer.startTls(tls), "OPTION_INVALID");
  caller.startTls({ role: "server", ...server }).catch(() => undefined);
  const info = await peer.startTls({ ...tls, insecure: true });
  assert.deepEqual([info.authorized, info.authorizationError], [false, "ERR_TLS_CERT_ALTNAME_INVALID"]);
  caller.abort();
});

test("protocol names that cannot be sent end no process and no handshake", async () => {
  for (const alpn of [[""], ["h2", ""], ["x".repeat(256)]]) {
    await refusedByClients("alpn", { alpn, servername: "localhost" });
    await refusedByServers("alpn", { ...server, alpn });
  }
  // The longest names, and the longest list of them.
  const alpn = Array.from({ length: 255 }, (_, index) => String(index).padEnd(255, "x"));
  await using listener = await serve(LISTENER, () => undefined, { tls: { ...server, alpn } });
  const called = await connect(listener.localAddress, { tls: { ca: authority.cert, alpn: alpn.slice(30) } });
  assert.equal(called.tls?.alpn, alpn[30]);
  called.abort();
});

test("an empty list of protocol names is none", async () => {
  await using listener = await serve(LISTENER, () => undefined, { tls: { ...server, alpn: [] } });
  for (const alpn of [[], ["h2"], undefined]) {
    const called = await connect(listener.localAddress, { tls: { ca: authority.cert, alpn } });
    assert.equal(called.tls?.alpn, undefined);
    called.abort();
  }
});

test("a server without an identity is refused, also when the settings are renewed", async () => {
  for (const [name, tls] of [
    ["certificate", {}],
    ["certificate", { cert: undefined, key: undefined }],
    ["key", { cert: server.cert }],
    ["cert", { key: server.key }],
    ["cert", { cert: "", key: "" }],
    ["cert", { cert: new Uint8Array(0), key: new Uint8Array(0) }],
    ["sni", { sni: {} }],
    ["sni", { ...server, sni: { "a.example": { cert: server.cert, key: "" } } }],
    ["ca", { ...server, clientCertificate: "require" }],
  ] as const) {
    await refusedByServers(name, tls);
  }
});

test("a certificate and a key of two pairs are refused, also within sni, and the old settings count", async () => {
  const misfit = { cert: server.cert, key: authority.key };
  for (const tls of [misfit, { ...server, sni: { "a.example": misfit } }]) {
    await assert.rejects(listen(LISTENER, { tls }), { code: "CERTIFICATE_INVALID" });
    await using listener = await serve(LISTENER, () => undefined, { tls: server });
    assert.throws(() => listener.setTls(tls), { code: "CERTIFICATE_INVALID", op: "setTls" });
    const called = await connect(listener.localAddress, { tls: { ca: authority.cert } });
    called.abort();
  }
});

test("SNI: capitals on either side, and dots at the end, lead to the certificate of the name", async () => {
  const shop = await makeIdentity(authority, { name: "shop", dns: ["shop.example", "a.wild.example"] });
  const connected: ListenOptions["tls"][] = [
    { ...server, sni: { "shop.example": shop, "*.wild.example": shop } },
    { ...server, sni: { "Shop.Example": shop, "*.WILD.example": shop } },
    { ...server, sni: { "shop.example.": shop, "*.wild.example.": shop } },
    { sni: { "SHOP.example": shop, "*.Wild.Example.": shop } },
  ];
  for (const tls of connected) {
    const asked: string[] = [];
    await using listener = await serve(LISTENER, (peer) => void asked.push(String(peer.tls?.servername)), { tls });
    for (const servername of ["shop.example", "SHOP.example", "shop.example.", "a.wild.example", "A.WILD.example."]) {
      const called = await connect(listener.localAddress, { tls: { ca: authority.cert, servername } });
      assert.equal(called.tls?.peerCertificate?.subject, "shop");
      called.abort();
    }
    const names = ["shop.example", "a.wild.example"];
    assert.ok(
      asked.every((name) => names.includes(name)),
      String(asked),
    );
  }
});

test("a client that sends a dot at the end all the same gets the certificate of the name", async () => {
  const shop = await makeIdentity(authority, { name: "shop", dns: ["shop.example"] });
  await using listener = await serve(LISTENER, () => undefined, { tls: { ...server, sni: { "shop.example": shop } } });
  const { default: tls } = await import("node:tls");
  const { port } = listener.localAddress;
  const raw = tls.connect({ port, host: "127.0.0.1", servername: "Shop.example.", rejectUnauthorized: false });
  await new Promise((resolve) => raw.once("secureConnect", resolve));
  assert.equal(raw.getPeerCertificate().subject.CN, "shop");
  raw.destroy();
});

test("certificates, keys, lists and ciphers that cannot be used are this side's, and named", async () => {
  const other = await makeIdentity(authority, { name: "other", dns: ["localhost"] });
  const trust: readonly (readonly [ca: TlsOptions["ca"], says: string])[] = [
    ["/etc/ssl/ca.pem", "ca holds no certificate"],
    [new X509Certificate(authority.cert).raw, "ca holds no certificate; it is in DER"],
    [server.key, "ca holds no certificate"],
    [[authority.cert, "x"], "ca holds no certificate"],
    [`${authority.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, "ca holds a certificate that"],
  ];
  for (const [ca, says] of trust) {
    await refusedByClients(says, { ca }, "CERTIFICATE_INVALID");
    await refusedByServers(says, { ...server, ca }, "CERTIFICATE_INVALID");
  }
  const own: readonly (readonly [TlsOptions, says: string])[] = [
    [{ cert: server.cert, key: other.key }, "key do not belong together"],
    [{ cert: "x", key: server.key }, "cert holds no certificate"],
    [{ cert: server.cert, key: "y" }, "key holds no private key"],
    [{ ...server, crl: "z" }, "crl holds no revocation list"],
  ];
  for (const [tls, says] of own) {
    await refusedByClients(says, tls, "CERTIFICATE_INVALID");
    await refusedByServers(says, tls, "CERTIFICATE_INVALID");
  }
  await refusedByServers(
    "sni.x.test.cert and",
    { sni: { "x.test": { ...server, key: other.key } } },
    "CERTIFICATE_INVALID",
  );
  await refusedByClients("ciphers names no cipher", { ciphers: "NONSENSE" });
  await refusedByServers("ciphers names no cipher", { ...server, ciphers: "NONSENSE" });
});
