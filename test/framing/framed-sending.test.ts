/** Sending messages when the peer does not read, when the connection closes meanwhile, and many in one call. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lengthPrefix, lines } from "../../src/framing.ts";
import { connect, type FramedStream, listen, type StreamSocket, type ZocaloError } from "../../src/index.ts";
import { allOf, coded, over, until } from "../fixtures/stream-kinds.ts";

const MESSAGE_BYTES = 4000;

/** Sends until the kernel takes no more and some sends wait; answers all of them. */
async function fill(sender: FramedStream<Uint8Array>): Promise<Promise<void>[]> {
  const sends: Promise<void>[] = [];
  const send = (): number => sends.push(sender.send(Buffer.alloc(MESSAGE_BYTES, sends.length)));
  while (sender.unsentBytes <= 65_536) {
    send();
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let more = 0; more < 50; more += 1) send();
  return sends;
}

/** How many messages arrive until the end. */
async function countAll(socket: StreamSocket): Promise<number> {
  return (await allOf(socket.framed(lengthPrefix()))).length;
}

describe("what was sent is not lost", () => {
  over("close sends also what waited for room, and each send resolves", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    const sends = await fill(sender);
    const closing = sender.close();
    const received = await countAll(right);
    await right.end();
    await Promise.all(sends);
    await closing;
    assert.equal(received, sends.length);
  });

  over("end sends also what waited for room", async (left, right) => {
    const sends = await fill(left.framed(lengthPrefix()));
    const ending = left.end();
    assert.equal(await countAll(right), sends.length);
    await Promise.all([...sends, ending]);
  });

  over("detach sends what waited for room before whatever is written then", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    const sends = await fill(sender);
    const writing = sender.detach().write(Buffer.from([0, 0, 0, 1, 9]));
    const messages = allOf(right.framed(lengthPrefix()));
    await Promise.all([...sends, writing]);
    await left.end();
    const sizes = (await messages).map((message) => message.length);
    assert.deepEqual(sizes, [...sends.map(() => MESSAGE_BYTES), 1]);
  });

  over("a send that waits rejects when the connection is lost, and so does every later one", async (left) => {
    const sender = left.framed(lengthPrefix());
    const sends = await fill(sender);
    const last = assert.rejects(sends.pop() as Promise<void>, coded("CONNECTION_ABORTED"));
    const others = Promise.allSettled(sends);
    left.abort();
    await Promise.all([last, others]);
    await assert.rejects(sender.send(Buffer.of(1)), coded("CONNECTION_ABORTED"));
    await assert.rejects(sender.sendMany([Buffer.of(1)]), coded("CONNECTION_ABORTED"));
  });
});

test("a message larger than maxWriteQueueBytes is sent behind what waits, and wedges nothing", async () => {
  await using listener = await listen("tcp://127.0.0.1:0");
  await using call = await connect(listener.localAddress, { limits: { maxWriteQueueBytes: 100_000 } });
  await using peer = await listener.accept();
  const sender = call.framed(lengthPrefix());
  let sent = 0;
  // Until the kernel has less room than one message, so that the large one meets a queue that is not empty.
  while (sender.unsentBytes === 0) {
    void sender.send(Buffer.alloc(MESSAGE_BYTES));
    sent += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const large = sender.send(Buffer.alloc(1_000_000));
  const small = sender.send(Buffer.alloc(1));
  const received = allOf(peer.framed(lengthPrefix()));
  await large;
  await small;
  await call.end();
  assert.deepEqual((await received).map(({ length }) => length).slice(sent), [1_000_000, 1]);
  await peer.end();
});

describe("sendMany", () => {
  over("takes any iterable, in order", async (left, right) => {
    const text = left.framed(lines());
    await text.sendMany(new Set(["uno", "dos"]));
    await text.sendMany([]);
    await text.sendMany(["tres"]);
    await left.end();
    assert.deepEqual(await allOf(right.framed(lines())), ["uno", "dos", "tres"]);
  });

  over("a generator that throws: its error, and what came before it was sent", async (left, right) => {
    const text = left.framed(lines());
    function* source(): Generator<string> {
      yield "uno";
      throw new Error("no more");
    }
    await assert.rejects(text.sendMany(source()), /no more/);
    await left.end();
    assert.deepEqual(await allOf(right.framed(lines())), ["uno"]);
  });

  over("a message without a form: what came before it was sent, nothing of what follows", async (left, right) => {
    const text = left.framed(lines());
    await assert.rejects(text.sendMany(["uno", "two\nlines", "tres"]), coded("FRAME_INVALID"));
    await left.end();
    assert.deepEqual(await allOf(right.framed(lines())), ["uno"]);
  });

  over("a generator without end stops at the signal, and is closed", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    let closed = false;
    function* source(): Generator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(1000);
      } finally {
        closed = true;
      }
    }
    const stop = new AbortController();
    const sending = sender.sendMany(source(), { signal: stop.signal });
    let received = 0;
    const receiving = right.framed(lengthPrefix()).onMessages(() => {
      received += 1;
      if (received === 2000) stop.abort(new Error("enough"));
    });
    await assert.rejects(sending, /enough/);
    assert.equal(closed, true);
    await left.end();
    await receiving;
  });

  over("the time is that of the whole call, not of each message", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    function* source(): Generator<Uint8Array> {
      for (;;) yield Buffer.alloc(MESSAGE_BYTES);
    }
    const sending = sender.sendMany(source(), { timeoutMs: 50 });
    // Something always moves, so that no single message waits for long.
    const receiving = right.framed(lengthPrefix()).onMessages(() => undefined);
    const error = (await sending.catch((reason: unknown) => reason)) as ZocaloError;
    assert.deepEqual([error.code, error.op, error.outcome], ["TIMEOUT", "sendMany", "unknown"]);
    await left.end();
    await receiving;
  });

  over("an aborted signal and a time of zero are honoured at once, even with nothing to send", async (left) => {
    const text = left.framed(lines());
    await assert.rejects(text.sendMany([], { signal: AbortSignal.abort(new Error("no")) }), /no/);
    await assert.rejects(text.sendMany(["x"], { timeoutMs: 0 }), coded("TIMEOUT"));
    assert.equal(text.unsentBytes, 0);
  });
});

describe("flush", () => {
  over("hands over at once and resolves when the kernel has everything", async (left, right) => {
    const text = left.framed(lines());
    void text.send("uno");
    assert.equal(text.unsentBytes, 4);
    await text.flush();
    assert.equal(text.unsentBytes, 0);
    assert.equal(String(await right.readExactly(4)), "uno\n");
  });

  over("also while the connection closes, and after it", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    const sends = await fill(sender);
    const closing = sender.close();
    const flushing = sender.flush();
    const received = countAll(right);
    await flushing;
    assert.equal(await received, sends.length);
    await right.end();
    await closing;
    await sender.flush();
  });

  over("stops waiting in time: the messages are still sent", async (left, right) => {
    const sender = left.framed(lengthPrefix());
    const sends = await fill(sender);
    await assert.rejects(sender.flush({ timeoutMs: 1 }), coded("TIMEOUT"));
    const received = countAll(right);
    await Promise.all(sends);
    await left.end();
    assert.equal(await received, sends.length);
    await until(() => sender.unsentBytes === 0);
  });
});
