/** The datagram suite: loops that receive, and what ends them (docs/semantics.md, rule A4). */

import assert from "node:assert/strict";
import { TimeoutError, UsageError } from "../../core/errors.ts";
import type { ReceiveOptions } from "../../io/operation/deadline.ts";
import type { DatagramSocket } from "../../io/datagram/public.ts";
import { expectAborted, expectError } from "../expect-error.ts";
import { SHORT_MS } from "../stream/check.ts";
import { arrivesNext, type DatagramChecks, fill, numbers, take, texts } from "./world.ts";

/** Iteration, and the options of every form of receiving. */
export const loopChecks: DatagramChecks = {
  async "break neither closes nor loses a datagram"(scene) {
    const box = await scene.open();
    await fill(scene, box, numbers(6));
    const seen: string[] = [];
    for (const most of [2, 4]) {
      for await (const { data } of box) if (seen.push(data.toString()) === most) break;
    }
    assert.deepEqual([...seen, ...(await take(box, 2))], numbers(6));
  },

  async "an iteration that is given up does not take a datagram away from others"({ open }) {
    const box = await open();
    const iterator = box[Symbol.asyncIterator]();
    const step = iterator.next();
    await iterator.return?.();
    assert.deepEqual(await step, { done: true, value: undefined });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    await arrivesNext(box);
  },

  async "iterations end when this program closes the datagram socket"({ open }) {
    const box = await open();
    await box.send("one", box.localAddress);
    const seen: string[] = [];
    for await (const { data } of box) {
      seen.push(data.toString());
      void box.close();
    }
    for await (const batch of box.batches()) seen.push(...texts(batch));
    assert.deepEqual(seen, ["one"]);
  },

  async "until ends every form in order; what was not taken stays"(scene) {
    const { open, until } = scene;
    for (const [name, form] of Object.entries(FORMS)) {
      const box = await open();
      const stop = new AbortController();
      const taken: string[] = [];
      const done = form(box, taken, { until: stop.signal });
      await box.send("one", box.localAddress);
      await until(() => taken.length === 1);
      stop.abort();
      await done;
      await fill(scene, box, ["two"]);
      await form(box, taken, { until: stop.signal });
      assert.deepEqual(taken, ["one"], name);
      assert.deepEqual(await take(box, 1), ["two"], name);
    }
  },

  async "timeoutMs is for each datagram, signal rejects, and nothing is lost"(scene) {
    for (const [name, form] of Object.entries(FORMS)) {
      const box = await scene.open();
      const taken: string[] = [];
      await fill(scene, box, ["one"]);
      await expectError(form(box, taken, { timeoutMs: SHORT_MS }), { code: "TIMEOUT", type: TimeoutError });
      await expectAborted((signal) => form(box, taken, { signal }));
      for (const wrong of [{ timeoutMs: -1 }, { until: {} as AbortSignal }, { maxBytes: 1 } as {}]) {
        await expectError(form(box, taken, wrong), { code: "OPTION_INVALID", type: UsageError });
      }
      await box.send("two", box.localAddress);
      assert.deepEqual([...taken, ...(await take(box, 1))], ["one", "two"], name);
    }
  },

  async "a handler that throws ends onDatagrams, and what comes behind stays"(scene) {
    const box = await scene.open();
    await fill(scene, box, numbers(3));
    const reason = new Error("of the handler");
    const done = box.onDatagrams(() => {
      throw reason;
    });
    await assert.rejects(done, reason);
    assert.deepEqual(await take(box, 2), numbers(3).slice(1));
    const closing = box.onDatagrams(() => undefined);
    await box.close();
    await closing;
  },
};

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
