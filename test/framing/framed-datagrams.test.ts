/** Messages in datagrams, over UDP. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bind } from "../../src/index.ts";
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
