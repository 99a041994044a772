/** The datagram suite: how datagram sockets and their servers end (docs/semantics.md, rules A2, A4 and A9). */

import assert from "node:assert/strict";
import { ConnectionError, TimeoutError, ZocaloError } from "../../core/errors.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { serveDatagramsOver } from "../../io/datagram/serve.ts";
import type { DatagramHandler } from "../../io/datagram/server.ts";
import { assertError, assertFields, expectAborted, expectError, reasonOf } from "../expect-error.ts";
import { pending, SHORT_MS } from "../stream/check.ts";
import { silent, withServer } from "./server.ts";
import { type DatagramChecks, numbers, slowNames, take, texts } from "./world.ts";

/** Closing, and what is refused afterwards. */
export const closeChecks: DatagramChecks = {
  async "pending receives reject with CLOSED, and iterations end"({ open }) {
    const box = await open();
    const waiting = [pending(box.receive()), pending(box.receive({ timeoutMs: 60_000 })), pending(box.receiveMany(5))];
    const steps = [box[Symbol.asyncIterator]().next(), box.batches().next()];
    await box.close();
    const ops = ["receive", "receive", "receiveMany"];
    for (const [index, call] of waiting.entries()) {
      await expectError(call, { code: "CLOSED", op: ops[index], type: ConnectionError, side: "local" });
    }
    for (const step of steps) assert.equal((await step).done, true);
  },

  async "what was accepted is sent before the datagram socket closes"({ open }) {
    const [a, b] = [await open(), await open()];
    const sends = numbers(50).map((text) => a.send(text, b.localAddress));
    await a.close();
    await Promise.all(sends);
    assert.deepEqual(await take(b, 50), numbers(50));
  },

  async "what cannot be sent within lingerMs rejects with CLOSED, and close says so"(scene) {
    const { open, settle } = scene;
    const { names } = slowNames(scene);
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

  async "time-outs and signals end the wait for close, not the closing"(scene) {
    const { open, host } = scene;
    const { names, answer } = slowNames(scene);
    const [a, b] = [await open({}, names), await open()];
    const sent = a.send("last", `plaza:${b.localAddress.port}`);
    await expectError(a.close({ timeoutMs: 0 }), { code: "TIMEOUT", op: "close", outcome: "none" });
    await expectError(a.close({ timeoutMs: SHORT_MS, lingerMs: 60_000 }), { code: "TIMEOUT", op: "close" });
    await expectAborted((signal) => a.close({ signal }));
    answer([host]);
    await sent;
    await a.close();
    assert.deepEqual(await take(b, 1), ["last"]);
  },

  async "a closed datagram socket refuses everything with CLOSED"({ openAt }) {
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
  },

  async "closed and signal tell of the end; closing again shares it"({ open }) {
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
  },

  async "await using closes, and the port is free again"({ open, openAt }) {
    let address = "";
    {
      await using box = await open();
      address = box.localAddress.toString();
    }
    const again = await openAt(address);
    assert.equal(again.localAddress.toString(), address);
  },

  async "opening can be cancelled, and then nothing stays open"(scene) {
    const { open, openAt, host } = scene;
    const reason = new Error("no");
    assert.equal(await reasonOf(open({ signal: AbortSignal.abort(reason) })), reason);
    await expectError(open({ timeoutMs: 0 }), { code: "TIMEOUT", op: "bind", type: TimeoutError, outcome: "none" });
    const free = await open();
    const address = free.localAddress.toString();
    await free.close();
    const { names, answer } = slowNames(scene);
    const remote = "plaza:9";
    await expectError(open({ remote, timeoutMs: SHORT_MS }, names), { code: "TIMEOUT", op: "bind" });
    await expectAborted((signal) => open({ remote, signal }, names));
    answer([host]);
    await (await openAt(address)).send("mine", address);
  },

  async "close lets handlers finish and answer, and reports"(scene) {
    const handler: DatagramHandler = ({ data }, { draining }) =>
      new Promise((resolve) => draining.addEventListener("abort", () => resolve(data)));
    await withServer(scene, handler, { limits: { maxConcurrentRequests: 3 } }, async ({ server, client }) => {
      for (const text of numbers(5)) await client.send(text);
      await scene.until(() => server.stats.datagramsReceived === 5 && server.stats.requestsActive === 3);
      const report = await server.close({ timeoutMs: 60_000 });
      assertFields(report, { finished: 3, cut: 0, dropped: 2 });
      assert.ok(report.durationMs >= 0);
      assert.deepEqual(await server.close(), report);
      assert.deepEqual(texts(await client.receiveMany(5)), numbers(3));
      await server.closed;
    });
  },

  async "close cuts what does not end in time; its replies reject"(scene) {
    let late: Promise<unknown> = Promise.resolve();
    const handler: DatagramHandler = (request, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          late = request.reply("too late").catch((error: unknown) => error);
          resolve(undefined);
        });
      });
    await withServer(scene, handler, {}, async ({ server, client }) => {
      await client.send("x");
      await scene.until(() => server.stats.requestsActive === 1);
      assertFields(await server.close({ timeoutMs: SHORT_MS }), { finished: 0, cut: 1 });
      assertError(await late, { code: "CLOSED", op: "send", outcome: "none" });
    });
  },

  async "abort, a signal and a shorter close end a close that is under way"(scene) {
    const never: DatagramHandler = () => new Promise(() => undefined);
    for (const by of ["abort", "close", "signal"] as const) {
      await withServer(scene, never, {}, async ({ server, client }) => {
        await client.send("x");
        await scene.until(() => server.stats.requestsActive === 1);
        const controller = new AbortController();
        const draining = server.close({ timeoutMs: 60_000, signal: controller.signal });
        if (by === "close") void server.close({ timeoutMs: 0 });
        else if (by === "abort") server.abort();
        else controller.abort();
        assert.equal((await draining).cut, 1);
        assert.equal((await server.closed).how, by === "abort" ? "aborted" : "closed");
      });
    }
  },

  async "an idle server closes at once, also when its datagram socket is closed beneath it"(scene) {
    const server = await serveDatagramsOver(scene.network, scene.local, silent);
    server.interop.unref();
    server.interop.ref();
    assertFields(await server.close(), { finished: 0, cut: 0, dropped: 0 });
    const other = await serveDatagramsOver(scene.network, scene.local, silent);
    await other.socket.close();
    await other.closed;
    assert.equal((await other.close()).cut, 0);
    await using third = await serveDatagramsOver(scene.network, scene.local, silent);
    assert.notEqual(third.localAddress.port, 0);
  },
};

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
  kernelDrops: (box) => box.udp.kernelDrops(),
};
