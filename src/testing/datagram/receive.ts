/** The datagram suite: receiving, first come first served, cancelled, in batches (docs/semantics.md, rule A4). */

import assert from "node:assert/strict";
import { TimeoutError, UsageError } from "../../core/errors.ts";
import type { OperationOptions } from "../../io/operation/deadline.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { expectAborted, expectError, reasonOf } from "../expect-error.ts";
import { pending, SHORT_MS } from "../stream/check.ts";
import { arrivesNext, type DatagramChecks, fill, numbers, take, texts } from "./world.ts";

/** Everything about `receive`, `receiveMany` and batches. */
export const receiveChecks: DatagramChecks = {
  async "zero and already aborted are honoured at once, and nothing is consumed"(scene) {
    const box = await scene.open();
    await fill(scene, box, ["there"]);
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
  },

  async "a receive that times out or is aborted consumes nothing, and the datagram socket still works"({ open }) {
    const box = await open();
    for (const [op, call] of Object.entries(CALLS)) {
      const expected = { code: "TIMEOUT", op, type: TimeoutError, outcome: "none" } as const;
      await expectError(call(box, { timeoutMs: SHORT_MS }), expected);
      await expectAborted((signal) => call(box, { signal }));
    }
    await arrivesNext(box);
  },

  async "a signal that aborts later does not take a datagram back"({ open }) {
    const box = await open();
    const controller = new AbortController();
    const received = box.receive({ signal: controller.signal, timeoutMs: 60_000 });
    await box.send("mine", box.localAddress);
    assert.equal((await received).data.toString(), "mine");
    controller.abort();
    await arrivesNext(box);
  },

  async "concurrent receives are served first come first served; the one that leaves is skipped"({ open }) {
    const box = await open();
    const first = box.receive();
    const gone = expectAborted((signal) => box.receive({ signal }));
    const others = [box.receive(), box.receive()];
    await gone;
    for (const text of numbers(3)) await box.send(text, box.localAddress);
    assert.deepEqual(texts(await Promise.all([first, ...others])), numbers(3));
  },

  async "ten receivers that race with short time-outs lose nothing and double nothing"({ open, until }) {
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
  },

  async "a hundred receives at once each get one"({ open }) {
    const box = await open();
    const calls = Array.from({ length: 100 }, () => box.receive());
    await box.sendMany(numbers(100).map((data) => ({ data, to: box.localAddress })));
    assert.deepEqual(texts(await Promise.all(calls)), numbers(100));
  },

  async "receiveMany gives what is there: at least one, at most as many as asked for"(scene) {
    const box = await scene.open();
    const waiting = box.receiveMany(10);
    await box.send("0", box.localAddress);
    assert.deepEqual(texts(await waiting), ["0"]);
    await fill(scene, box, numbers(5, 1));
    assert.deepEqual(texts(await box.receiveMany(3)), ["1", "2", "3"]);
    assert.deepEqual(texts(await box.receiveMany(3)), ["4", "5"]);
    for (const wrong of [0, -1, Number.NaN]) {
      await expectError(box.receiveMany(wrong), { code: "OPTION_INVALID", op: "receiveMany", type: UsageError });
    }
  },

  async "batches() gives everything that waits, in order"(scene) {
    const box = await scene.open();
    await fill(scene, box, numbers(20));
    for await (const batch of box.batches()) {
      assert.deepEqual(texts(batch), numbers(20));
      break;
    }
    await arrivesNext(box);
  },
};

/** Everything about `collect`: gathering what comes within a time. */
export const collectChecks: DatagramChecks = {
  async "collect gathers what many send, in order, and ends early with max"(scene) {
    const box = await scene.open();
    await fill(scene, box, ["there", "before"]);
    const gathering = box.collect({ forMs: Infinity, max: 5 });
    const senders = [await scene.open(), await scene.open(), await scene.open()];
    for (const [index, sender] of senders.entries()) await sender.send(String(index), box.localAddress);
    const gathered = await gathering;
    assert.deepEqual(texts(gathered), ["there", "before", "0", "1", "2"]);
    assert.deepEqual(
      gathered.slice(2).map(({ from }) => from.toString()),
      senders.map(({ localAddress }) => localAddress.toString()),
    );
    await arrivesNext(box);
  },

  async "silence is no error, and no time takes what is there"(scene) {
    const box = await scene.open();
    assert.deepEqual(await box.collect({ forMs: SHORT_MS }), []);
    assert.deepEqual(await box.collect({ forMs: 0 }), []);
    await fill(scene, box, numbers(3));
    assert.deepEqual(texts(await box.collect({ forMs: 0, max: 2 })), ["0", "1"]);
    assert.deepEqual(texts(await box.collect({ forMs: 0 })), ["2"]);
    await arrivesNext(box);
  },

  async "until ends it in order, with what has come"(scene) {
    const box = await scene.open();
    const enough = new AbortController();
    const gathering = box.collect({ forMs: Infinity, until: enough.signal });
    await fill(scene, box, numbers(3));
    enough.abort();
    assert.deepEqual(texts(await gathering), numbers(3));
    assert.deepEqual(await box.collect({ forMs: Infinity, until: enough.signal }), []);
    await arrivesNext(box);
  },

  async "a signal gives it up, and what it has gathered stays, before what comes later"(scene) {
    const box = await scene.open();
    const controller = new AbortController();
    const gathering = pending(box.collect({ forMs: Infinity, signal: controller.signal }));
    await fill(scene, box, numbers(2));
    const reason = new Error("no");
    controller.abort(reason);
    assert.equal(await reasonOf(gathering), reason);
    await fill(scene, box, numbers(2, 2));
    assert.equal(await reasonOf(box.collect({ forMs: 0, signal: controller.signal })), reason);
    assert.deepEqual(await take(box, 4), numbers(4));
  },

  async "it is bounded by the bytes of the receive queue, too"(scene) {
    const box = await scene.open({ limits: { maxReceiveQueueBytes: 100 } });
    const gathering = box.collect({ forMs: Infinity });
    const payloads = numbers(4).map((text) => text.repeat(40));
    for (const payload of payloads) await fill(scene, box, [payload]);
    assert.deepEqual(texts(await gathering), payloads.slice(0, 3));
    assert.deepEqual(await take(box, 1), payloads.slice(3));
  },

  async "options that make no sense are refused, and closing rejects it"({ open }) {
    const box = await open();
    const wrong = [undefined, {}, { forMs: -1 }, { forMs: "1" }, { forMs: 1, max: 0 }, { forMs: 1, timeoutMs: 1 }];
    for (const options of wrong) {
      const expected = { code: "OPTION_INVALID", op: "collect", type: UsageError } as const;
      await expectError(box.collect(options as { forMs: number }), expected);
    }
    const gathering = pending(box.collect({ forMs: Infinity }));
    await box.send("lost", box.localAddress);
    await box.close();
    await expectError(gathering, { code: "CLOSED", op: "collect" });
  },
};

/** The calls that wait for datagrams, by the name that their errors give them. */
const CALLS: Readonly<Record<string, (box: DatagramSocket, options: OperationOptions) => Promise<unknown>>> = {
  receive: (box, options) => box.receive(options),
  receiveMany: (box, options) => box.receiveMany(10, options),
};
