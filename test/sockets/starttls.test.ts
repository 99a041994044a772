import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import tls from "node:tls";
import { lines } from "../../src/framing.ts";
import { connect, ConnectError, listen, pair, type StreamSocket, UsageError } from "../../src/index.ts";
import { expectError, reasonOf } from "../../src/testing/expect-error.ts";
import { PatternCheck, pending, sendPattern, textToEnd } from "../../src/testing/stream/check.ts";
import { testCertificates } from "../fixtures/certificates.ts";

/* TLS on a connection that has already spoken plain text, in both roles (docs/semantics.md, rule A8). */

const { authority, server } = await testCertificates();
const asServer = { role: "server", ...server } as const;
const asClient = { role: "client", ca: authority.cert, servername: "localhost" } as const;

async function connected(
  address = "tcp://127.0.0.1:0",
): Promise<readonly [client: StreamSocket, server: StreamSocket]> {
  const listener = await listen(address);
  const both = await Promise.all([connect(listener.localAddress), listener.accept()]);
  await listener.close();
  return both;
}

/** Waits until so many bytes have come that nobody has read. */
async function arrived(socket: StreamSocket, byteCount: number): Promise<void> {
  while (socket.bytesReceived < byteCount) await nextTurn();
}

/** The plain part of a session, and TLS behind it. */
async function upgrade(client: StreamSocket, peer: StreamSocket): Promise<void> {
  await client.write("STARTTLS\r\n");
  assert.equal(String(await peer.readUntil("\r\n")), "STARTTLS\r\n");
  await peer.write("220 go ahead\r\n");
  assert.equal(String(await client.readUntil("\r\n")), "220 go ahead\r\n");
  const [info] = await Promise.all([client.startTls(asClient), peer.startTls(asServer)]);
  assert.equal(info, client.tls);
  assert.deepEqual([info.authorized, info.peerCertificate?.subject], [true, "server"]);
}

test("both sides change to TLS and carry on", async () => {
  const [client, peer] = await connected();
  await upgrade(client, peer);
  const addresses = [client.localAddress, client.remoteAddress].map(String);
  assert.deepEqual(addresses, [peer.remoteAddress, peer.localAddress].map(String));
  const both = [client, peer].map(async (socket) => {
    await sendPattern(socket, 1_000_000, 100_000);
    await socket.end();
  });
  for (const socket of [client, peer]) {
    const received = new PatternCheck();
    for await (const piece of socket) received.next(piece);
    assert.equal(received.bytes, 1_000_000);
  }
  await Promise.all(both);
  assert.deepEqual([(await client.closed).how, (await peer.closed).how], ["ended", "ended"]);
});

test("also over a Unix socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zocalo-starttls-"));
  try {
    const [client, peer] = await connected(`unix:${folder}/tls.sock`);
    await upgrade(client, peer);
    await client.write("secret");
    assert.equal(String(await peer.readExactly(6)), "secret");
    client.abort();
    peer.abort();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("bytes that were looked at, or read and put back, go to TLS", async () => {
  for (const look of [
    (peer: StreamSocket) => peer.peek(1),
    async (peer: StreamSocket) => {
      const first = await peer.readExactly(3);
      peer.unread(first);
      return first;
    },
  ]) {
    const [client, peer] = await connected();
    const calling = client.startTls(asClient);
    // The first byte of TLS: a record of the handshake (RFC 8446 section 5.1).
    assert.equal((await look(peer))[0], 22);
    await Promise.all([calling, peer.startTls(asServer)]);
    await client.write("secret");
    assert.equal(String(await peer.readExactly(6)), "secret");
    client.abort();
    peer.abort();
  }
});

test("plain bytes injected behind the command never reach the application of the server", async () => {
  const [client, peer] = await connected();
  await client.write("STARTTLS\r\nMAIL FROM:<attacker>\r\n");
  await arrived(peer, 32);
  assert.equal(String(await peer.readUntil("\r\n")), "STARTTLS\r\n");
  const reading = pending(client.startTls(asClient));
  await expectError(peer.startTls(asServer), { code: "TLS_FAILED", op: "startTls", type: ConnectError });
  await assert.rejects(peer.read());
  assert.notEqual((await peer.closed).how, "ended");
  await assert.rejects(reading);
});

for (const inHandler of [false, true]) {
  const where = inHandler ? "in a handler of onMessages" : "after receive";
  test(`a framed reader that was detached ${where}: what was injected behind the command goes to TLS`, async () => {
    const [client, peer] = await connected();
    await client.write("STARTTLS\r\nMAIL FROM:<attacker>\r\nhalf a li");
    await arrived(peer, 41);
    const commands = peer.framed(lines());
    let upgrading: Promise<unknown> | undefined;
    if (inHandler) {
      const heard: string[] = [];
      const done = commands.onMessages((line) => {
        heard.push(line);
        upgrading = pending(commands.detach().startTls(asServer));
      });
      await expectError(done, { code: "CLOSED", op: "onMessages" });
      assert.deepEqual(heard, ["STARTTLS"]);
    } else {
      assert.equal(await commands.receive(), "STARTTLS");
      upgrading = commands.detach().startTls(asServer);
    }
    const reading = pending(client.startTls(asClient));
    await expectError(upgrading as Promise<unknown>, { code: "TLS_FAILED", op: "startTls", type: ConnectError });
    await assert.rejects(peer.read());
    await assert.rejects(reading);
  });
}

test("messages before and after the handshake, with the answer sent through the framed socket", async () => {
  const [client, peer] = await connected();
  const commands = peer.framed(lines());
  const serving = (async () => {
    assert.equal(await commands.receive(), "STARTTLS");
    void commands.send("220 go ahead");
    await commands.flush();
    await commands.detach().startTls(asServer);
    const secure = peer.framed(lines());
    await secure.send(`secret ${await secure.receive()}`);
  })();
  const plain = client.framed(lines());
  await plain.send("STARTTLS");
  assert.equal(await plain.receive(), "220 go ahead");
  await plain.detach().startTls(asClient);
  const secure = client.framed(lines());
  await secure.send("hola");
  assert.equal(await secure.receive(), "secret hola");
  await serving;
  client.abort();
  peer.abort();
});

test("plain bytes injected behind the answer never reach the application of the client", async () => {
  const [client, peer] = await connected();
  await peer.write("220 go ahead\r\n250 all is well\r\n");
  await arrived(client, 31);
  assert.equal(String(await client.readUntil("\r\n")), "220 go ahead\r\n");
  await expectError(client.startTls(asClient), { code: "TLS_FAILED", op: "startTls", type: ConnectError });
  await assert.rejects(client.read());
  await assert.rejects(client.write("x"));
  peer.abort();
});

test("a hello that came before startTls belongs to the handshake", async () => {
  const listener = await listen("tcp://127.0.0.1:0");
  const raw = net.connect({ port: listener.localAddress.port, host: "127.0.0.1" });
  const peer = await listener.accept();
  raw.write("STARTTLS\r\n");
  const client = tls.connect({ socket: raw, ca: authority.cert, servername: "localhost" });
  client.on("secureConnect", () => client.write("at once"));
  await arrived(peer, 100);
  assert.equal(String(await peer.readUntil("\r\n")), "STARTTLS\r\n");
  await peer.startTls(asServer);
  assert.equal(String(await peer.readExactly(7)), "at once");
  client.destroy();
  peer.abort();
  await listener.close();
});

test("only an open, plain connection without pending calls can change to TLS", async () => {
  const refused = { code: "OPTION_INVALID", op: "startTls", type: UsageError } as const;
  const [client, peer] = await connected();
  const reading = pending(client.read());
  await expectError(client.startTls(asClient), refused);
  await peer.write("x");
  assert.equal(String(await reading), "x");
  const writing = client.write(Buffer.alloc(48 * 1_048_576));
  await expectError(client.startTls(asClient), refused);
  await peer.readExactly(48 * 1_048_576);
  await writing;
  await upgrade(client, peer);
  await expectError(client.startTls(asClient), refused);
  await client.end();
  client.abort();
  peer.abort();

  const [ended, other] = await connected();
  await ended.end();
  await expectError(ended.startTls(asClient), refused);
  ended.abort();
  await expectError(ended.startTls(asClient), refused);
  other.abort();
});

test("a pair in memory has no TLS, and is lost when that is tried", async () => {
  const [left, right] = pair();
  await expectError(left.startTls(asClient), { code: "UNSUPPORTED", op: "startTls", type: UsageError });
  await expectError(right.read(), { code: "CONNECTION_RESET" });
});

test("a peer that does not answer: the time-out and the signal end the connection", async () => {
  for (const role of [asClient, asServer]) {
    const [client, peer] = await connected();
    await expectError(client.startTls({ ...role, timeoutMs: 10 }), { code: "TIMEOUT", op: "startTls" });
    assert.equal((await client.closed).how, "aborted");
    await expectError(textToEnd(peer), { code: "CONNECTION_RESET" });

    const [second, other] = await connected();
    const controller = new AbortController();
    const upgrading = pending(second.startTls({ ...role, signal: controller.signal }));
    await nextTurn();
    controller.abort("not now");
    assert.equal(await reasonOf(upgrading), "not now");
    assert.equal((await second.closed).how, "aborted");
    await expectError(textToEnd(other), { code: "CONNECTION_RESET" });
  }
});

test("a certificate that does not do ends the connection, and says why", async () => {
  const [client, peer] = await connected();
  const upgrading = pending(peer.startTls(asServer));
  const refused = client.startTls({ ...asClient, servername: "other.example" });
  await expectError(refused, { code: "CERTIFICATE_NAME_MISMATCH", op: "startTls", type: ConnectError });
  await assert.rejects(upgrading.then(() => peer.readExactly(1)));
  assert.equal((await client.closed).how, "reset");
  await expectError(client.read(), { code: "CERTIFICATE_NAME_MISMATCH", op: "read" });
});

test("settings that do not fit are refused", async () => {
  const [client, peer] = await connected();
  const misfit = { role: "server", cert: server.cert, key: authority.key } as const;
  await expectError(peer.startTls(misfit), { code: "CERTIFICATE_INVALID", op: "startTls" });
  client.abort();
});

test("under a framed reader nobody looks at bytes or puts them back; after detach again", async () => {
  const [a, b] = pair();
  await a.write("ab");
  await b.readExactly(2);
  const framed = b.framed(lines());
  await expectError(b.peek(1), { code: "READER_TAKEN", op: "peek" });
  await expectError(b.expect(/x/), { code: "READER_TAKEN", op: "expect" });
  assert.throws(() => b.unread(Buffer.from("ab")), { code: "READER_TAKEN" });
  framed.detach().unread(Buffer.from("ab"));
  assert.equal(String(await b.readExactly(2)), "ab");
  a.abort();
  b.abort();
});
