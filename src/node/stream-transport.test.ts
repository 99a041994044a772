import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { testCertificates } from "../../test/fixtures/certificates.ts";
import { connect, listen, type StreamSocket } from "../index.ts";
import { assertError, expectError } from "../testing/expect-error.ts";
import { patternBytes, PatternCheck, pending } from "../testing/stream/check.ts";

/*
 * What the kernel does to connections, and what becomes of it: above all that a reset is never told as an end
 * (docs/semantics.md, rule A1), which Node 20 and 22 do to a paused socket.
 */

/** More than is read ahead, less than the kernel holds. */
const UNREAD_BYTES = 150_000;
/** The defect of Node showed in 30 of 30 runs. */
const ROUNDS = 20;

type Ends = readonly [reader: StreamSocket, peer: StreamSocket];

/** Runs `body` on fresh connections, with the accepted side and then the connecting side as the reader. */
async function onBothSides(scheme: "tcp" | "tls", body: (...ends: Ends) => Promise<void>): Promise<void> {
  const { authority, server } = await testCertificates();
  await using listener = await listen(`${scheme}://127.0.0.1:0`, scheme === "tls" ? { tls: server } : {});
  for (let round = 0; round < ROUNDS; round += 1) {
    const calling = connect(listener.localAddress, scheme === "tls" ? { tls: { ca: authority.cert } } : {});
    const [called, accepted] = await Promise.all([calling, listener.accept()]);
    const [reader, peer] = round % 2 === 0 ? [called, accepted] : [accepted, called];
    try {
      await body(reader, peer);
    } finally {
      reader.abort();
      peer.abort();
    }
  }
}

/** Sends what the reader does not read, and returns when the reader has read ahead what it may. */
async function sendUnread(reader: StreamSocket, peer: StreamSocket): Promise<void> {
  await peer.write(patternBytes(0, UNREAD_BYTES));
  while (reader.bytesReceived < 65_536) await nextTurn();
}

/** Reads to the end, slowly: a little at a time, and the event loop turns in between. */
async function readSlowly(reader: StreamSocket): Promise<number> {
  const received = new PatternCheck();
  for (
    let piece = await reader.read({ maxBytes: 4000 });
    piece !== null;
    piece = await reader.read({ maxBytes: 4000 })
  ) {
    received.next(piece);
    await nextTurn();
  }
  return received.bytes;
}

/** Reads to the end, as fast as it comes. */
async function readFast(reader: StreamSocket): Promise<number> {
  const received = new PatternCheck();
  for await (const piece of reader) received.next(piece);
  return received.bytes;
}

const reset = { code: "CONNECTION_RESET", op: "read", side: "remote" } as const;

for (const scheme of ["tcp", "tls"] as const) {
  for (const [name, read] of [
    ["paused", readFast],
    ["slow", readSlowly],
  ] as const) {
    test(`${scheme}: a reset behind unread data is a reset to a ${name} reader`, async () => {
      await onBothSides(scheme, async (reader, peer) => {
        await sendUnread(reader, peer);
        peer.abort();
        await nextTurn();
        await expectError(read(reader), reset);
        assert.equal((await reader.closed).how, "reset");
      });
    });

    test(`${scheme}: an end behind unread data is an end to a ${name} reader`, async () => {
      await onBothSides(scheme, async (reader, peer) => {
        await sendUnread(reader, peer);
        await peer.end();
        assert.equal(await read(reader), UNREAD_BYTES);
        await reader.write("still open");
        assert.equal(String(await peer.readExactly(10)), "still open");
      });
    });

    test(`${scheme}: when both sides have ended, the end is an end to a ${name} reader`, async () => {
      await onBothSides(scheme, async (reader, peer) => {
        await reader.end();
        await sendUnread(reader, peer);
        await peer.end();
        await peer.closed;
        assert.equal(await read(reader), UNREAD_BYTES);
        assert.equal((await reader.closed).how, "ended");
      });
    });
  }

  test(`${scheme}: an end stays an end when the peer is gone and resets what comes later`, async () => {
    await onBothSides(scheme, async (reader, peer) => {
      await sendUnread(reader, peer);
      await peer.end();
      await peer.close({ lingerMs: 1 });
      // The peer's kernel answers this with a reset.
      void pending(reader.write("anybody there?"));
      await nextTurn();
      assert.equal(await readSlowly(reader), UNREAD_BYTES);
    });
  });
}

for (const [name, read] of [
  ["paused", readFast],
  ["slow", readSlowly],
] as const) {
  test(`tcp: a reset behind unread data is a reset to a ${name} reader that has ended its own side`, async () => {
    await onBothSides("tcp", async (reader, peer) => {
      await reader.end();
      assert.equal(await peer.read(), null);
      await sendUnread(reader, peer);
      peer.abort();
      await nextTurn();
      await expectError(read(reader), reset);
      assert.equal((await reader.closed).how, "reset");
    });
  });
}

test("tls: after this side has ended, a hidden reset cannot be told from an end; it is one of the two", async () => {
  await onBothSides("tls", async (reader, peer) => {
    await reader.end();
    assert.equal(await peer.read(), null);
    await sendUnread(reader, peer);
    peer.abort();
    const outcome = await readFast(reader).catch((error: unknown) => error);
    if (typeof outcome !== "number") assertError(outcome, reset);
  });
});

test("a reset is seen although nobody reads", async () => {
  await onBothSides("tcp", async (reader, peer) => {
    peer.abort();
    assert.equal((await reader.closed).how, "reset");
  });
});

test("a connection may be reset at any moment, from inside any call", async () => {
  for (const scheme of ["tcp", "tls"] as const) {
    let round = 0;
    await onBothSides(scheme, async (reader, peer) => {
      round += 1;
      const limit = round * 10_000;
      const feeding = pending(peer.write([Buffer.alloc(300_000), Buffer.alloc(300_000)]));
      const reading = (async () => {
        for await (const piece of reader) if (piece.length > 0 && reader.bytesReceived > limit) reader.abort();
      })();
      await expectError(reading, { code: "CONNECTION_ABORTED", op: "read" });
      await feeding.catch((error: unknown) => assertError(error, { code: "CONNECTION_RESET", op: "write" }));
    });
  }
});

test("noDelay, keep-alive and byte counts reach the socket of Node", async () => {
  await onBothSides("tcp", async (reader, peer) => {
    const native = reader.interop.native as net.Socket;
    assert.ok(native instanceof net.Socket);
    const calls: unknown[][] = [];
    native.setNoDelay = (...input) => (calls.push(["noDelay", ...input]), native);
    native.setKeepAlive = (...input) => (calls.push(["keepAlive", ...input]), native);
    for (const on of [false, true]) reader.tcp.setNoDelay(on);
    reader.tcp.setKeepAlive(true, 30_000);
    reader.tcp.setKeepAlive(false);
    assert.deepEqual(calls, [
      ["noDelay", false],
      ["noDelay", true],
      ["keepAlive", true, 30_000],
      ["keepAlive", false, 0],
    ]);
    await peer.write("x");
    await reader.read();
  });
});

test("peers of node:net: bytes both ways, half-close, reset", async () => {
  await using listener = await listen("tcp://127.0.0.1:0");
  const raw = net.connect({ port: listener.localAddress.port, host: "127.0.0.1", allowHalfOpen: true });
  const peer = await listener.accept();
  assert.equal(peer.remoteAddress.port, raw.localPort);
  raw.end("question");
  assert.equal(String(await peer.readExactly(8)), "question");
  assert.equal(await peer.read(), null);
  await peer.write("answer");
  const [answer] = (await once(raw, "data")) as [Buffer];
  assert.equal(String(answer), "answer");
  await peer.close();
  await once(raw, "close");

  const resetting = net.connect({ port: listener.localAddress.port, host: "127.0.0.1" });
  const second = await listener.accept();
  resetting.write("x");
  await second.readExactly(1);
  resetting.resetAndDestroy();
  await expectError(second.read(), reset);
});

test("a connection sends small writes at once, unless it is told not to", async (context) => {
  const setNoDelay = context.mock.method(net.Socket.prototype, "setNoDelay");
  await using listener = await listen("tcp://127.0.0.1:0");
  const asked: unknown[] = [];
  for (const noDelay of [undefined, true, false]) {
    const call = await connect(listener.localAddress, { tcp: { noDelay } });
    asked.push(setNoDelay.mock.calls.map(({ arguments: [on] }) => on));
    setNoDelay.mock.resetCalls();
    call.abort();
  }
  assert.deepEqual(asked, [[true], [true], []]);
});
