/** The datagram suite: sending, in order, bounded, cancelled, many at once (docs/semantics.md, rules A3 and A4). */

import assert from "node:assert/strict";
import { TimeoutError, UsageError } from "../../core/errors.ts";
import { assertFields, expectAborted, expectError, reasonOf } from "../expect-error.ts";
import { pending, SHORT_MS } from "../stream/check.ts";
import { arrivesNext, type DatagramChecks, numbers, slowNames, take, texts } from "./world.ts";

/** Everything about `send` and `sendMany`. */
export const sendChecks: DatagramChecks = {
  async "wrong input is refused, nothing is sent, and the datagram socket goes on"({ open }) {
    const [a, b] = [await open(), await open()];
    const to = b.localAddress;
    const expected = { op: "send", type: UsageError, side: "local", outcome: "none" } as const;
    await expectError(a.send("x"), { ...expected, code: "OPTION_INVALID" });
    await expectError(a.send(5 as unknown as string, to), { ...expected, code: "OPTION_INVALID" });
    await expectError(a.send([["x"]] as unknown as string[], to), { ...expected, code: "OPTION_INVALID" });
    for (const address of [to.with({ port: 0 }), to.with({ transport: "tcp" }), `${to.toString()}?interface=lo`]) {
      await expectError(a.send("x", address), { ...expected, code: "ADDRESS_INVALID" });
    }
    await expectError(a.send("x", "udp://nobody"), { code: "ADDRESS_INVALID", op: "send", type: UsageError });
    await arrivesNext(a, b);
  },

  async "an address of the other IP version is refused before the network is asked"({ open, host }) {
    const box = await open();
    const other = host.includes(":") ? "udp://127.0.0.1:9" : "udp://[::1]:9";
    const expected = { code: "ADDRESS_INVALID", op: "send", type: UsageError, outcome: "none", remote: other } as const;
    await expectError(box.send("x", other), expected);
  },

  async "a hundred sends at once go out in the order of the calls"({ open }) {
    const [a, b] = [await open(), await open()];
    await Promise.all(numbers(100).map((text) => a.send(text, b.localAddress)));
    assert.deepEqual(await take(b, 100), numbers(100));
    assertFields(a.stats, { datagramsSent: 100, bytesSent: 190, datagramsUnsent: 0 });
  },

  async "sends to one name keep their order, and do not hold up others"(scene) {
    const { open, host } = scene;
    const { names, answer } = slowNames(scene);
    const [a, b, c] = [await open({}, names), await open(), await open()];
    const sends = numbers(5).map((text) => a.send(text, `plaza:${b.localAddress.port}`));
    await arrivesNext(a, c);
    answer([host]);
    await Promise.all(sends);
    await a.send("5", `plaza:${b.localAddress.port}`);
    assert.deepEqual(await take(b, 6), numbers(6));
  },

  async "a program that awaits each send leaves the event loop its turns"({ open, network }) {
    const [a, b] = [await open(), await open()];
    let turns = 0;
    let over = false;
    const turn = (): void => {
      turns += 1;
      if (!over) network.clock.defer(turn);
    };
    network.clock.defer(turn);
    for (let sent = 0; sent < 1000; sent += 1) await a.send("x", b.localAddress);
    over = true;
    assert.ok(turns > 1, "no turn of the event loop during 1000 sends");
  },

  async "sendMany sends each item on its own, in order"({ open }) {
    const [a, b, c] = [await open(), await open(), await open()];
    const items = numbers(60).map((data, index) => ({ data, to: index % 3 === 0 ? c.localAddress : b.localAddress }));
    const { sent, failures } = await a.sendMany(items);
    assert.deepEqual([sent, failures], [60, []]);
    assert.deepEqual(
      await take(c, 20),
      numbers(20).map((text) => String(Number(text) * 3)),
    );
    assert.deepEqual(
      await take(b, 40),
      numbers(60).filter((text) => Number(text) % 3 !== 0),
    );
  },

  async "sendMany of nothing sends nothing"({ open }) {
    const box = await open();
    assert.deepEqual(await box.sendMany([]), { sent: 0, failures: [] });
  },

  async "sendMany looks up its names first"(scene) {
    const { open, host } = scene;
    const { names, answer } = slowNames(scene);
    const [a, b] = [await open({}, names), await open()];
    const { port } = b.localAddress;
    const sending = a.sendMany([
      { data: "0", to: b.localAddress },
      { data: "1", to: `plaza:${port}` },
    ]);
    answer([host]);
    assert.deepEqual(await sending, { sent: 2, failures: [] });
    assert.deepEqual(await take(b, 2), numbers(2));
  },

  async "sendMany refuses wrong input before it sends anything"({ open, settle }) {
    const [a, b] = [await open(), await open()];
    const expected = { op: "sendMany", type: UsageError, outcome: "none" } as const;
    const many = a.sendMany([{ data: "x", to: b.localAddress }, { data: "y" }]);
    await expectError(many, { ...expected, code: "OPTION_INVALID" });
    await settle();
    assert.equal(b.stats.datagramsReceived, 0);
  },

  async "zero and already aborted are honoured at once, and nothing is sent"({ open, settle }) {
    const [a, b] = [await open(), await open()];
    const to = b.localAddress;
    const reason = new Error("no");
    const signal = AbortSignal.abort(reason);
    const expected = { code: "TIMEOUT", type: TimeoutError, outcome: "none" } as const;
    await expectError(a.send("never", to, { timeoutMs: 0 }), { ...expected, op: "send" });
    await expectError(a.sendMany([{ data: "never", to }], { timeoutMs: 0 }), { ...expected, op: "sendMany" });
    assert.equal(await reasonOf(a.send("never", to, { signal })), reason);
    assert.equal(await reasonOf(a.sendMany([{ data: "never", to }], { signal })), reason);
    await expectError(a.send("never", to, { timeoutMs: -1 }), { code: "OPTION_INVALID", type: UsageError });
    await a.send("only this", to, { timeoutMs: Number.POSITIVE_INFINITY });
    await settle();
    assert.deepEqual(await take(b, 1), ["only this"]);
    assert.equal(b.stats.datagramsReceived, 1);
  },

  async "a send that waits and is cancelled is removed; those behind it go out"(scene) {
    const { open, host, settle } = scene;
    const { names, answer } = slowNames(scene);
    const [a, b] = [await open({}, names), await open()];
    const to = `plaza:${b.localAddress.port}`;
    const late = pending(a.send("late", to, { timeoutMs: SHORT_MS }));
    const aborted = expectAborted((signal) => a.send("aborted", to, { signal }));
    const many = pending(a.sendMany([{ data: "many", to }], { timeoutMs: SHORT_MS }));
    const kept = a.send("kept", to);
    await aborted;
    await expectError(late, { code: "TIMEOUT", op: "send", type: TimeoutError, outcome: "none" });
    await expectError(many, { code: "TIMEOUT", op: "sendMany", type: TimeoutError, outcome: "none" });
    assert.equal(a.stats.datagramsUnsent, 1);
    answer([host]);
    await kept;
    await settle();
    assert.deepEqual(texts(await b.receiveMany(9)), ["kept"]);
  },

  async "ten senders with short time-outs and reused buffers: what was said to be sent arrives, whole"(scene) {
    const { open, until } = scene;
    const [a, b] = [await open(), await open()];
    const accepted: string[] = [];
    const sendRound = async (sender: number, round: number): Promise<void> => {
      const text = `${sender}:${round};`.repeat(20);
      const buffer = Buffer.from(text);
      try {
        await a.send(buffer, b.localAddress, { timeoutMs: 1 });
        accepted.push(text);
      } catch (error) {
        if ((error as TimeoutError).outcome === "all") accepted.push(text);
      }
      buffer.fill("?");
    };
    const received: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 10 }, (_, sender) => sendRound(sender, round)));
      await until(() => b.stats.datagramsReceived >= accepted.length);
      while (received.length < accepted.length) received.push(...texts(await b.receiveMany(100)));
    }
    assert.deepEqual(received.sort(), accepted.sort());
    assert.equal(b.stats.datagramsWaiting, 0);
  },

  async "the send queue is bounded in datagrams and in bytes"(scene) {
    const { open, host } = scene;
    const { names, answer } = slowNames(scene);
    const [a, b] = [await open({ limits: { maxSendQueueDatagrams: 3, maxSendQueueBytes: 100 } }, names), await open()];
    const to = `plaza:${b.localAddress.port}`;
    const expected = { code: "QUEUE_FULL", type: UsageError, side: "local", outcome: "none" } as const;
    const first = a.send("0", to);
    await expectError(a.send(Buffer.alloc(100), to), { ...expected, op: "send" });
    const items = numbers(3, 1).map((data) => ({ data, to }));
    await expectError(a.sendMany(items), { ...expected, op: "sendMany" });
    const rest = a.sendMany(items.slice(0, 2));
    await expectError(a.send("3", to), { ...expected, op: "send" });
    assert.equal(a.stats.datagramsUnsent, 3);
    answer([host]);
    await Promise.all([first, rest]);
    // A single call is always accepted when nothing waits.
    await a.send(Buffer.alloc(200, "z"), to);
    assert.deepEqual(await take(b, 4), ["0", "1", "2", "z".repeat(200)]);
  },
};
