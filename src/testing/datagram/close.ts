/** The datagram suite: the end of a datagram socket, and of everything that waits for it (docs/semantics.md, rules A2 and A4). */

import assert from "node:assert/strict";
import { ConnectionError, TimeoutError, UsageError, ZocaloError } from "../../core/errors.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { assertError, expectError, reasonOf } from "../expect-error.ts";
import {
  type DatagramCheck,
  type DatagramScene,
  type DatagramTraits,
  numbers,
  pending,
  SHORT_MS,
  take,
  texts,
  withNames,
} from "./world.ts";

/** Closing, and what is refused afterwards. */
export function closeChecks(check: DatagramCheck): void {
  pendingChecks(check);
  afterwardsChecks(check);
  openingChecks(check);
}

function pendingChecks(check: DatagramCheck): void {
  check("pending receives reject with CLOSED, and iterations end", async ({ open }) => {
    const box = await open();
    const waiting = [pending(box.receive()), pending(box.receive({ timeoutMs: 60_000 })), pending(box.receiveMany(5))];
    const steps = [box[Symbol.asyncIterator]().next(), box.batches().next()];
    await box.close();
    const ops = ["receive", "receive", "receiveMany"];
    for (const [index, call] of waiting.entries()) {
      await expectError(call, { code: "CLOSED", op: ops[index], type: ConnectionError, side: "local" });
    }
    for (const step of steps) assert.equal((await step).done, true);
  });

  check("what was accepted is sent before the datagram socket closes", async ({ open }) => {
    const [a, b] = [await open(), await open()];
    const sends = numbers(50).map((text) => a.send(text, b.localAddress));
    await a.close();
    await Promise.all(sends);
    assert.deepEqual(await take(b, 50), numbers(50));
  });

  check(
    "what cannot be sent within lingerMs rejects with CLOSED, and close says so",
    async ({ open, network, settle }) => {
      const names = withNames(network, () => new Promise(() => undefined));
      const [a, b] = [await open({}, names), await open()];
      const stuck = pending(a.send("stuck", `nowhere.example:${b.localAddress.port}`));
      await a.send("free", b.localAddress);
      await expectError(a.close({ lingerMs: SHORT_MS }), { code: "TIMEOUT", op: "close", type: TimeoutError });
      await expectError(stuck, { code: "CLOSED", op: "send", type: ConnectionError, outcome: "none" });
      assert.deepEqual(await a.closed, { how: "closed" });
      await settle();
      assert.deepEqual(await take(b, 1), ["free"]);
      assert.equal(b.stats.datagramsReceived, 1);
    },
  );

  check("time-outs and signals end the wait for close, not the closing", async ({ open, network, host }) => {
    let answer = (_addresses: readonly string[]): void => undefined;
    const answered = new Promise<readonly string[]>((resolve) => {
      answer = resolve;
    });
    const [a, b] = [
      await open(
        {},
        withNames(network, () => answered),
      ),
      await open(),
    ];
    const sent = a.send("last", `plaza:${b.localAddress.port}`);
    await expectError(a.close({ timeoutMs: 0 }), { code: "TIMEOUT", op: "close", outcome: "none" });
    await expectError(a.close({ timeoutMs: SHORT_MS, lingerMs: 60_000 }), { code: "TIMEOUT", op: "close" });
    const controller = new AbortController();
    const reason = new Error("enough");
    const closing = pending(a.close({ signal: controller.signal }));
    controller.abort(reason);
    assert.equal(await reasonOf(closing), reason);
    answer([host]);
    await sent;
    await a.close();
    assert.deepEqual(await take(b, 1), ["last"]);
  });
}

/** Every call that needs an open datagram socket. */
const CALLS: Readonly<Record<string, (box: DatagramSocket) => unknown>> = {
  send: (box) => box.send("x", "udp://127.0.0.1:9"),
  sendMany: (box) => box.sendMany([]),
  receive: (box) => box.receive(),
  receiveMany: (box) => box.receiveMany(1),
  joinGroup: (box) => box.udp.joinGroup("239.1.2.3"),
  leaveGroup: (box) => box.udp.leaveGroup("239.1.2.3"),
  setBroadcast: (box) => box.udp.setBroadcast(true),
  setTtl: (box) => box.udp.setTtl(1),
  setMulticastTtl: (box) => box.udp.setMulticastTtl(1),
  setMulticastLoopback: (box) => box.udp.setMulticastLoopback(true),
  setMulticastInterface: (box) => box.udp.setMulticastInterface("lo"),
  bufferSizes: (box) => box.udp.bufferSizes(),
};

function afterwardsChecks(check: DatagramCheck): void {
  check("a closed datagram socket refuses everything with CLOSED", async ({ openAt }) => {
    const box = await openAt("udp://127.0.0.1:0");
    await box.send("unread", box.localAddress);
    await box.close();
    for (const [op, call] of Object.entries(CALLS)) {
      const error = await reasonOf((async () => await call(box))());
      assertError(error, { code: "CLOSED", op, type: ConnectionError });
    }
    box.interop.ref();
    box.interop.unref();
    assert.equal(box.stats.datagramsWaiting, 0);
  });

  check("closed and signal tell of the end; closing again shares it", async ({ open }) => {
    const box = await open();
    const { signal } = box;
    const ended = box.closed;
    assert.equal(signal.aborted, false);
    await Promise.all([box.close(), box.close()]);
    await box.close();
    assert.deepEqual(await ended, { how: "closed" });
    assert.deepEqual(await box.closed, { how: "closed" });
    for (const reason of [signal.reason, box.signal.reason] as unknown[]) assertError(reason, { code: "CLOSED" });
    const other = await open();
    await other.close();
    assert.equal(other.signal.aborted, true);
    assert.ok(other.signal.reason instanceof ZocaloError);
  });

  check("await using closes, and the port is free again", async ({ open, openAt }) => {
    let address = "";
    {
      await using box = await open();
      address = box.localAddress.toString();
    }
    const again = await openAt(address);
    assert.equal(again.localAddress.toString(), address);
  });
}

function openingChecks(check: DatagramCheck): void {
  check("opening can be cancelled, and then nothing stays open", async ({ network, open, openAt, host }) => {
    const reason = new Error("no");
    assert.equal(await reasonOf(open({ signal: AbortSignal.abort(reason) })), reason);
    await expectError(open({ timeoutMs: 0 }), { code: "TIMEOUT", op: "bind", type: TimeoutError, outcome: "none" });
    let answer = (_addresses: readonly string[]): void => undefined;
    const answered = new Promise<readonly string[]>((resolve) => {
      answer = resolve;
    });
    const free = await open();
    const address = free.localAddress.toString();
    await free.close();
    const names = withNames(network, () => answered);
    const remote = "plaza:9";
    await expectError(open({ remote, timeoutMs: SHORT_MS }, names), { code: "TIMEOUT", op: "bind" });
    const controller = new AbortController();
    const opening = pending(open({ remote, signal: controller.signal }, names));
    controller.abort(reason);
    assert.equal(await reasonOf(opening), reason);
    answer([host]);
    await (await openAt(address)).send("mine", address);
  });
}

const SENT = 20;
const KEPT = 5;

/** The receive queue's policies and counters. */
export function queueChecks(check: DatagramCheck, traits: DatagramTraits): void {
  dropChecks(check);
  strictChecks(check);
  if (traits.pauses) blockChecks(check);
  kindnessChecks(check);
}

/** Sends to a datagram socket that nobody reads, until all has arrived there. */
async function fill(scene: DatagramScene, box: DatagramSocket, payloads: readonly string[]): Promise<void> {
  const before = box.stats.datagramsReceived;
  await box.sendMany(payloads.map((data) => ({ data, to: box.localAddress })));
  await scene.until(() => box.stats.datagramsReceived === before + payloads.length);
}

/** What the receive queue does when it is full (rule B2). */
function dropChecks(check: DatagramCheck): void {
  check("drop-oldest, the default, keeps the newest", async (scene) => {
    const box = await scene.open({ limits: { maxReceiveQueueDatagrams: KEPT } });
    await fill(scene, box, numbers(SENT));
    assert.deepEqual(countersOf(box), { received: SENT, dropped: SENT - KEPT, waiting: KEPT });
    assert.deepEqual(texts(await box.receiveMany(SENT)), numbers(KEPT, SENT - KEPT));
    await box.send("goes on", box.localAddress);
    assert.deepEqual(await take(box, 1), ["goes on"]);
  });

  check("drop-newest keeps the oldest", async (scene) => {
    const box = await scene.open({ limits: { maxReceiveQueueDatagrams: KEPT }, overflow: "drop-newest" });
    await fill(scene, box, numbers(SENT));
    assert.deepEqual(countersOf(box), { received: SENT, dropped: SENT - KEPT, waiting: KEPT });
    assert.deepEqual(texts(await box.receiveMany(SENT)), numbers(KEPT));
    await box.send("goes on", box.localAddress);
    assert.deepEqual(await take(box, 1), ["goes on"]);
  });

  check("the queue is bounded in bytes too, and the counters know them", async (scene) => {
    const box = await scene.open({ limits: { maxReceiveQueueBytes: 100 } });
    await fill(
      scene,
      box,
      numbers(10).map((text) => text.repeat(30)),
    );
    const { bytesReceived, bytesDropped, bytesWaiting, datagramsWaiting } = box.stats;
    const expected = { bytesReceived: 300, bytesDropped: 210, bytesWaiting: 90, datagramsWaiting: 3 };
    assert.deepEqual({ bytesReceived, bytesDropped, bytesWaiting, datagramsWaiting }, expected);
    assert.deepEqual(
      texts(await box.receiveMany(SENT)),
      ["7", "8", "9"].map((text) => text.repeat(30)),
    );
    assert.equal(box.stats.bytesWaiting, 0);
  });

  check("a datagram larger than the whole queue still gets through, alone", async (scene) => {
    for (const overflow of ["drop-oldest", "drop-newest", "strict"] as const) {
      const box = await scene.open({ limits: { maxReceiveQueueBytes: 10 }, overflow });
      await fill(scene, box, ["x".repeat(1000)]);
      assert.deepEqual(await take(box, 1), ["x".repeat(1000)]);
      assert.equal(box.stats.datagramsDropped, 0);
    }
  });
}

function strictChecks(check: DatagramCheck): void {
  check("strict tells of the loss, at its place, and goes on", async (scene) => {
    const box = await scene.open({ limits: { maxReceiveQueueDatagrams: KEPT }, overflow: "strict" });
    await fill(scene, box, numbers(SENT));
    await fill(scene, box, ["also lost"]);
    assert.deepEqual(texts(await box.receiveMany(3)), numbers(3));
    assert.deepEqual(await take(box, 2), numbers(2, 3));
    const error = await expectError(box.receive(), {
      code: "QUEUE_FULL",
      op: "receive",
      type: UsageError,
      side: "local",
    });
    assert.match(error.detail, new RegExp(`^${SENT - KEPT + 1} datagrams`));
    await box.send("goes on", box.localAddress);
    assert.deepEqual(await take(box, 1), ["goes on"]);
    assert.equal(box.stats.datagramsDropped, SENT - KEPT + 1);
  });

  check("strict ends an iteration with the loss, and the next one goes on", async (scene) => {
    const box = await scene.open({ limits: { maxReceiveQueueDatagrams: 1 }, overflow: "strict" });
    await fill(scene, box, numbers(3));
    const seen: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const { data } of box) seen.push(data.toString());
    };
    await expectError(loop(), { code: "QUEUE_FULL", op: "receive", type: UsageError });
    assert.deepEqual(seen, ["0"]);
    await box.send("3", box.localAddress);
    assert.deepEqual(await take(box, 1), ["3"]);
  });
}

function blockChecks(check: DatagramCheck): void {
  check("block leaves the rest with the network and drops nothing itself", async ({ open, settle }) => {
    const box = await open({ limits: { maxReceiveQueueDatagrams: KEPT }, overflow: "block" });
    await box.sendMany(numbers(100).map((data) => ({ data, to: box.localAddress })));
    await settle();
    assert.deepEqual(await take(box, 100), numbers(100));
    const { datagramsReceived, datagramsDropped } = box.stats;
    assert.deepEqual({ datagramsReceived, datagramsDropped }, { datagramsReceived: 100, datagramsDropped: 0 });
    await box.send("goes on", box.localAddress);
    assert.deepEqual(await take(box, 1), ["goes on"]);
  });
}

function kindnessChecks(check: DatagramCheck): void {
  check("a reader that keeps up loses nothing, however small its queue", async ({ open }) => {
    const box = await open({ limits: { maxReceiveQueueDatagrams: 1 } });
    for (const text of numbers(20)) {
      await box.send(text, box.localAddress);
      assert.deepEqual(await take(box, 1), [text]);
    }
    assert.equal(box.stats.datagramsDropped, 0);
  });

  check("a full receive queue does not hinder sending", async (scene) => {
    const [box, other] = [await scene.open({ limits: { maxReceiveQueueDatagrams: 1 } }), await scene.open()];
    await fill(scene, box, numbers(SENT));
    await box.send("sending works", other.localAddress);
    assert.deepEqual(await take(other, 1), ["sending works"]);
  });
}

function countersOf(box: DatagramSocket): { received: number; dropped: number; waiting: number } {
  const { datagramsReceived, datagramsDropped, datagramsWaiting } = box.stats;
  return { received: datagramsReceived, dropped: datagramsDropped, waiting: datagramsWaiting };
}
