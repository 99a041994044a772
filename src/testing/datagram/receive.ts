/** The datagram suite: receiving, first come first served, cancelled, in batches (docs/semantics.md, rule A4). */

import assert from "node:assert/strict";
import { TimeoutError, UsageError } from "../../core/errors.ts";
import type { OperationOptions, ReceiveOptions } from "../../io/operation/deadline.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { type DatagramCheck, numbers, pending, SHORT_MS, take, texts } from "./world.ts";
import { expectError, reasonOf } from "../expect-error.ts";

/** Everything about `receive`, `receiveMany` and iteration. */
export function receiveChecks(check: DatagramCheck): void {
  cancelReceiveChecks(check);
  fairnessChecks(check);
  batchChecks(check);
  iterationChecks(check);
  loopOptionChecks(check);
}

/** The calls that wait for datagrams, by the name that their errors give them. */
const CALLS: Readonly<Record<string, (box: DatagramSocket, options: OperationOptions) => Promise<unknown>>> = {
  receive: (box, options) => box.receive(options),
  receiveMany: (box, options) => box.receiveMany(10, options),
};

function cancelReceiveChecks(check: DatagramCheck): void {
  check("zero and already aborted are honoured at once, and nothing is consumed", async ({ open, until }) => {
    const box = await open();
    await box.send("there", box.localAddress);
    await until(() => box.stats.datagramsWaiting === 1);
    const reason = new Error("no");
    const signal = AbortSignal.abort(reason);
    for (const [op, call] of Object.entries(CALLS)) {
      await expectError(call(box, { timeoutMs: 0 }), { code: "TIMEOUT", op, type: TimeoutError, outcome: "none" });
      assert.equal(await reasonOf(call(box, { signal })), reason, op);
      assert.equal(await reasonOf(call(box, { signal, timeoutMs: 0 })), reason, op);
      for (const timeoutMs of [-1, Number.NaN]) {
        await expectError(call(box, { timeoutMs }), { code: "OPTION_INVALID", op, type: UsageError });
      }
    }
    assert.deepEqual(await take(box, 1), ["there"]);
  });

  check(
    "a receive that times out or is aborted consumes nothing, and the datagram socket still works",
    async ({ open }) => {
      const box = await open();
      for (const [op, call] of Object.entries(CALLS)) {
        await expectError(call(box, { timeoutMs: SHORT_MS }), {
          code: "TIMEOUT",
          op,
          type: TimeoutError,
          outcome: "none",
        });
        const controller = new AbortController();
        const reason = new Error(op);
        const aborted = pending(call(box, { signal: controller.signal }));
        controller.abort(reason);
        assert.equal(await reasonOf(aborted), reason, op);
      }
      await box.send("still", box.localAddress);
      assert.deepEqual(await take(box, 1), ["still"]);
    },
  );

  check("a signal that aborts later does not take a datagram back", async ({ open }) => {
    const box = await open();
    const controller = new AbortController();
    const received = box.receive({ signal: controller.signal, timeoutMs: 60_000 });
    await box.send("mine", box.localAddress);
    assert.equal((await received).data.toString(), "mine");
    controller.abort();
    await box.send("next", box.localAddress);
    assert.deepEqual(await take(box, 1), ["next"]);
  });
}

function fairnessChecks(check: DatagramCheck): void {
  check("concurrent receives are served first come first served; the one that leaves is skipped", async ({ open }) => {
    const box = await open();
    const controller = new AbortController();
    const calls = numbers(4).map((_, index) => box.receive(index === 1 ? { signal: controller.signal } : {}));
    const gone = pending(calls[1] as Promise<unknown>);
    controller.abort();
    await reasonOf(gone);
    for (const text of numbers(3)) await box.send(text, box.localAddress);
    const [first, third, fourth] = await Promise.all([calls[0], calls[2], calls[3]]);
    assert.deepEqual(texts([first, third, fourth] as { data: Buffer }[]), numbers(3));
  });

  check("ten receivers that race with short time-outs lose nothing and double nothing", async ({ open, until }) => {
    const box = await open();
    const total = 300;
    const received: number[] = [];
    const receiver = async (): Promise<void> => {
      while (received.length < total) {
        try {
          received.push(Number((await box.receive({ timeoutMs: 1 })).data.toString()));
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error;
        }
      }
    };
    const receivers = Promise.all(Array.from({ length: 10 }, receiver));
    for (let sent = 0; sent < total; sent += 30) {
      for (const text of numbers(30, sent)) await box.send(text, box.localAddress);
      await until(() => received.length === sent + 30);
    }
    await receivers;
    assert.deepEqual(received.sort((a, b) => a - b).map(String), numbers(total));
  });

  check("a hundred receives at once each get one", async ({ open }) => {
    const box = await open();
    const calls = Array.from({ length: 100 }, () => box.receive());
    await box.sendMany(numbers(100).map((data) => ({ data, to: box.localAddress })));
    assert.deepEqual(texts(await Promise.all(calls)), numbers(100));
  });
}

function batchChecks(check: DatagramCheck): void {
  check("receiveMany gives what is there: at least one, at most as many as asked for", async ({ open, until }) => {
    const box = await open();
    const waiting = box.receiveMany(10);
    await box.send("0", box.localAddress);
    assert.deepEqual(texts(await waiting), ["0"]);
    await box.sendMany(numbers(5, 1).map((data) => ({ data, to: box.localAddress })));
    await until(() => box.stats.datagramsWaiting === 5);
    assert.deepEqual(texts(await box.receiveMany(3)), ["1", "2", "3"]);
    assert.deepEqual(texts(await box.receiveMany(3)), ["4", "5"]);
    for (const wrong of [0, -1, Number.NaN]) {
      await expectError(box.receiveMany(wrong), { code: "OPTION_INVALID", op: "receiveMany", type: UsageError });
    }
  });

  check("batches() gives everything that waits, in order", async ({ open, until }) => {
    const box = await open();
    await box.sendMany(numbers(20).map((data) => ({ data, to: box.localAddress })));
    await until(() => box.stats.datagramsWaiting === 20);
    for await (const batch of box.batches()) {
      assert.deepEqual(texts(batch), numbers(20));
      break;
    }
    await box.send("after", box.localAddress);
    assert.deepEqual(await take(box, 1), ["after"]);
  });
}

function iterationChecks(check: DatagramCheck): void {
  check("break neither closes nor loses a datagram", async ({ open }) => {
    const box = await open();
    await box.sendMany(numbers(6).map((data) => ({ data, to: box.localAddress })));
    const seen: string[] = [];
    for await (const { data } of box) {
      seen.push(data.toString());
      if (seen.length === 2) break;
    }
    for await (const { data } of box) {
      seen.push(data.toString());
      if (seen.length === 4) break;
    }
    assert.deepEqual([...seen, ...(await take(box, 2))], numbers(6));
  });

  check("an iteration that is given up does not take a datagram away from others", async ({ open }) => {
    const box = await open();
    const iterator = box[Symbol.asyncIterator]();
    const step = iterator.next();
    await iterator.return?.();
    assert.deepEqual(await step, { done: true, value: undefined });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    await box.send("yours", box.localAddress);
    assert.deepEqual(await take(box, 1), ["yours"]);
  });

  check("iterations end when this program closes the datagram socket", async ({ open }) => {
    const box = await open();
    await box.send("one", box.localAddress);
    const seen: string[] = [];
    for await (const { data } of box) {
      seen.push(data.toString());
      void box.close();
    }
    for await (const batch of box.batches()) seen.push(...texts(batch));
    assert.deepEqual(seen, ["one"]);
  });
}

/** Each form of receiving with options: what it gives, each as a text, until it ends. */
type Form = (box: DatagramSocket, taken: string[], options: ReceiveOptions) => Promise<void>;

const FORMS: Readonly<Record<string, Form>> = {
  async receive(box, taken, options) {
    for (let one = await box.receive(options); one !== null; one = await box.receive(options)) {
      taken.push(String(one.data));
    }
  },
  async datagrams(box, taken, options) {
    for await (const { data } of box.datagrams(options)) taken.push(String(data));
  },
  async batches(box, taken, options) {
    for await (const batch of box.batches(options)) taken.push(...texts(batch));
  },
  async onDatagrams(box, taken, options) {
    await box.onDatagrams(({ data }) => taken.push(String(data)), options);
  },
};

function loopOptionChecks(check: DatagramCheck): void {
  check("until ends every form in order; what was not taken stays", async ({ open, until }) => {
    for (const [name, form] of Object.entries(FORMS)) {
      const box = await open();
      const stop = new AbortController();
      const taken: string[] = [];
      const done = form(box, taken, { until: stop.signal });
      await box.send("one", box.localAddress);
      await until(() => taken.length === 1);
      stop.abort();
      await done;
      await box.send("two", box.localAddress);
      await until(() => box.stats.datagramsWaiting === 1);
      await form(box, taken, { until: stop.signal });
      assert.deepEqual(taken, ["one"], name);
      assert.deepEqual(await take(box, 1), ["two"], name);
    }
  });

  check("timeoutMs is for each datagram, signal rejects, and nothing is lost", async ({ open, until }) => {
    for (const [name, form] of Object.entries(FORMS)) {
      const box = await open();
      const taken: string[] = [];
      await box.send("one", box.localAddress);
      await until(() => box.stats.datagramsWaiting === 1);
      await expectError(form(box, taken, { timeoutMs: SHORT_MS }), { code: "TIMEOUT", type: TimeoutError });
      const stop = new AbortController();
      const reason = new Error(name);
      const aborted = pending(form(box, taken, { signal: stop.signal }));
      stop.abort(reason);
      assert.equal(await reasonOf(aborted), reason, name);
      for (const wrong of [{ timeoutMs: -1 }, { until: {} as AbortSignal }, { maxBytes: 1 } as {}]) {
        await expectError(form(box, taken, wrong), { code: "OPTION_INVALID", type: UsageError });
      }
      await box.send("two", box.localAddress);
      assert.deepEqual([...taken, ...(await take(box, 1))], ["one", "two"], name);
    }
  });

  check("a handler that throws ends onDatagrams, and what comes behind stays", async ({ open, until }) => {
    const box = await open();
    await box.sendMany(numbers(3).map((data) => ({ data, to: box.localAddress })));
    await until(() => box.stats.datagramsWaiting === 3);
    const reason = new Error("of the handler");
    const done = box.onDatagrams(() => {
      throw reason;
    });
    await assert.rejects(done, reason);
    assert.deepEqual(await take(box, 2), numbers(3).slice(1));
    const closing = box.onDatagrams(() => undefined);
    await box.close();
    await closing;
  });
}
