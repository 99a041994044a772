/** Messages in datagrams, over UDP. */

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { bind, type FramedDatagrams, type ReceiveOptions } from "../../src/index.ts";
import { coded, until } from "../fixtures/stream-kinds.ts";
import { chain, cobs, json, lengthPrefix, lines, msgpack, netstring, slip, varintPrefix } from "../../src/framing.ts";

interface Reading {
  readonly sensor: string;
  readonly values: readonly number[];
}

const READING: Reading = { sensor: "ñandú", values: [1, 2.5, -3] };

for (const boundary of [lengthPrefix(), varintPrefix(), netstring(), cobs(), slip(), lines()]) {
  test(`a question and its answer with ${boundary.name}`, async () => {
    const codec = chain(boundary, boundary.name === "lines" ? json<Reading>() : msgpack<Reading>());
    await using box = await bind("udp://127.0.0.1:0");
    await using caller = await bind("udp://127.0.0.1:0", { remote: box.localAddress });
    const [server, client] = [box.framed(codec), caller.framed(codec)];
    await caller.send("?");
    await client.send(READING);
    const { message, from } = await server.receive({ timeoutMs: 10_000 });
    assert.deepEqual(message, READING);
    assert.ok(from.equals(caller.localAddress));
    assert.equal(server.messagesDropped, 1);
    await server.send({ ...message, values: [] }, from);
    assert.deepEqual((await client.receive({ timeoutMs: 10_000 })).message, { ...READING, values: [] });
  });
}

test("batches of messages that are bytes", async () => {
  await using box = await bind("udp://127.0.0.1:0");
  await using caller = await bind("udp://127.0.0.1:0", { remote: box.localAddress });
  const messages = caller.framed(lengthPrefix({ bytes: 2 }));
  for (let index = 0; index < 50; index += 1) await messages.send(Buffer.alloc(index, index));
  const lengths: number[] = [];
  for await (const batch of box.framed(lengthPrefix({ bytes: 2 })).batches()) {
    for (const { message } of batch) lengths.push(message.length);
    if (lengths.length === 50) break;
  }
  assert.deepEqual(
    lengths,
    Array.from({ length: 50 }, (_, index) => index),
  );
});

/** Each form of receiving, until it ends. */
type Form = (messages: FramedDatagrams<string>, taken: string[], options: ReceiveOptions) => Promise<void>;

const FORMS: Readonly<Record<string, Form>> = {
  async receive(messages, taken, options) {
    for (let one = await messages.receive(options); one !== null; one = await messages.receive(options)) {
      taken.push(one.message);
    }
  },
  async messages(messages, taken, options) {
    for await (const { message } of messages.messages(options)) taken.push(message);
  },
  async batches(messages, taken, options) {
    for await (const batch of messages.batches(options)) taken.push(...batch.map(({ message }) => message));
  },
  async onMessages(messages, taken, options) {
    await messages.onMessages(({ message }) => void taken.push(message), options);
  },
};

for (const [name, form] of Object.entries(FORMS)) {
  test(`${name}: until ends it in order, signal and timeoutMs reject, and no message is lost`, async () => {
    await using box = await bind("udp://127.0.0.1:0");
    const messages = box.framed(lines());
    const stop = new AbortController();
    const taken: string[] = [];
    const done = form(messages, taken, { until: stop.signal });
    await messages.sendMany(["one"], box.localAddress);
    await until(() => taken.length === 1);
    stop.abort();
    await done;
    await box.send("rubbish", box.localAddress);
    await messages.send("two", box.localAddress);
    await until(() => box.stats.datagramsWaiting === 2);
    await form(messages, taken, { until: stop.signal });
    const reason = new Error("no");
    await assert.rejects(form(messages, taken, { signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(form(messages, taken, { timeoutMs: -1 }), coded("OPTION_INVALID"));
    assert.deepEqual(taken, ["one"]);
    await assert.rejects(form(messages, taken, { timeoutMs: 20 }), coded("TIMEOUT"));
    assert.deepEqual([taken, messages.messagesDropped], [["one", "two"], 1]);
  });
}

test("what a handler throws reaches zocalo:error, with the datagram socket, also when nobody awaits", async () => {
  const told: unknown[] = [];
  const hear = (message: unknown): void => void told.push(message);
  subscribe("zocalo:error", hear);
  try {
    await using box = await bind("udp://127.0.0.1:0");
    const [error, local] = [new Error("no"), String(box.localAddress)];
    const fail = (): never => {
      throw error;
    };
    void box.framed(lines()).onMessages(fail);
    await box.send("uno\n", box.localAddress);
    await until(() => told.length === 1);
    await Promise.all([assert.rejects(box.onDatagrams(fail), error), box.send("dos\n", box.localAddress)]);
    const event = { kind: "datagram", local, remote: undefined, error };
    assert.deepEqual(told, [event, event]);
  } finally {
    unsubscribe("zocalo:error", hear);
  }
});
