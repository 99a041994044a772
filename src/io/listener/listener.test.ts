import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, test } from "node:test";
import { testCertificates } from "../../../test/fixtures/certificates.ts";
import { Address } from "../../core/address/address.ts";
import { ProtocolError, ZocaloError } from "../../core/errors.ts";
import { formatProxyHeader, type ProxyHeaderInit } from "../../core/proxy/format.ts";
import { type ProxyHeader, type ProxyTlv, proxyTlvTypes } from "../../core/proxy/header.ts";
import { connect, type Listener, type ListenOptions, listen, nodeNetwork, type StreamSocket } from "../../index.ts";
import { expectError } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { textToEnd } from "../../testing/stream/check.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";

/*
 * Who may come in, on the listeners of the kernel: the PROXY protocol (docs/semantics.md, rule A7), the lists, and the limits
 * per address.
 * Headers of a trusted proxy let one machine stand for many.
 */

const unix = { skip: process.platform === "win32" };

const announced: StreamSocket[] = [];
afterEach(() => {
  for (const socket of announced.splice(0)) socket.abort();
});

const TRUST_LOOPBACK: ListenOptions = { proxyProtocol: { from: ["127.0.0.0/8", "::1"] } };

function header(source: string, version: 1 | 2 = 2): Uint8Array {
  const client = Address.parse({ host: source, port: 4321, transport: "tcp" });
  const destination = client.with({ host: client.family === 6 ? "2001:db8::ffff" : "198.51.100.1", port: 80 });
  return formatProxyHeader({ version, source: client, destination });
}

/** Connects as a proxy that announces `source`. */
async function announce(listener: Listener, source: string, then: string | Uint8Array = ""): Promise<StreamSocket> {
  const { localAddress: at } = listener;
  const called = await connect(at.isIp ? at.with({ transport: "tcp" }) : at);
  announced.push(called);
  await called.write([header(source), then]);
  return called;
}

/** The reset may come even before `connect` has an answer. */
async function turnedAway(calling: StreamSocket | Promise<StreamSocket>): Promise<void> {
  await expectError(Promise.resolve(calling).then(textToEnd), { code: "CONNECTION_RESET" });
}

for (const version of [1, 2] as const) {
  for (const source of ["192.0.2.7", "2001:db8::7"]) {
    test(`version ${version}: a trusted proxy announces ${source}; what follows is the client's`, async () => {
      await using listener = await listen("tcp://127.0.0.1:0", TRUST_LOOPBACK);
      const called = await connect(listener.localAddress);
      await called.write([header(source, version), "first "]);
      const peer = await listener.accept();
      const expected = Address.parse({ host: source, port: 4321, transport: "tcp" });
      assert.equal(String(peer.remoteAddress), String(expected));
      assert.equal(String(peer.localAddress), String(listener.localAddress));
      assert.equal(String(await peer.readExactly(6)), "first ");
      await called.write("second");
      assert.equal(String(await peer.readExactly(6)), "second");
      await called.end();
      assert.equal(await peer.read(), null);
      const error = await expectError(peer.readExactly(1), { code: "END_OF_STREAM" });
      assert.equal(error.remote, String(expected));
      peer.abort();
    });

    test(`version ${version}: a header for ${source} that comes byte by byte`, async () => {
      await using listener = await listen("tcp://127.0.0.1:0", TRUST_LOOPBACK);
      const called = await connect(listener.localAddress);
      const accepting = listener.accept();
      for (const byte of [...header(source, version), 0x78]) await called.write(Uint8Array.of(byte));
      const peer = await accepting;
      assert.equal(peer.remoteAddress.host, source);
      assert.equal(String(await peer.read()), "x");
      peer.abort();
    });
  }
}

test("a header without addresses leaves the proxy's own address", async () => {
  await using listener = await listen("tcp://127.0.0.1:0", TRUST_LOOPBACK);
  const nothing: readonly ProxyHeaderInit[] = [{ version: 1 }, { version: 2 }, { version: 2, command: "local" }];
  for (const init of nothing) {
    const called = await connect(listener.localAddress);
    await called.write(formatProxyHeader(init));
    const peer = await listener.accept();
    assert.equal(String(peer.remoteAddress), String(called.localAddress));
    peer.abort();
  }
});

test("from anybody else a header is data, and is never parsed", async () => {
  await using listener = await listen("tcp://127.0.0.1:0", { proxyProtocol: { from: ["10.0.0.0/8", "192.0.2.7"] } });
  const called = await announce(listener, "192.0.2.7", "hola");
  const peer = await listener.accept();
  assert.equal(String(peer.remoteAddress), String(called.localAddress));
  const sent = Buffer.concat([header("192.0.2.7"), Buffer.from("hola")]);
  assert.ok(sent.equals(await peer.readExactly(sent.length)));
  peer.abort();
});

test("a trusted proxy without a valid header is turned away at once", async () => {
  await using listener = await listen("tcp://127.0.0.1:0", TRUST_LOOPBACK);
  const wrong = [
    "GET / HTTP/1.1\r\n\r\n",
    "PROXY TCP4 1.2.3.4\r\n",
    "\r\n\r\n\0\r\nQUIX",
    "PROXY TCP4 ".padEnd(200, "1"),
  ];
  for (const [index, bytes] of wrong.entries()) {
    const called = await connect(listener.localAddress);
    await called.write(bytes);
    await turnedAway(called);
    assert.equal(listener.stats.refused.handshake, index + 1);
  }
  const called = await connect(listener.localAddress);
  await called.write("PROXY TCP4");
  await called.end();
  await turnedAway(called);
  assert.deepEqual([listener.stats.refused.handshake, listener.stats.accepted, listener.stats.open], [5, 0, 0]);
});

test("what the proxy says reaches the program; without a proxy nothing is said", async () => {
  const client = Address.parse("tcp://192.0.2.7:4321");
  const destination = Address.parse("tcp://198.51.100.1:443");
  const text = (type: number, value: string): ProxyTlv => ({ type, value: Buffer.from(value) });
  // proxy-protocol.txt section 2.2.6: TLS, a certificate on this connection, verified; version and common name.
  const ssl = Buffer.concat([
    Uint8Array.of(3, 0, 0, 0, 0, 0x21, 0, 7),
    Buffer.from("TLSv1.3"),
    Uint8Array.of(0x22, 0, 3),
    Buffer.from("Ana"),
  ]);
  const tlvs = [
    text(proxyTlvTypes.authority, "shop.example"),
    text(proxyTlvTypes.alpn, "h2"),
    text(proxyTlvTypes.uniqueId, "id"),
    { type: proxyTlvTypes.ssl, value: ssl },
    text(0xe0, "own"),
  ];
  await using listener = await listen("tcp://127.0.0.1:0", TRUST_LOOPBACK);
  const said = async (init: ProxyHeaderInit): Promise<ProxyHeader | undefined> => {
    const called = await connect(listener.localAddress);
    await called.write(formatProxyHeader(init));
    const peer = await listener.accept();
    called.abort();
    peer.abort();
    return peer.proxy;
  };
  const full = await said({ version: 2, source: client, destination, tlvs });
  assert.deepEqual(
    [full?.version, full?.command, String(full?.source), String(full?.destination)],
    [2, "proxy", "tcp://192.0.2.7:4321", "tcp://198.51.100.1:443"],
  );
  assert.deepEqual([full?.authority, full?.alpn, String(full?.uniqueId)], ["shop.example", "h2", "105,100"]);
  assert.deepEqual(
    [full?.ssl?.tls, full?.ssl?.verified, full?.ssl?.version, full?.ssl?.commonName, full?.ssl?.cipher],
    [true, true, "TLSv1.3", "Ana", undefined],
  );
  assert.deepEqual(full?.tlvs.at(-1), { type: 0xe0, value: Uint8Array.from(Buffer.from("own")) });
  const line = await said({ version: 1, source: client, destination });
  assert.deepEqual(
    [line?.version, String(line?.destination), line?.authority, line?.ssl, line?.tlvs],
    [1, "tcp://198.51.100.1:443", undefined, undefined, []],
  );
  const own = await said({ version: 2, command: "local" });
  assert.deepEqual([own?.command, own?.source, own?.destination], ["local", undefined, undefined]);

  await using plain = await listen("tcp://127.0.0.1:0", { proxyProtocol: { from: ["192.0.2.0/24"] } });
  const called = await connect(plain.localAddress);
  const peer = await plain.accept();
  assert.deepEqual([peer.proxy, called.proxy], [undefined, undefined]);
  called.abort();
  peer.abort();
});

test("on a Unix socket whoever may use its file is trusted, and must announce its peer", unix, async (t) => {
  const folder = temporaryFolder(t);
  const proxyProtocol = { from: ["unix"] };
  const deny = ["192.0.2.66"];
  await using listener = await listen(`unix:${folder}/x.sock`, {
    proxyProtocol,
    deny,
    limits: { maxConnectionsPerAddress: 1 },
  });
  const first = await announce(listener, "192.0.2.7", "hola");
  const peer = await listener.accept();
  assert.equal(String(peer.remoteAddress), "tcp://192.0.2.7:4321");
  assert.equal(String(peer.localAddress), `unix:${folder}/x.sock`);
  assert.equal(String(peer.proxy?.destination), "tcp://198.51.100.1:80");
  assert.equal(String(await peer.readExactly(4)), "hola");
  // A Unix socket has no reset: whoever is turned away sees an end.
  for (const source of ["192.0.2.66", "192.0.2.7"]) {
    const called = await announce(listener, source);
    assert.equal(await called.read().catch(() => null), null);
  }
  const without = await connect(listener.localAddress);
  announced.push(without);
  await without.write("GET / HTTP/1.1\r\n");
  assert.equal(await without.read().catch(() => null), null);
  const { denied, handshake, "max-connections-per-address": perAddress } = listener.stats.refused;
  assert.deepEqual([denied, perAddress, handshake], [1, 1, 1]);
  first.abort();
  peer.abort();
});

test("the error of a header names the handshake and both addresses", async (t) => {
  const errors: ZocaloError[] = [];
  const hear = (event: unknown): void => void errors.push((event as { readonly error: ZocaloError }).error);
  subscribe("zocalo:error", hear);
  t.after(() => unsubscribe("zocalo:error", hear));
  await using listener = await listen("tcp://127.0.0.1:0", TRUST_LOOPBACK);
  const called = await connect(listener.localAddress);
  await called.write("GET / HTTP/1.1\r\n\r\n");
  await turnedAway(called);
  const error = errors.find(({ local }) => local === String(listener.localAddress));
  assert.ok(error instanceof ProtocolError);
  assert.deepEqual([error.code, error.op, error.side], ["PROXY_HEADER_INVALID", "handshake", "remote"]);
  assert.equal(error.remote, String(called.localAddress));
});

test("a trusted proxy that sends no header is turned away after timeouts.handshakeMs", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const network = { ...nodeNetwork, clock };
  await using listener = await listen("tcp://127.0.0.1:0", {
    ...TRUST_LOOPBACK,
    network,
    timeouts: { handshakeMs: 500 },
  });
  const silent = await connect(listener.localAddress);
  const slow = await connect(listener.localAddress);
  await slow.write("PROXY TCP4 192.0.2.7");
  while (listener.stats.open < 2) await clock.turn();
  await clock.advance(499);
  assert.equal(listener.stats.open, 2);
  await clock.advance(1);
  assert.deepEqual([listener.stats.open, listener.stats.refused.handshake, clock.pending], [0, 2, 0]);
  await turnedAway(silent);
  await turnedAway(slow);
});

test("the header comes before TLS", async () => {
  const { authority, server } = await testCertificates();
  await using listener = await listen("tls://127.0.0.1:0", { ...TRUST_LOOPBACK, tls: server });
  for (const version of [1, 2] as const) {
    const called = await connect(listener.localAddress.with({ transport: "tcp" }));
    await called.write(header("192.0.2.7", version));
    await called.startTls({ role: "client", ca: authority.cert, servername: "localhost" });
    await called.write("secret");
    const peer = await listener.accept();
    assert.equal(String(peer.remoteAddress), "tls://192.0.2.7:4321");
    assert.notEqual(peer.tls, undefined);
    assert.equal(String(await peer.readExactly(6)), "secret");
    await peer.write("answer");
    assert.equal(String(await called.readExactly(6)), "answer");
    peer.abort();
  }
  const without = connect(listener.localAddress, { tls: { ca: authority.cert } });
  await assert.rejects(without, (error) => error instanceof ZocaloError);
  assert.equal(listener.stats.refused.handshake, 1);
});

test("the lists hold for the announced peer; deny is stronger than allow", async () => {
  await using listener = await listen("tcp://127.0.0.1:0", {
    ...TRUST_LOOPBACK,
    allow: ["192.0.2.0/24", "2001:db8::/32"],
    deny: ["192.0.2.66", "2001:db8:bad::/48"],
  });
  for (const [source, reason] of [
    ["192.0.2.1", undefined],
    ["192.0.2.66", "denied"],
    ["198.51.100.1", "not-allowed"],
    ["2001:db8::1", undefined],
    ["2001:db8:bad::1", "denied"],
    ["::ffff:192.0.2.66", "denied"],
    ["::ffff:192.0.2.1", undefined],
  ] as const) {
    const before = reason === undefined ? 0 : listener.stats.refused[reason];
    const called = await announce(listener, source);
    if (reason === undefined) {
      const peer = await listener.accept();
      assert.equal(peer.remoteAddress.host, source.replace("::ffff:", ""));
      peer.abort();
    } else {
      await turnedAway(called);
      assert.equal(listener.stats.refused[reason], before + 1, source);
    }
  }
  assert.equal(listener.stats.open, 0);
});

test("the lists hold for peers that come by themselves, mapped ones too", async () => {
  await using denied = await listen("tcp://127.0.0.1:0", { deny: ["127.0.0.0/8"] });
  await turnedAway(connect(denied.localAddress));
  assert.equal(denied.stats.refused.denied, 1);
  await using dual = await listen("tcp://[::]:0", { allow: ["::1"] });
  const { port } = dual.localAddress;
  await turnedAway(connect(`tcp://127.0.0.1:${port}`));
  assert.equal(dual.stats.refused["not-allowed"], 1);
  const called = await connect(`tcp://[::1]:${port}`);
  const peer = await dual.accept();
  assert.equal(String(peer.localAddress), `tcp://[::1]:${port}`);
  peer.abort();
  called.abort();
});

test("maxConnectionsPerAddress counts each IPv4 address and each IPv6 /64; places come back", async () => {
  await using listener = await listen("tcp://127.0.0.1:0", {
    ...TRUST_LOOPBACK,
    limits: { maxConnectionsPerAddress: 2 },
  });
  const enter = async (source: string): Promise<StreamSocket> => {
    await announce(listener, source);
    return await listener.accept();
  };
  const refused = async (source: string): Promise<void> => {
    const before = listener.stats.refused["max-connections-per-address"];
    await turnedAway(announce(listener, source));
    assert.equal(listener.stats.refused["max-connections-per-address"], before + 1);
  };
  const first = await enter("192.0.2.1");
  await enter("::ffff:192.0.2.1");
  await refused("192.0.2.1");
  await enter("192.0.2.2");
  const sixth = await enter("2001:db8:1:2::1");
  await enter("2001:db8:1:2:ffff:ffff:ffff:ffff");
  await refused("2001:db8:1:2:8000::");
  await enter("2001:db8:1:3::1");
  first.abort();
  sixth.abort();
  await enter("192.0.2.1");
  await enter("2001:db8:1:2:abcd::");
  await refused("192.0.2.1");
  await refused("2001:db8:1:2::1");
});

test("a failed TLS handshake gives its places back", async () => {
  const { authority, server } = await testCertificates();
  const limits = { limits: { maxConnections: 1, maxConnectionsPerAddress: 1 } };
  await using listener = await listen("tls://127.0.0.1:0", { tls: server, ...limits });
  for (let round = 0; round < 5; round += 1) {
    const rude = await connect(listener.localAddress.with({ transport: "tcp" }));
    await rude.write("no TLS here\r\n\r\n");
    await textToEnd(rude).catch(() => "");
    rude.abort();
  }
  assert.deepEqual([listener.stats.refused.handshake, listener.stats.open], [5, 0]);
  const [called, peer] = await Promise.all([
    connect(listener.localAddress, { tls: { ca: authority.cert } }),
    listener.accept(),
  ]);
  called.abort();
  peer.abort();
});
