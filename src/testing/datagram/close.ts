/** The datagram suite: the end of a mailbox, and of everything that waits for it (SEMANTICS A2, A4). */

import assert from "node:assert/strict";
import { ConnectionError, TimeoutError, ZocaloError } from "../../core/errors.ts";
import type { DatagramSocket } from "../../io/datagram/socket.ts";
import { type DatagramCheck, numbers, pending, SHORT_MS, take, withNames } from "./world.ts";
import { assertError, expectError, reasonOf } from "../expect-error.ts";

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

  check("what was accepted is sent before the mailbox closes", async ({ open }) => {
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

/** Every call that needs an open mailbox. */
const CALLS: Readonly<Record<string, (box: DatagramSocket) => unknown>> = {
  send: (box) => box.send("x", "udp://127.0.0.1:9"),
  sendMany: (box) => box.sendMany([]),
  receive: (box) => box.receive(),
  receiveMany: (box) => box.receiveMany(1),
  joinGroup: (box) => box.joinGroup("239.1.2.3"),
  leaveGroup: (box) => box.leaveGroup("239.1.2.3"),
  setBroadcast: (box) => box.setBroadcast(true),
  setTtl: (box) => box.setTtl(1),
  setMulticastTtl: (box) => box.setMulticastTtl(1),
  setMulticastLoopback: (box) => box.setMulticastLoopback(true),
  setMulticastInterface: (box) => box.setMulticastInterface("lo"),
  bufferSizes: (box) => box.bufferSizes(),
};

function afterwardsChecks(check: DatagramCheck): void {
  check("a closed mailbox refuses everything with CLOSED", async ({ openAt }) => {
    const box = await openAt("udp://127.0.0.1:0");
    await box.send("unread", box.localAddress);
    await box.close();
    for (const [op, call] of Object.entries(CALLS)) {
      const error = await reasonOf((async () => await call(box))());
      assertError(error, { code: "CLOSED", op, type: ConnectionError });
    }
    box.ref().unref();
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
