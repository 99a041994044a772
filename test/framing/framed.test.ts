/** Messages over connections: the framed socket, over an in-memory pair and over TCP. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { lengthPrefix, lines } from "../../src/framing.ts";
import { pair, type ZocaloError } from "../../src/index.ts";
import { allOf, coded, over } from "../fixtures/stream-kinds.ts";

describe("receiving", () => {
  over("receive, for await and null at the end", async (left, right) => {
    const text = right.framed(lines());
    await left.write("uno\ndos\ntres\n");
    await left.end();
    assert.equal(await text.receive(), "uno");
    assert.deepEqual(await allOf(text), ["dos", "tres"]);
    assert.equal(await text.receive(), null);
  });

  over("break loses nothing and closes nothing", async (left, right) => {
    const text = right.framed(lines());
    await left.write("uno\ndos\n");
    for await (const line of text) {
      assert.equal(line, "uno");
      break;
    }
    assert.equal(await text.receive(), "dos");
    await text.send("answer");
    assert.equal(String(await left.readUntil("\n")), "answer\n");
  });

  over("batches hold all messages of an arrival, in order", async (left, right) => {
    const framed = right.framed(lengthPrefix());
    const sender = left.framed(lengthPrefix());
    const sent = Array.from({ length: 5000 }, (_, index) => Buffer.from(`message ${index}`));
    const received: string[] = [];
    const done = (async () => {
      for await (const batch of framed.batches())
        for (const message of batch) received.push(Buffer.from(message).toString());
    })();
    await sender.sendMany(sent);
    await left.end();
    await done;
    assert.deepEqual(received, sent.map(String));
  });

  over("onMessages and onFrames deliver everything and resolve at the end", async (left, right) => {
    const toRight = left.framed(lines());
    const toLeft = right.framed(lines());
    const atRight: string[] = [];
    const atLeft: string[] = [];
    const done = Promise.all([
      toLeft.onMessages((line) => atRight.push(line)),
      toRight.onFrames((bytes, start, end) => atLeft.push(bytes.toString("utf8", start, end))),
    ]);
    const sent = Array.from({ length: 1000 }, (_, index) => `línea ${index}`);
    await toRight.sendMany(sent);
    await toLeft.sendMany(sent);
    await left.end();
    await right.end();
    await done;
    assert.deepEqual(atRight, sent);
    assert.deepEqual(atLeft, sent);
  });

  over("a handler that throws ends the delivery with its error", async (left, right) => {
    const problem = new Error("no");
    const done = right.framed(lines()).onMessages(() => {
      throw problem;
    });
    await left.write("uno\ndos\n");
    await assert.rejects(done, problem);
  });

  over("a handler can pause and resume, even inside itself", async (left, right) => {
    const framed = right.framed(lines());
    const seen: string[] = [];
    const done = framed.onMessages((line) => {
      seen.push(line);
      framed.pause();
      if (seen.length % 2 === 0) framed.resume();
      else setImmediate(() => framed.resume());
    });
    await left.write(Array.from({ length: 100 }, (_, index) => `${index}\n`));
    await left.end();
    await done;
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, index) => `${index}`),
    );
  });

  over("a cancelled receive consumes nothing", async (left, right) => {
    const text = right.framed(lines());
    await assert.rejects(text.receive({ timeoutMs: 1 }), coded("TIMEOUT"));
    await assert.rejects(text.receive({ signal: AbortSignal.abort(new Error("no")) }), /no/);
    await left.write("uno\n");
    assert.equal(await text.receive(), "uno");
  });

  over("concurrent receives are served in order", async (left, right) => {
    const text = right.framed(lines());
    const three = Promise.all([text.receive(), text.receive(), text.receive()]);
    await left.write("1\n2\n3\n");
    assert.deepEqual(await three, ["1", "2", "3"]);
  });

  over("messages before a wrong one are delivered, then the error, again and again", async (left, right) => {
    const framed = right.framed(lengthPrefix({ maxFrameBytes: 10 }));
    await left.write([Buffer.from([0, 0, 0, 1, 7]), Buffer.from([0, 0, 1, 0])]);
    assert.deepEqual([...((await framed.receive()) ?? [])], [7]);
    await assert.rejects(framed.receive(), coded("FRAME_TOO_LONG"));
    await assert.rejects(framed.receive(), coded("FRAME_TOO_LONG"));
  });

  over("bytes left over at the end are FRAME_TRUNCATED", async (left, right) => {
    const framed = right.framed(lengthPrefix());
    await left.write(Buffer.from([0, 0, 0, 1, 7, 0, 0]));
    await left.end();
    assert.deepEqual([...((await framed.receive()) ?? [])], [7]);
    await assert.rejects(framed.receive(), coded("FRAME_TRUNCATED"));
  });

  over("closing this side ends what waits with CLOSED", async (_left, right) => {
    const framed = right.framed(lines());
    const waiting = framed.receive();
    right.close().catch(() => undefined);
    await assert.rejects(waiting, coded("CLOSED"));
    await assert.rejects(framed.send("late"), coded("CLOSED"));
  });

  over("a slow reader slows the sender: what is read ahead stays bounded", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    const framed = right.framed(lengthPrefix());
    let sent = 0;
    const sending = (async () => {
      for (; sent < 20_000; sent += 1) await sender.send(Buffer.alloc(1000));
    })();
    assert.equal((await framed.receive())?.length, 1000);
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(right.bytesReceived < 1_000_000, `${right.bytesReceived} bytes were read ahead`);
    let received = 1;
    for await (const batch of framed.batches()) {
      received += batch.length;
      if (received === 20_000) break;
    }
    await sending;
  });
});

describe("sending", () => {
  over("messages of one turn leave together", async (left, right) => {
    const text = left.framed(lines());
    for (let index = 0; index < 10; index += 1) void text.send(`${index}`);
    const first = await right.read();
    assert.equal(String(first), Array.from({ length: 10 }, (_, index) => `${index}\n`).join(""));
  });

  over("raw writes and the end come behind what was sent before", async (left, right) => {
    const text = left.framed(lines());
    void text.send("uno");
    void left.write("raw\n");
    void text.send("dos");
    await left.end();
    assert.equal(String(await right.readExactly(12)), "uno\nraw\ndos\n");
    assert.equal(await right.read(), null);
  });

  over("close sends what was gathered", async (left, right) => {
    const text = left.framed(lines());
    void text.send("última");
    const closing = text.close();
    assert.equal(await right.framed(lines()).receive(), "última");
    await right.end();
    await closing;
  });

  over("the input may be reused as soon as send settles, small or large", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    const receiver = right.framed(lengthPrefix());
    const received = allOf(receiver);
    for (const size of [10, 100_000, 10, 1_000_000]) {
      const input = Buffer.alloc(size, 1);
      await sender.send(input);
      input.fill(2);
    }
    await left.end();
    for (const message of await received) assert.ok(message.every((byte) => byte === 1));
  });

  over("a message without a form is refused, and the next one is sent", async (left, right) => {
    const text = left.framed(lines());
    await assert.rejects(text.send("two\nlines"), coded("FRAME_INVALID"));
    await text.send("one");
    assert.equal(await right.framed(lines()).receive(), "one");
  });

  over("a send that waits can be cancelled, and is then not sent", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    const block = Buffer.alloc(60_000, 1);
    const settled: Promise<void>[] = [];
    // Until the kernel takes no more, and as much waits here as may.
    while (sender.unsentBytes <= 65_536) {
      settled.push(sender.send(block));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const error = await sender.send(Buffer.from("no"), { timeoutMs: 1 }).catch((reason: unknown) => reason);
    assert.equal((error as ZocaloError).code, "TIMEOUT");
    assert.equal((error as ZocaloError).outcome, "none");
    const receiver = right.framed(lengthPrefix());
    const received = allOf(receiver);
    await Promise.all(settled);
    await sender.send(Buffer.from("yes"));
    await left.end();
    const all = await received;
    assert.equal(all.length, settled.length + 1);
    assert.equal(String(Buffer.from(all.at(-1) as Uint8Array)), "yes");
  });
});

describe("detaching", () => {
  over("gives back the bytes that were not decoded", async (left, right) => {
    const text = right.framed(lines());
    await left.write("HELLO\nraw bytes\nmore");
    assert.equal(await text.receive(), "HELLO");
    await assert.rejects(right.read(), coded("READER_TAKEN"));
    const socket = text.detach();
    assert.equal(String(await socket.readExactly(14)), "raw bytes\nmore");
    await assert.rejects(text.receive(), coded("READER_TAKEN"));
  });

  over("works inside a handler, in the middle of an arrival", async (left, right) => {
    const text = right.framed(lines());
    await left.write("uno\nSTART\nrest");
    let reading: Promise<Buffer> | undefined;
    const done = text.onMessages((line) => {
      if (line === "START") reading = text.detach().readExactly(4);
    });
    await assert.rejects(done, coded("CLOSED"));
    assert.equal(String(await reading), "rest");
  });

  over("gives back half a message", async (left, right) => {
    const framed = right.framed(lengthPrefix());
    const waiting = framed.receive();
    await left.write(Buffer.from([0, 0, 0, 9, 1, 2]));
    while (right.bytesReceived < 6) await new Promise((resolve) => setImmediate(resolve));
    const socket = framed.detach();
    await assert.rejects(waiting, coded("CLOSED"));
    assert.deepEqual([...(await socket.readExactly(6))], [0, 0, 0, 9, 1, 2]);
  });
});

test("any cut of the bytes gives the same messages to every kind of receiver", async () => {
  const arrays = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(arrays, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), async (messages, cuts) => {
      const encoded = Buffer.concat(
        messages.map((message) => {
          const head = Buffer.alloc(4);
          head.writeUInt32BE(message.length);
          return Buffer.concat([head, message]);
        }),
      );
      for (const way of ["receive", "batches", "onMessages"] as const) {
        const [left, right] = pair();
        const framed = right.framed(lengthPrefix());
        const got: Buffer[] = [];
        const done = (async () => {
          if (way === "receive") for await (const message of framed) got.push(Buffer.from(message));
          else if (way === "batches")
            for await (const batch of framed.batches()) got.push(...batch.map((one) => Buffer.from(one)));
          else await framed.onMessages((message) => got.push(Buffer.from(message)));
        })();
        for (let at = 0, turn = 0; at < encoded.length; turn += 1) {
          const size = cuts[turn % cuts.length] as number;
          await left.write(encoded.subarray(at, at + size));
          await new Promise((resolve) => setImmediate(resolve));
          at += size;
        }
        await left.end();
        await done;
        assert.deepEqual(
          got,
          messages.map((message) => Buffer.from(message)),
        );
        right.abort();
      }
    }),
    { numRuns: 40 },
  );
});
