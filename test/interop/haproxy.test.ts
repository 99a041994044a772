/** PROXY headers with haproxy, which defined them: it sends to us, and it receives from us. Skipped where it is missing. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { formatProxyHeader } from "../../src/core/proxy/format.ts";
import {
  Address,
  connect,
  type Peer,
  type ProxyHeader,
  serve,
  type ServeOptions,
  type Server,
  type StreamSocket,
} from "../../src/index.ts";
import { textToEnd } from "../../src/testing/stream/check.ts";
import { makeIdentity, testCertificates } from "../fixtures/certificates.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { gate } from "../fixtures/gate.ts";
import { freePort, launched, missing } from "../fixtures/programs.ts";

const READY_MS = 20_000;

const { authority, server: identity } = await testCertificates();

/** One way through haproxy, on loopback: what it takes, and how it passes that on. */
interface Way {
  /** Words behind its own address, such as `accept-proxy`. */
  readonly takes?: string;
  /** The port of the next hop, or its path, and words such as `send-proxy-v2`. */
  readonly to: number | string;
  readonly gives?: string;
}

const SETTINGS = `
global
  maxconn 100
defaults
  mode tcp
  unique-id-format "%{+X}o %ci:%cp"
  retries 0
  timeout connect 20s
  timeout client 60s
  timeout server 60s
`;

/** Starts haproxy with these ways; answers the port of each. It is ended with the test. */
async function haproxy(t: TestContext, ways: readonly Way[]): Promise<readonly number[]> {
  const folder = temporaryFolder(t);
  const ports: number[] = [];
  let text = SETTINGS;
  for (const [index, { takes = "", to, gives = "" }] of ways.entries()) {
    const port = await freePort();
    const next = typeof to === "number" ? `127.0.0.1:${to}` : `unix@${to}`;
    ports.push(port);
    text += `listen way${index}\n  bind 127.0.0.1:${port} ${takes}\n  server next ${next} ${gives}\n`;
  }
  const file = join(folder, "haproxy.cfg");
  await writeFile(file, text);
  launched(t, ["haproxy", "-db", "-f", file]);
  return ports;
}

/** Tells each client who it is, and which line it sent; trusts loopback as its proxy. */
async function witness(t: TestContext, options: ServeOptions = {}): Promise<Server> {
  const tell = async (peer: Peer): Promise<void> => {
    const line = await peer.readUntil("\n");
    await peer.write(`${String(peer.remoteAddress)} ${String(line)}`);
  };
  const address = options.tls === undefined ? "tcp://127.0.0.1:0" : "tls://127.0.0.1:0";
  const server = await serve(address, tell, { proxyProtocol: { from: ["127.0.0.0/8"] }, ...options });
  t.after(() => server.close({ timeoutMs: 0 }));
  return server;
}

/** Calls through haproxy, as soon as it is up. */
function through(port: number): Promise<StreamSocket> {
  return connect(`tcp://127.0.0.1:${port}`, { retry: { timeoutMs: READY_MS } });
}

async function ask(call: StreamSocket): Promise<string> {
  await call.write("hola\n");
  const answer = await textToEnd(call);
  await call.close();
  return answer;
}

describe("haproxy", { skip: missing("haproxy") }, () => {
  for (const [version, gives] of [
    ["1", "send-proxy"],
    ["2", "send-proxy-v2"],
    ["2 with TLVs", "send-proxy-v2 proxy-v2-options crc32c,unique-id"],
  ] as const) {
    test(`announces our client with version ${version}`, async (t) => {
      const server = await witness(t);
      const [port = 0] = await haproxy(t, [{ to: server.localAddress.port, gives }]);
      const call = await through(port);
      const own = String(call.localAddress);
      assert.equal(await ask(call), `${own} hola\n`);
      const { accepted, refused } = server.stats;
      assert.deepEqual([accepted, refused.handshake], [1, 0]);
    });

    test(`version ${version}, and TLS behind it`, async (t) => {
      const server = await witness(t, { tls: identity });
      const [port = 0] = await haproxy(t, [{ to: server.localAddress.port, gives }]);
      const call = await through(port);
      const own = String(call.localAddress).replace("tcp:", "tls:");
      await call.startTls({ role: "client", ca: authority.cert, servername: "localhost" });
      assert.equal(await ask(call), `${own} hola\n`);
    });
  }

  test("its lists and limits hold for the announced peer, not for haproxy", async (t) => {
    const server = await witness(t, { deny: ["127.0.0.0/8"] });
    const [port = 0] = await haproxy(t, [{ to: server.localAddress.port, gives: "send-proxy-v2" }]);
    const call = await through(port);
    await call.write("hola\n");
    // haproxy passes the reset on as an end, or as a reset.
    assert.equal(await textToEnd(call).catch(() => ""), "");
    assert.equal(server.stats.refused.denied, 1);
    call.abort();
  });

  test("its own health checks are no clients", async (t) => {
    const { open: checked, opened: seen } = gate();
    const peers: string[] = [];
    const server = await serve(
      "tcp://127.0.0.1:0",
      (peer) => {
        peers.push(peer.remoteAddress.host);
        checked();
      },
      { proxyProtocol: { from: ["127.0.0.1"] } },
    );
    t.after(() => server.close({ timeoutMs: 0 }));
    const gives = "send-proxy-v2 check check-send-proxy inter 100ms";
    await haproxy(t, [{ to: server.localAddress.port, gives }]);
    await seen;
    // LOCAL: the connection is the proxy's own, so its address stands (PROXY protocol, section 2.2).
    assert.equal(peers[0], "127.0.0.1");
    assert.equal(server.stats.refused.handshake, 0);
  });

  test("refuses nothing of what we write, and passes the address on", async (t) => {
    const server = await witness(t);
    const { port: to } = server.localAddress;
    const [port = 0] = await haproxy(t, [{ takes: "accept-proxy", to, gives: "send-proxy-v2" }]);
    for (const version of [1, 2] as const) {
      for (const [source, destination] of [
        ["192.0.2.7:1234", "192.0.2.8:80"],
        ["[2001:db8::7]:65535", "[2001:db8::8]:1"],
        ["0.0.0.0:0", "255.255.255.255:65535"],
      ] as const) {
        const call = await through(port);
        const ends = { source: Address.parse(`tcp://${source}`), destination: Address.parse(`tcp://${destination}`) };
        await call.write(formatProxyHeader({ version, ...ends }));
        assert.equal(await ask(call), `tcp://${source} hola\n`, `version ${version}`);
      }
    }
    const call = await through(port);
    await call.write(formatProxyHeader({ version: 2, command: "local" }));
    assert.match(await ask(call), /^tcp:\/\/127\.0\.0\.1:\d+ hola\n$/);
  });

  test("a client that writes its own header through it is the client that haproxy saw", async (t) => {
    const server = await witness(t);
    const [port = 0] = await haproxy(t, [{ to: server.localAddress.port, gives: "send-proxy" }]);
    const call = await through(port);
    const own = String(call.localAddress);
    await call.write("PROXY TCP4 192.0.2.66 192.0.2.67 1 2\r\nhola\n");
    assert.equal(await textToEnd(call), `${own} PROXY TCP4 192.0.2.66 192.0.2.67 1 2\r\n`);
    await call.close();
  });

  test("a header from a source that is not trusted is never parsed", async (t) => {
    const server = await witness(t, { proxyProtocol: { from: ["192.0.2.0/24"] } });
    const [port = 0] = await haproxy(t, [{ to: server.localAddress.port, gives: "send-proxy" }]);
    const call = await through(port);
    assert.match(await ask(call), /^tcp:\/\/127\.0\.0\.1:\d+ PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/);
  });

  test("haproxy without a header to a listener that requires one is turned away", async (t) => {
    const server = await witness(t);
    const [port = 0] = await haproxy(t, [{ to: server.localAddress.port }]);
    const call = await through(port);
    await call.write("hola\n");
    assert.equal(await textToEnd(call).catch(() => ""), "");
    assert.deepEqual([server.stats.accepted, server.stats.refused.handshake], [0, 1]);
    call.abort();
  });

  test("what it says of the client's TLS reaches the program, over TCP and over a Unix socket", async (t) => {
    const folder = temporaryFolder(t);
    const client = await makeIdentity(authority, { name: "Ana" });
    const [pem, ca, path] = ["server.pem", "ca.pem", "backend.sock"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(pem, `${identity.cert}\n${identity.key}`);
    await writeFile(ca, authority.cert);
    const tell = async (peer: Peer): Promise<void> => {
      const { proxy } = peer;
      await peer.write(
        `${JSON.stringify({ ...proxy, tlvs: proxy?.tlvs.length, remote: String(peer.remoteAddress) })}\n`,
      );
    };
    const tcp = await serve("tcp://127.0.0.1:0", tell, { proxyProtocol: { from: ["127.0.0.1"] } });
    const unix = await serve(`unix:${path}`, tell, { proxyProtocol: { from: ["unix"] }, mode: 0o600 });
    t.after(() => Promise.all([tcp.close({ timeoutMs: 0 }), unix.close({ timeoutMs: 0 })]));
    const takes = `ssl crt ${pem} ca-file ${ca} verify optional alpn h2,chat`;
    const options = "ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,unique-id,crc32c";
    const gives = `send-proxy-v2 proxy-v2-options ${options}`;
    const ports = await haproxy(t, [
      { takes, to: tcp.localAddress.port, gives },
      { takes, to: path, gives },
    ]);
    for (const port of ports) {
      for (const shown of [{}, client]) {
        const tls = { ca: authority.cert, servername: "localhost", alpn: ["chat"], ...shown };
        const call = await connect(`tls://127.0.0.1:${port}`, { retry: { timeoutMs: READY_MS }, tls });
        const told = JSON.parse(String(await call.readUntil("\n"))) as ProxyHeader & { readonly remote: string };
        assert.equal(told.remote, `tcp://${call.localAddress.hostPort}`);
        assert.deepEqual([told.version, told.command, told.alpn, told.authority], [2, "proxy", "chat", "localhost"]);
        assert.match(Buffer.from(Object.values(told.uniqueId ?? {})).toString(), /^7F000001:[0-9A-F]{4}$/);
        const { ssl } = told;
        const known = "cert" in shown;
        assert.deepEqual(
          [ssl?.tls, ssl?.version, ssl?.commonName, ssl?.certificateOnConnection, ssl?.verified],
          [true, "TLSv1.3", known ? "Ana" : undefined, known, known],
        );
        assert.match(ssl?.cipher ?? "", /^TLS_AES/);
        assert.match(ssl?.keyAlgorithm ?? "", /^EC/);
        call.abort();
      }
    }
  });

  test("the address that the client connected to is told", async (t) => {
    const server = await serve(
      "tcp://127.0.0.1:0",
      (peer) => peer.write(`${peer.proxy?.version} ${String(peer.proxy?.destination)}`),
      { proxyProtocol: { from: ["127.0.0.1"] } },
    );
    t.after(() => server.close({ timeoutMs: 0 }));
    const to = server.localAddress.port;
    const ports = await haproxy(t, [
      { to, gives: "send-proxy" },
      { to, gives: "send-proxy-v2" },
    ]);
    for (const [index, port] of ports.entries()) {
      const call = await through(port);
      assert.equal(await textToEnd(call), `${index + 1} tcp://127.0.0.1:${port}`);
      await call.close();
    }
  });
});
