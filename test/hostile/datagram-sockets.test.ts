/** Datagram sockets under a flood, and with peers that come and go. */

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { bind, type DatagramSocket, serveDatagrams, ZocaloError } from "../../src/index.ts";
import { lines } from "../../src/framing.ts";
import { nothingEscapes } from "./escapes.ts";
import { gate } from "../fixtures/gate.ts";

const FLOOD = 5000;
const LIMIT = 100;
/** One turn of the event loop may bring so many at once: the kernel's buffer is read until it is empty. */
const BATCH = 1000;

nothingEscapes();

/** A raw socket that never looks at what comes back. */
async function rude(): Promise<Socket> {
  const socket = createSocket("udp4").on("error", () => undefined);
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** Sends one datagram; resolves when the kernel has it. */
function sendFrom(socket: Socket, data: string | Buffer, port: number): Promise<void> {
  return new Promise((resolve) => {
    socket.send(data, port, "127.0.0.1", () => resolve());
  });
}

/** Sends as fast as the kernel takes it; what the receiver counts at the end is all that can be known. */
async function flood(port: number, look: () => void, payload = Buffer.alloc(100, "x")): Promise<void> {
  const from = await rude();
  for (let sent = 0; sent < FLOOD; sent += 1) {
    from.send(payload, port, "127.0.0.1");
    if (sent % 20 !== 0) continue;
    await nextTurn();
    look();
  }
  for (let turn = 0; turn < 100; turn += 1) await nextTurn();
  look();
  from.close();
}

for (const policy of ["drop-oldest", "drop-newest", "strict"] as const) {
  test(`${policy}: a flood that nobody reads stays within the limits, and is counted`, async () => {
    const box = await bind("udp://127.0.0.1:0", { overflow: policy, limits: { maxReceiveQueueDatagrams: LIMIT } });
    let most = 0;
    await flood(box.localAddress.port, () => {
      most = Math.max(most, box.stats.datagramsWaiting);
    });
    const { datagramsReceived, datagramsDropped, datagramsWaiting, bytesWaiting, bytesDropped } = box.stats;
    assert.equal(most, LIMIT);
    assert.equal(datagramsReceived, datagramsDropped + datagramsWaiting);
    assert.deepEqual([datagramsWaiting, bytesWaiting], [LIMIT, LIMIT * 100]);
    assert.equal(bytesDropped, datagramsDropped * 100);
    assert.equal((await box.receiveMany(FLOOD)).length, LIMIT);
    if (policy === "strict") await assert.rejects(box.receive(), { code: "QUEUE_FULL" });
    await answersItself(box);
    await box.close();
  });
}

test("block: a flood that nobody reads stays in the kernel", async () => {
  const box = await bind("udp://127.0.0.1:0", { overflow: "block", limits: { maxReceiveQueueDatagrams: LIMIT } });
  let most = 0;
  await flood(box.localAddress.port, () => {
    most = Math.max(most, box.stats.datagramsWaiting);
  });
  assert.ok(most > LIMIT && most <= LIMIT + BATCH, `${most} waited`);
  const { datagramsReceived, datagramsDropped, datagramsWaiting } = box.stats;
  assert.deepEqual([datagramsDropped, datagramsReceived], [0, datagramsWaiting]);
  while (box.stats.datagramsWaiting > 0) {
    await box.receiveMany(LIMIT);
    await nextTurn();
  }
  await answersItself(box);
  await box.close();
});

/** The datagram socket still works: what it sends to itself arrives. */
async function answersItself(box: DatagramSocket): Promise<void> {
  while (box.stats.datagramsWaiting > 0) await box.receive();
  await box.send("goes on", box.localAddress);
  assert.equal(String((await box.receive()).data), "goes on");
}

test("the queue is bounded in bytes too", async () => {
  const limits = { limits: { maxReceiveQueueBytes: 100_000 } };
  const box = await bind("udp://127.0.0.1:0", limits);
  let most = 0;
  const look = (): void => {
    most = Math.max(most, box.stats.bytesWaiting);
  };
  await flood(box.localAddress.port, look, Buffer.alloc(30_000));
  assert.equal(most, 90_000);
  await box.close();
});

test("a server whose handlers never come to an end takes so many and no more", async () => {
  const { open: release, opened: held } = gate();
  let most = 0;
  const server = await serveDatagrams("udp://127.0.0.1:0", () => held, {
    limits: { maxConcurrentRequests: 10, maxReceiveQueueDatagrams: LIMIT },
  });
  await flood(server.localAddress.port, () => {
    most = Math.max(most, server.stats.requestsActive);
    assert.ok(server.stats.datagramsWaiting <= LIMIT);
  });
  assert.equal(most, 10);
  const draining = server.close();
  release();
  const { finished, cut, dropped } = await draining;
  assert.deepEqual([finished, cut, dropped], [10, 0, LIMIT]);
  assert.equal(server.stats.requestsActive, 0);
});

test("handlers that throw, reject, and answer what cannot be sent", async () => {
  const thrown: unknown[] = [];
  const answers: readonly (() => unknown)[] = [
    () => {
      throw new Error("thrown");
    },
    () => Promise.reject(new Error("rejected")),
    () => Buffer.alloc(70_000),
    () => 5,
    {} as () => unknown,
  ];
  let turn = 0;
  const handler = (): never => answers[turn++ % answers.length]?.() as never;
  const server = await serveDatagrams("udp://127.0.0.1:0", handler, { onError: (error) => void thrown.push(error) });
  const from = await rude();
  for (let sent = 0; sent < answers.length; sent += 1) from.send("x", server.localAddress.port, "127.0.0.1");
  while (server.stats.requestsHandled < answers.length) await nextTurn();
  assert.equal(server.stats.requestsFailed, answers.length);
  assert.equal(thrown.length, answers.length);
  from.close();
  await server.close({ timeoutMs: 0 });
});

test("answers to senders that are gone", async () => {
  const server = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => data);
  for (let round = 0; round < 50; round += 1) {
    const from = await rude();
    await sendFrom(from, "x", server.localAddress.port);
    from.close();
  }
  while (server.stats.requestsHandled < 50) await nextTurn();
  const box = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  await box.send("still there?");
  assert.equal(String((await box.receive()).data), "still there?");
  await box.close();
  await server.close({ timeoutMs: 0 });
});

test("a peer that goes and comes again: the loss is told once for each call, and the datagram socket goes on", async () => {
  const first = await rude();
  const { port } = first.address();
  const box = await bind("udp://127.0.0.1:0", { remote: { host: "127.0.0.1", port } });
  for (let round = 0; round < 5; round += 1) {
    const peer = round === 0 ? first : createSocket("udp4").bind(port, "127.0.0.1");
    if (round > 0) await once(peer, "listening");
    const asked = once(peer, "message");
    await box.send("are you there?");
    await asked;
    peer.close();
    await once(peer, "close");
    const waiting = box.receive();
    waiting.catch(() => undefined);
    await box.send("and now?");
    await assert.rejects(waiting, { code: "CONNECTION_REFUSED" });
  }
  await box.close();
});

test("garbage to a reader of messages costs the datagrams, not the datagram socket", async () => {
  const box = await bind("udp://127.0.0.1:0");
  const { port } = box.localAddress;
  const text = box.framed(lines());
  const from = await rude();
  for (const wrong of [Buffer.from([0xff, 0xfe, 0x0a]), "no end", "two\nlines\nand a half"])
    await sendFrom(from, wrong, port);
  await sendFrom(from, "hola\n", port);
  const seen: string[] = [];
  while (!seen.includes("hola")) {
    const message = await text.receive().catch((error: unknown) => {
      assert.ok(error instanceof ZocaloError, String(error));
      return undefined;
    });
    if (message !== undefined) seen.push(message.message);
  }
  assert.ok(text.messagesDropped > 0);
  from.close();
  await box.close();
});
