/** What only TLS agrees on, against raw `node:tls`, as client and as server. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import tls from "node:tls";
import { connect, listen } from "../../src/index.ts";
import { expectError } from "../../src/testing/expect-error.ts";
import { makeIdentity } from "../fixtures/certificates.ts";
import { authority, cleanup, identity, kept, quiet, rawListener, tlsOwnCalls, tlsRawCalls } from "./raw-pairs.ts";

test("ALPN, SNI and the authority, with a raw server", async (t) => {
  t.after(cleanup);
  const special = await makeIdentity(authority, { name: "special", dns: ["special.example"] });
  const { own, raw } = await tlsOwnCalls(
    { alpn: ["plaza/2", "plaza/1"], servername: "special.example" },
    {
      ALPNProtocols: ["plaza/1"],
      SNICallback: (name, answer) => {
        assert.equal(name, "special.example");
        answer(null, tls.createSecureContext(special));
      },
    },
  );
  assert.deepEqual([own.tls?.alpn, own.tls?.authorized, own.tls?.servername], ["plaza/1", true, "special.example"]);
  assert.equal(own.tls?.peerCertificate?.subject, "special");
  assert.equal((raw as tls.TLSSocket).alpnProtocol, "plaza/1");
});

test("ALPN, SNI and the authority, with a raw client", async (t) => {
  t.after(cleanup);
  const special = await makeIdentity(authority, { name: "special", dns: ["special.example"] });
  const { own, raw } = await tlsRawCalls(
    { alpn: ["plaza/2", "plaza/1"], sni: { "special.example": special } },
    { ALPNProtocols: ["plaza/1"], servername: "special.example" },
  );
  assert.deepEqual([own.tls?.alpn, own.tls?.servername], ["plaza/1", "special.example"]);
  const socket = raw as tls.TLSSocket;
  assert.deepEqual([socket.authorized, socket.alpnProtocol], [true, "plaza/1"]);
  assert.equal(socket.getPeerCertificate().subject.CN, "special");
});

test("mutual TLS in both roles", async (t) => {
  t.after(cleanup);
  const client = await makeIdentity(authority, { name: "client" });
  const called = await tlsOwnCalls(client, { requestCert: true, ca: authority.cert });
  const shown = called.raw as tls.TLSSocket;
  assert.deepEqual([shown.authorized, shown.getPeerCertificate().subject.CN], [true, "client"]);
  const calling = await tlsRawCalls({ clientCertificate: "require", ca: authority.cert }, client);
  assert.deepEqual([calling.own.tls?.authorized, calling.own.tls?.peerCertificate?.subject], [true, "client"]);
});

test("a raw client without the certificate that is required is told so", async (t) => {
  t.after(cleanup);
  await using listener = await listen("tls://127.0.0.1:0", {
    tls: { ...identity, clientCertificate: "require", ca: authority.cert },
  });
  const raw = quiet(tls.connect({ port: listener.localAddress.port, host: "127.0.0.1", ca: authority.cert }));
  const [error] = (await once(raw.resume(), "error")) as [NodeJS.ErrnoException];
  assert.match(String(error.code), /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/);
  while (listener.stats.refused.handshake === 0) await nextTurn();
  assert.deepEqual([listener.stats.open, listener.stats.accepted], [0, 0]);
});

test("TLS 1.2 in both roles, and what is older not at all", async (t) => {
  t.after(cleanup);
  const old = { maxVersion: "TLSv1.2" } as const;
  assert.equal((await tlsOwnCalls({}, old)).own.tls?.protocol, "TLSv1.2");
  assert.equal((await tlsRawCalls({}, old)).own.tls?.protocol, "TLSv1.2");
  const listener = await rawListener({ port: 0, host: "127.0.0.1" }, { ...identity, ...old });
  const tooOld = { ca: authority.cert, minVersion: "TLSv1.3" } as const;
  await expectError(connect(`tls://127.0.0.1:${listener.port}`, { tls: tooOld }), {
    code: "TLS_FAILED",
    op: "connect",
  });
  const ancient = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await using own = await listen("tls://127.0.0.1:0", { tls: identity });
  const raw = quiet(tls.connect({ port: own.localAddress.port, host: "127.0.0.1", ca: authority.cert, ...ancient }));
  await once(raw, "error");
  while (own.stats.refused.handshake === 0) await nextTurn();
  assert.equal(own.stats.open, 0);
});

test("a raw client resumes its TLS session", async (t) => {
  t.after(cleanup);
  await using listener = await listen("tls://127.0.0.1:0", { tls: identity });
  const options = { port: listener.localAddress.port, host: "127.0.0.1", ca: authority.cert, servername: "localhost" };
  const first = quiet(tls.connect(options));
  const ticket = once(first, "session");
  const peer = kept(await listener.accept());
  await peer.write("x");
  const [session] = (await ticket) as [Buffer];
  assert.equal(first.isSessionReused(), false);
  const again = quiet(tls.connect({ ...options, session }));
  const [resumed] = await Promise.all([listener.accept(), once(again, "secureConnect")]);
  kept(resumed);
  assert.equal(again.isSessionReused(), true);
  again.write("hola");
  assert.equal(String(await resumed.readExactly(4)), "hola");
});

test("a TLS 1.2 client that renegotiates without end is cut", async (t) => {
  t.after(cleanup);
  const { own, raw } = await tlsRawCalls({}, { maxVersion: "TLSv1.2" });
  const client = raw as tls.TLSSocket;
  const cut = own.closed.then(() => false);
  const renegotiate = (): Promise<boolean> => {
    return new Promise((resolve) => client.renegotiate({}, (error) => resolve(error === null)));
  };
  let rounds = 0;
  while (rounds < 20 && (await Promise.race([renegotiate(), cut]))) rounds += 1;
  assert.equal(rounds, tls.CLIENT_RENEG_LIMIT);
  const { how, error } = await own.closed;
  assert.deepEqual([how, error?.code], ["reset", "TLS_FAILED"]);
});
