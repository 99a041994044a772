/** What a handler of `onMessages` may do, and changing from one way of receiving to another in the middle of an arrival. */

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";
import { lengthPrefix, lines } from "../../src/framing.ts";
import { pair, type ZocaloError } from "../../src/index.ts";
import { halfRead } from "../fixtures/half-read.ts";
import { allOf, coded, over, until } from "../fixtures/stream-kinds.ts";

describe("in the middle of an arrival", () => {
  over("onMessages goes on where receive stopped, also when it pauses and resumes", async (left, right) => {
    const text = await halfRead(left, right);
    await left.end();
    const seen: string[] = [];
    await text.onMessages((line) => {
      seen.push(line);
      text.pause();
      text.resume();
    });
    assert.deepEqual(seen, ["1", "2", "3", "4", "5"]);
  });

  // The rules are those of docs/semantics.md.
  over("rule C3: a handler may detach and read: the rest comes in order", async (left, right) => {
    const text = await halfRead(left, right);
    let rest: Promise<Buffer> | undefined;
    const done = text.onMessages(() => {
      rest = text.detach().readExactly(8);
    });
    await assert.rejects(done, coded("CLOSED"));
    assert.equal(String(await rest), "2\n3\n4\n5\n");
  });

  over("a handler may detach and frame anew: the rest comes in order", async (left, right) => {
    const text = await halfRead(left, right);
    await left.end();
    let rest: Promise<string[]> | undefined;
    const done = text.onMessages(() => {
      rest = allOf(text.detach().framed(lines()));
    });
    await assert.rejects(done, coded("CLOSED"));
    assert.deepEqual(await rest, ["2", "3", "4", "5"]);
  });

  over("a handler that detaches and fails stops nobody who reads after it", async (left, right) => {
    const text = await halfRead(left, right);
    let seen: Promise<void> | undefined;
    const later: string[] = [];
    const done = text.onMessages(() => {
      seen = text
        .detach()
        .framed(lines())
        .onMessages((line) => void later.push(line));
      throw new Error("the handler fails");
    });
    await assert.rejects(done, coded("CLOSED"));
    await left.write("later\n");
    await left.end();
    await seen;
    assert.equal(later.at(-1), "later");
  });

  over("a handler may detach and read although much more was read ahead", async (left, right) => {
    const text = right.framed(lines());
    // Several blocks of the queue, since each write is larger than the one before.
    const sent = Array.from({ length: 6 }, (_, index) => `${String(index).repeat(700 * (index + 1))}\n`);
    let bytes = 0;
    for (const line of sent) {
      await left.write(line);
      bytes += line.length;
      await until(() => right.bytesReceived === bytes);
    }
    await left.end();
    let reading: Promise<Buffer> | undefined;
    const done = text.onMessages(() => {
      reading = text.detach().readExactly(bytes - (sent[0] as string).length);
    });
    await assert.rejects(done, coded("CLOSED"));
    assert.equal(String(await reading), sent.slice(1).join(""));
  });

  over("leaving batches() loses nothing: receive and onMessages go on behind the batch", async (left, right) => {
    const text = right.framed(lines());
    const sent = Array.from({ length: 1000 }, (_, index) => `${index}`);
    await left.write(sent.map((line) => `${line}\n`));
    await left.end();
    const seen: string[] = [];
    for await (const batch of text.batches()) {
      seen.push(...batch);
      break;
    }
    seen.push((await text.receive()) as string);
    await text.onMessages((line) => seen.push(line));
    assert.deepEqual(seen, sent);
  });
});

describe("a handler that ends things", () => {
  over("closing in the handler: no more messages, and CLOSED", async (left, right) => {
    const text = right.framed(lines());
    const seen: string[] = [];
    await left.write("0\n1\n2\n");
    await until(() => right.bytesReceived === 6);
    const done = text.onMessages((line) => {
      seen.push(line);
      text.close({ lingerMs: 0 }).catch(() => undefined);
    });
    await assert.rejects(done, coded("CLOSED"));
    assert.deepEqual(seen, ["0"]);
  });

  over("aborting in the handler: no more messages, and CONNECTION_ABORTED", async (left, right) => {
    const text = right.framed(lines());
    const seen: string[] = [];
    const done = text.onMessages((line) => {
      seen.push(line);
      text.abort();
    });
    await left.write("0\n1\n2\n");
    await assert.rejects(done, coded("CONNECTION_ABORTED"));
    assert.deepEqual(seen, ["0"]);
  });

  over("aborting while the delivery is paused rejects onMessages", async (left, right) => {
    const text = right.framed(lines());
    const done = text.onMessages(() => text.pause());
    await left.write("0\n1\n");
    await until(() => right.bytesReceived === 4);
    text.abort();
    await assert.rejects(done, coded("CONNECTION_ABORTED"));
  });

  over("an error of the handler stays the answer of every call that receives", async (left, right) => {
    const text = right.framed(lines());
    const problem = new Error("no");
    const done = text.onMessages(() => {
      throw problem;
    });
    await left.write("0\n1\n");
    await assert.rejects(done, problem);
    await left.write("2\n");
    await assert.rejects(text.receive(), problem);
    await assert.rejects(
      text.onMessages(() => assert.fail("nothing more is delivered")),
      problem,
    );
    await assert.rejects(allOf(text.batches()), problem);
  });

  over(
    "what it throws, and bytes that hold no message, reach zocalo:error, whether or not somebody awaits",
    async (left, right) => {
      const told: unknown[] = [];
      const hear = (message: unknown): void => void told.push((message as { readonly error: unknown }).error);
      subscribe("zocalo:error", hear);
      try {
        const problem = new Error("no");
        const enough = new AbortController();
        const handler = (): never => {
          enough.abort();
          throw problem;
        };
        void right.framed(lines()).onMessages(handler, { until: enough.signal });
        await left.write("0\n");
        await until(() => told.length === 1);
        assert.deepEqual(told, [problem]);
        void left.framed(lines({ maxLineBytes: 2 })).onFrames(() => undefined);
        await right.write("too long\n");
        await until(() => told.length === 2);
        const { code, op } = told[1] as ZocaloError;
        assert.deepEqual([code, op], ["FRAME_TOO_LONG", "onFrames"]);
      } finally {
        unsubscribe("zocalo:error", hear);
      }
    },
  );

  over("a handler may send, from inside", async (left, right) => {
    const echo = right.framed(lines());
    const text = left.framed(lines());
    const done = echo.onMessages((line) => void echo.send(line.toUpperCase()));
    const sent = Array.from({ length: 100 }, (_, index) => `n${index}`);
    await text.sendMany(sent);
    await left.end();
    await done;
    await right.end();
    assert.deepEqual(
      await allOf(text),
      sent.map((line) => line.toUpperCase()),
    );
  });
});

describe("the name of the call", () => {
  over("is in the error of a connection that is closed or lost, for each way to receive", async (left, right) => {
    const [here, there] = [left.framed(lines()), right.framed(lines())];
    const waiting = [there.receive(), there.receive(), here.onMessages(() => undefined)];
    const told = Promise.allSettled(waiting);
    there.abort();
    here.abort();
    const ops = (await told).map((each) => each.status === "rejected" && (each.reason as ZocaloError).op);
    assert.deepEqual(ops, ["receive", "receive", "onMessages"]);
    await assert.rejects(there.batches().next(), { code: "CONNECTION_ABORTED", op: "batches" });
    await assert.rejects(
      there.onFrames(() => undefined),
      { code: "CONNECTION_ABORTED", op: "onFrames" },
    );
  });
});

describe("one way at a time", () => {
  over("pause stops onMessages only: a receive that waits is served", async (left, right) => {
    const text = right.framed(lines());
    const waiting = text.receive();
    text.pause();
    await left.write("0\n");
    assert.equal(await waiting, "0");
  });

  over("a second framed reader, a raw read beneath one, and two ways at once are READER_TAKEN", async (left, right) => {
    const text = right.framed(lines());
    assert.throws(() => right.framed(lines()), coded("READER_TAKEN"));
    const waiting = text.receive();
    await assert.rejects(
      text.onMessages(() => undefined),
      coded("READER_TAKEN"),
    );
    await assert.rejects(text.batches().next(), coded("READER_TAKEN"));
    await left.write("0\n");
    assert.equal(await waiting, "0");
    const reading = left.read();
    assert.throws(() => left.framed(lines()), coded("READER_TAKEN"));
    await right.write("x");
    await reading;
  });

  over("a cancelled receive with half a message there loses none of it", async (left, right) => {
    const framed = right.framed(lengthPrefix());
    const stop = new AbortController();
    const waiting = framed.receive({ signal: stop.signal });
    await left.write(Buffer.from([0, 0, 0, 4, 1, 2]));
    await until(() => right.bytesReceived === 6);
    stop.abort(new Error("no more"));
    await assert.rejects(waiting, /no more/);
    await left.write(Buffer.from([3, 4]));
    assert.deepEqual([...((await framed.receive()) ?? [])], [1, 2, 3, 4]);
  });
});

test("a handler that pauses after each message looks at the arrival once, and copies none of it", async () => {
  const [left, right] = pair();
  const framed = right.framed(lengthPrefix({ bytes: 1 }));
  const sent = 3000;
  const wire = Buffer.concat(Array.from({ length: sent }, () => Buffer.from([2, 7, 7])));
  await left.write(wire);
  await left.end();
  let beneath: ArrayBufferLike | undefined;
  let moves = 0;
  let seen = 0;
  await framed.onMessages((message) => {
    if (message.buffer !== beneath) moves += 1;
    beneath = message.buffer;
    seen += 1;
    framed.pause();
    queueMicrotask(() => framed.resume());
  });
  assert.equal(seen, sent);
  assert.ok(moves <= 8, `the bytes were moved ${moves} times`);
});
