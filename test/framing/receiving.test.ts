/** Each way to receive messages of a connection, with `{ timeoutMs, signal, until }`. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lines } from "../../src/framing.ts";
import { type FramedStream, nodeNetwork, pair, type ReceiveOptions } from "../../src/index.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { coded, over, until } from "../fixtures/stream-kinds.ts";

/** Takes messages until there are no more for it. */
type Form = (text: FramedStream<string>, taken: string[], options?: ReceiveOptions) => Promise<void>;

const FORMS: Readonly<Record<string, Form>> = {
  async receive(text, taken, options) {
    for (let line = await text.receive(options); line !== null; line = await text.receive(options)) taken.push(line);
  },
  async messages(text, taken, options) {
    for await (const line of text.messages(options)) taken.push(line);
  },
  async batches(text, taken, options) {
    for await (const batch of text.batches(options)) taken.push(...batch);
  },
  async onMessages(text, taken, options) {
    await text.onMessages((line) => void taken.push(line), options);
  },
  async onFrames(text, taken, options) {
    const handler = (bytes: Uint8Array, start: number, end: number): void => {
      taken.push(Buffer.from(bytes.subarray(start, end)).toString().trim());
    };
    await text.onFrames(handler, options);
  },
};

for (const [name, form] of Object.entries(FORMS)) {
  describe(name, () => {
    over("until ends it in order, and what was not taken stays", async (left, right) => {
      const text = right.framed(lines());
      const stop = new AbortController();
      const taken: string[] = [];
      const done = form(text, taken, { until: stop.signal });
      // Half a message is behind the first one.
      await left.write("0\n1");
      await until(() => taken.length === 1);
      stop.abort();
      await done;
      await left.write("\n2\n");
      await left.end();
      await form(text, taken, { until: stop.signal });
      assert.deepEqual(taken, ["0"]);
      for (const rest of ["1", "2", null]) assert.equal(await text.receive(), rest);
    });

    over("signal rejects it, and nothing is lost", async (left, right) => {
      const text = right.framed(lines());
      const stop = new AbortController();
      const reason = new Error("stop");
      const taken: string[] = [];
      const done = form(text, taken, { signal: stop.signal });
      await left.write("0\n");
      await until(() => taken.length === 1);
      stop.abort(reason);
      await assert.rejects(done, reason);
      await assert.rejects(form(text, taken, { signal: stop.signal }), reason);
      await left.write("1\n");
      await left.end();
      await form(text, taken);
      assert.deepEqual(taken, ["0", "1"]);
    });

    over("wrong options are refused, and the next call goes on", async (left, right) => {
      const text = right.framed(lines());
      const taken: string[] = [];
      for (const wrong of [{ timeoutMs: -1 }, { until: {} as AbortSignal }, { maxBytes: 1 } as {}]) {
        await assert.rejects(form(text, taken, wrong), coded("OPTION_INVALID"));
      }
      await assert.rejects(form(text, taken, { timeoutMs: 0 }), coded("TIMEOUT"));
      await left.write("0\n");
      await left.end();
      await form(text, taken);
      assert.deepEqual(taken, ["0"]);
    });

    test("timeoutMs is for each message: a peer that drips bytes does not prolong it", async () => {
      const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
      const [left, right] = pair({ network: { ...nodeNetwork, clock } });
      const text = right.framed(lines());
      const taken: string[] = [];
      let isOver = false;
      const done = assert.rejects(form(text, taken, { timeoutMs: 100 }), coded("TIMEOUT")).then(() => (isOver = true));
      for (let count = 1; count <= 3; count += 1) {
        await clock.advance(90);
        await left.write(`${count}\n`);
        await until(() => taken.length === count);
      }
      assert.equal(isOver, false);
      await clock.advance(60);
      await left.write("4");
      await until(() => right.bytesReceived === 7);
      await clock.advance(40);
      await done;
      await left.write("\n");
      assert.equal(await text.receive(), "4");
      assert.equal(clock.pending, 0);
      left.abort();
      right.abort();
    });
  });
}

describe("a handler", () => {
  over("may end itself in the middle of an arrival, and whoever comes next goes on there", async (left, right) => {
    const text = right.framed(lines());
    const stop = new AbortController();
    let rest: Promise<string | null> | undefined;
    await left.write("0\n1\n2\n3\n");
    await text.onMessages(
      () => {
        stop.abort();
        rest = text.receive();
      },
      { until: stop.signal },
    );
    assert.equal(await rest, "1");
    const seen: string[] = [];
    const again = new AbortController();
    const first = text.onMessages(
      (line) => {
        seen.push(line);
        again.abort();
        void text.onMessages((later) => void seen.push(later));
      },
      { until: again.signal, timeoutMs: 60_000 },
    );
    await first;
    await until(() => seen.length === 2);
    assert.deepEqual(seen, ["2", "3"]);
  });

  test("timeoutMs does not count while it pauses", async () => {
    const clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
    const [left, right] = pair({ network: { ...nodeNetwork, clock } });
    const text = right.framed(lines());
    const done = text.onMessages(() => text.pause(), { timeoutMs: 100 });
    await left.write("0\n1\n");
    await until(() => right.bytesReceived === 4);
    await clock.advance(1000);
    text.resume();
    await clock.advance(1000);
    text.resume();
    await clock.advance(100);
    await assert.rejects(done, coded("TIMEOUT"));
    left.abort();
    right.abort();
  });
});
