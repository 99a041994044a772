/** Peers that say nothing, say it slowly, or never say goodbye. The time is moved by hand. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { nodeNetwork, type Peer, type ZocaloError } from "../../src/index.ts";
import { ManualClock } from "../../src/testing.ts";
import { Listener, gone, type Kind, kinds, PROXY_HEADER } from "./listeners.ts";
import { nothingEscapes } from "./escapes.ts";

const SILENT = 2000;
const POLITE = 50;

nothingEscapes();

/** A network whose time stands still, and how far it has to go. */
function stopped() {
  const clock = new ManualClock(nodeNetwork.clock);
  return { clock, network: { ...nodeNetwork, clock } };
}

function kindOf(name: string): Kind {
  const kind = kinds.find((one) => one.name === name);
  assert.ok(kind !== undefined, name);
  return kind;
}

const plain = kindOf("tcp");
/** Those who must say something before they are let in. */
const guarded = kinds.filter(({ tls, proxy }) => tls || proxy);

/** Silent connections, in portions that a backlog can hold. */
async function crowd(listener: Listener, size: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < size) {
    const portion = Math.min(100, size - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: portion }, () => listener.knock()))));
  }
  return sockets;
}

async function allClosed(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) await gone(socket.resume());
}

for (const kind of [plain, ...guarded.filter(({ tls, proxy }) => !(tls && proxy))]) {
  test(`${kind.name}: ${SILENT} silent connections while others are served, and their end`, async () => {
    const { clock, network } = stopped();
    const listener = await Listener.open(kind, { network, limits: { maxHandshakes: 2 * SILENT } });
    const sockets = await crowd(listener, SILENT);
    for (let served = 0; served < POLITE; served += 10) {
      await Promise.all(Array.from({ length: 10 }, () => listener.serves()));
    }
    while (listener.server.stats.open < SILENT) await clock.turn();
    const inside = kind === plain;
    assert.equal(listener.server.peers.size, inside ? SILENT : 0);
    // The default limits of a server: 10 seconds for a handshake, 5 minutes for a silence.
    await clock.advance(inside ? 300_000 : 10_000);
    await allClosed(sockets);
    const { open, accepted, refused } = listener.server.stats;
    assert.deepEqual([open, accepted], [0, POLITE + (inside ? SILENT : 0)]);
    assert.equal(refused.handshake, inside ? 0 : SILENT);
    assert.equal(listener.thrown.length, inside ? SILENT : 0);
    for (const error of listener.thrown) assert.equal((error as ZocaloError).code, "IDLE_TIMEOUT");
    await listener.serves();
    await listener.closes();
    assert.equal(clock.pending, 0);
  });
}

for (const kind of guarded) {
  test(`${kind.name}: who says its opening byte by byte is cut when the time is over, progress or not`, async () => {
    const { clock, network } = stopped();
    const listener = await Listener.open(kind, { network });
    const socket = await listener.knock();
    const closed = gone(socket);
    for (const byte of kind.proxy ? PROXY_HEADER.slice(0, 9) : "\x16\x03\x01\x01\x00\x01\x00\x00\xfc") {
      socket.write(byte, "latin1");
      await clock.advance(1000);
    }
    assert.deepEqual([listener.server.stats.open, listener.server.stats.refused.handshake], [1, 0]);
    socket.write("!");
    await clock.advance(1000);
    assert.deepEqual([listener.server.stats.open, listener.server.stats.refused.handshake], [0, 1]);
    await closed;
    await listener.closes();
  });
}

for (const kind of kinds) {
  test(`${kind.name}: a slow line keeps the idle limit away, but not the lifetime`, async () => {
    const { clock, network } = stopped();
    const listener = await Listener.open(kind, { network, timeouts: { idleMs: 1000, lifetimeMs: 4500 } });
    const { stream, socket } = await listener.enter();
    while (listener.server.peers.size === 0) await clock.turn();
    const received = (): number => [...listener.server.peers][0]?.bytesReceived ?? 0;
    for (let step = 1; step < 5; step += 1) {
      stream.write("x");
      while (received() < step) await clock.turn();
      await clock.advance(999);
      assert.equal(listener.server.peers.size, 1);
    }
    stream.write("x");
    while (received() < 5) await clock.turn();
    await clock.advance(4500 - 4 * 999);
    assert.deepEqual(
      listener.thrown.map((error) => (error as ZocaloError).code),
      ["LIFETIME_EXCEEDED"],
    );
    await allClosed([socket]);
    await listener.closes();
  });

  test(`${kind.name}: a peer that never ends its side is left after lingerMs, whatever idleMs is`, async () => {
    const { clock, network } = stopped();
    const handler = (peer: Peer): Promise<void> => peer.write("goodbye\n");
    const listener = await Listener.open(kind, { network, handler, timeouts: { idleMs: 1000 } });
    const { stream, socket } = await listener.enter();
    await once(stream.resume(), "end");
    const [peer] = listener.server.peers;
    assert.equal(listener.server.peers.size, 1);
    await clock.advance(1000);
    peer?.setIdleTimeout(500);
    await clock.advance(999);
    assert.equal(listener.server.peers.size, 1);
    await clock.advance(1);
    assert.deepEqual([listener.server.peers.size, listener.server.stats.open], [0, 0]);
    assert.equal((await peer?.closed)?.how, "closed");
    socket.destroy();
    await listener.closes();
    assert.deepEqual(listener.thrown, []);
  });

  test(`${kind.name}: a peer that goes on sending after the answer is left after lingerBytes`, async () => {
    const { network } = stopped();
    const listener = await Listener.open(kind, { network, handler: (peer) => peer.write("goodbye\n") });
    const { stream, socket } = await listener.enter();
    const closed = gone(socket);
    stream.resume();
    socket.on("close", () => stream.destroy());
    const flood = Buffer.alloc(65_536);
    const more = (): void => {
      while (!stream.destroyed && stream.write(flood));
    };
    stream.on("drain", more);
    more();
    await closed;
    await listener.closes();
    assert.deepEqual(listener.thrown, []);
  });

  test(`${kind.name}: a peer that takes no answer costs a close that is told`, async () => {
    const { clock, network } = stopped();
    const handler = (peer: { write(bytes: Uint8Array): Promise<void> }): void => {
      peer.write(Buffer.alloc(15 * 1_048_576)).catch(() => undefined);
    };
    const listener = await Listener.open(kind, { network, handler });
    const { socket } = await listener.enter();
    socket.pause();
    while (listener.server.peers.size === 0) await clock.turn();
    // Under TLS the kernel's buffers fill up in several turns of the event loop; then nothing moves for 10 seconds.
    for (let waitedMs = 0; waitedMs < 20_000 && listener.server.peers.size > 0; waitedMs += 500)
      await clock.advance(500);
    assert.deepEqual([listener.server.peers.size, listener.server.stats.open], [0, 0]);
    assert.deepEqual(
      listener.thrown.map((error) => (error as ZocaloError).code),
      ["TIMEOUT"],
    );
    socket.destroy();
    await listener.closes();
  });

  test(`${kind.name}: a listener that closes turns away who is still outside, and cuts who is inside`, async () => {
    const listener = await Listener.open(kind);
    const outside = kind === plain ? [] : await crowd(listener, 5);
    const { socket } = await listener.enter();
    while (listener.server.peers.size === 0) await new Promise((resolve) => void setImmediate(resolve));
    await listener.server.close({ timeoutMs: 0 });
    await allClosed([...outside, socket]);
    assert.deepEqual([listener.server.peers.size, listener.server.stats.open], [0, 0]);
  });
}
