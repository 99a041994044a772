/** Peers that send, or come, without end: what a server keeps of it is bounded. */

import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect, listen, type Peer, type ZocaloError } from "../../src/index.ts";
import { lines } from "../../src/framing.ts";
import { MOST_READ_AHEAD_BYTES } from "../../src/testing/stream/check.ts";
import { Listener, gone, type Kind, kinds } from "./listeners.ts";
import { nothingEscapes } from "./escapes.ts";
import { gate } from "../fixtures/gate.ts";

const FLOOD_BYTES = 32 * 1_048_576;
/** So many turns of the event loop are enough for bytes to arrive that are going to. */
const TURNS = 500;
/** One TLS record at most is on its way through the engine (RFC 8446 section 5.1), and one read of the kernel behind it. */
const TLS_BYTES = 2 * 65_536;

nothingEscapes();

async function quiet(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
}

/** A server whose handler starts with `begin` and then waits; and its peer. */
async function sleepy(kind: Kind, begin: (peer: Peer) => void = () => undefined) {
  const { open: came, opened: inside } = gate<Peer>();
  const listener = await Listener.open(kind, {
    handler: async (peer) => {
      begin(peer);
      came(peer);
      await peer.closed;
    },
  });
  const { stream, socket } = await listener.enter();
  const peer = await inside;
  return { listener, stream, socket, peer };
}

function codes(listener: Listener): readonly string[] {
  return listener.thrown.map((error) => (error as ZocaloError).code);
}

for (const kind of kinds) {
  for (const [how, begin] of [
    ["nobody reads", () => undefined],
    ["a framed reader does not ask", (peer: Peer) => void peer.framed(lines())],
  ] as const) {
    test(`${kind.name}: a flood that ${how}`, async () => {
      const { listener, stream, socket, peer } = await sleepy(kind, begin);
      stream.write(Buffer.alloc(FLOOD_BYTES, "x\n"));
      while (peer.bytesReceived < 65_536) await nextTurn();
      await quiet();
      const most = MOST_READ_AHEAD_BYTES + (kind.tls ? TLS_BYTES : 0);
      assert.ok(peer.bytesReceived <= most, `${peer.bytesReceived} bytes are kept`);
      socket.destroy();
      stream.destroy();
      peer.abort();
      await listener.closes();
    });
  }

  test(`${kind.name}: a line without an end`, async () => {
    let received = 0;
    const listener = await Listener.open(kind, {
      handler: async (peer) => {
        try {
          await kind.handler(peer);
        } finally {
          received = peer.bytesReceived;
        }
      },
    });
    const { stream, socket } = await listener.enter();
    stream.resume().write(Buffer.alloc(FLOOD_BYTES, "x"));
    await gone(socket);
    await listener.closes();
    assert.deepEqual(codes(listener), [kind.name === "tcp, framed" ? "FRAME_TOO_LONG" : "DELIMITER_NOT_FOUND"]);
    assert.ok(received <= MOST_READ_AHEAD_BYTES, `${received} bytes were taken`);
    stream.destroy();
  });

  test(`${kind.name}: more connections than are allowed`, async () => {
    const listener = await Listener.open(kind, { limits: { maxConnections: 20 } });
    const sockets = await Promise.all(Array.from({ length: 200 }, () => listener.knock()));
    const left = sockets.map((socket) => gone(socket.resume()));
    // Where they are in a handshake, those that came first make room for those that came later.
    const refused = (): number =>
      listener.server.stats.refused[kind.tls || kind.proxy ? "max-handshakes" : "max-connections"];
    while (refused() < 180) await nextTurn();
    assert.equal(listener.server.stats.open, 20);
    for (const socket of sockets) socket.destroy();
    await Promise.all(left);
    while (listener.server.stats.open > 0) await nextTurn();
    await listener.serves();
    await listener.closes();
    assert.equal(refused(), 180);
  });

  test(`${kind.name}: more connections of one peer than are allowed, again and again`, {
    skip: kind.transport === "unix",
  }, async () => {
    const listener = await Listener.open(kind, { limits: { maxConnectionsPerAddress: 3 } });
    const refused = (): number => listener.server.stats.refused["max-connections-per-address"];
    for (let round = 1; round <= 5; round += 1) {
      const inside = [await listener.enter(), await listener.enter(), await listener.enter()];
      while (listener.server.peers.size < 3) await nextTurn();
      const fourth = await listener.knock();
      if (kind.proxy) fourth.write("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
      await gone(fourth.resume());
      assert.equal(refused(), round);
      for (const { stream, socket } of inside) {
        socket.destroy();
        stream.destroy();
      }
      while (listener.server.stats.open > 0) await nextTurn();
    }
    await listener.serves();
    await listener.closes();
  });

  test(`${kind.name}: a peer that asks without end and takes no answer stops being read`, async () => {
    const listener = await Listener.open(kind);
    const { stream, socket } = await listener.enter();
    socket.pause();
    stream.pause();
    const asking = flood(stream, "hola\n".repeat(10_000));
    while (listener.server.peers.size === 0) await nextTurn();
    const [peer] = [...listener.server.peers] as [Peer];
    let before = -1;
    while (peer.bytesReceived !== before) {
      before = peer.bytesReceived;
      await quiet();
    }
    // Not read yet, being decoded, gathered, waiting for the kernel: each has room for one read of 64 KiB or two.
    const kept = peer.bytesReceived - peer.bytesSent;
    assert.ok(kept <= 3 * MOST_READ_AHEAD_BYTES + (kind.tls ? TLS_BYTES : 0), `${kept} bytes are kept`);
    asking.stop();
    socket.destroy();
    stream.destroy();
    peer.abort();
    await listener.closes();
  });
}

/** Writes `text` as often as the stream takes it. */
function flood(stream: Duplex, text: string): { stop(): void } {
  const more = (): void => {
    while (!stream.destroyed && stream.write(text));
  };
  stream.on("drain", more);
  more();
  return { stop: () => void stream.off("drain", more) };
}

for (const kind of kinds.filter(({ proxy }) => proxy)) {
  test(`${kind.name}: a header without an end, and the longest there can be`, async () => {
    const listener = await Listener.open(kind);
    const text = Buffer.from(`PROXY TCP4 ${"1".repeat(FLOOD_BYTES)}`);
    // Version 2: 16 bytes, and 65,535 that are no address and no record.
    const binary = Buffer.concat([
      Buffer.from("0d0a0d0a000d0a515549540a2111ffff", "hex"),
      Buffer.alloc(FLOOD_BYTES, 0xff),
    ]);
    for (const header of [text, binary]) {
      const socket = await listener.knock();
      socket.resume().write(header);
      await gone(socket);
    }
    assert.equal(listener.server.stats.refused.handshake, 2);
    await listener.serves();
    await listener.closes();
  });
}

test("more connections than wait in the queue of a listener that nobody asks", async () => {
  await using listener = await listen("tcp://127.0.0.1:0", { limits: { maxWaitingConnections: 5 } });
  const calls = await Promise.all(Array.from({ length: 50 }, () => connect(listener.localAddress)));
  while (listener.stats.refused["max-waiting-connections"] < 45) await nextTurn();
  assert.equal(listener.stats.open, 5);
  await listener.close();
  assert.equal(listener.stats.open, 0);
  for (const call of calls) {
    await assert.rejects(call.read(), { code: "CONNECTION_RESET" });
    call.abort();
  }
});

test("a handler that writes without waiting is told before it all waits in memory", async () => {
  const [tcp] = kinds as [Kind];
  const outcomes: unknown[] = [];
  const { listener, socket, peer } = await sleepy(tcp, (opened) => {
    const piece = Buffer.alloc(100_000);
    for (let sent = 0; sent < FLOOD_BYTES; sent += piece.length) {
      opened.write(piece).catch((error: unknown) => outcomes.push(error));
    }
  });
  await quiet();
  // 16 MiB is the default of maxWriteQueueBytes; the kernels hold some more.
  assert.ok(outcomes.length > (FLOOD_BYTES - 24 * 1_048_576) / 100_000);
  for (const error of outcomes) assert.equal((error as ZocaloError).code, "QUEUE_FULL");
  peer.abort();
  await gone(socket.resume());
  await listener.closes();
});

test("a handler of messages that answers without waiting is told before it all waits in memory", async () => {
  const [tcp] = kinds as [Kind];
  const refused: unknown[] = [];
  let accepted = 0;
  const { listener, socket, peer } = await sleepy(tcp, (opened) => {
    const text = opened.framed(lines({ maxLineBytes: 65_536 }));
    const answer = "x".repeat(60_000);
    text
      .onMessages(() => {
        const sent = text.send(answer);
        accepted += 1;
        sent.catch((error: unknown) => {
          accepted -= 1;
          refused.push(error);
        });
      })
      .catch(() => undefined);
  });
  socket.pause();
  socket.write("y\n".repeat(1000));
  while (peer.bytesReceived < 2000) await nextTurn();
  await quiet();
  assert.ok(refused.length > 0);
  for (const error of refused) assert.equal((error as ZocaloError).code, "QUEUE_FULL");
  // maxWriteQueueBytes, and what the kernels hold.
  assert.ok(accepted * 60_000 < 24 * 1_048_576, `${accepted} answers wait`);
  peer.abort();
  await gone(socket.resume());
  await listener.closes();
});
