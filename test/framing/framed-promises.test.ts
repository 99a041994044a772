/** A handler of `onMessages` that returns a promise: the next message waits for it. */

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe } from "node:test";
import { lengthPrefix } from "../../src/framing.ts";
import { type FramedStream, pair } from "../../src/index.ts";
import { halfRead } from "../fixtures/half-read.ts";
import { gate, nextTurn } from "../fixtures/gate.ts";
import { over, until } from "../fixtures/stream-kinds.ts";

describe("a handler that returns a promise", () => {
  over("gets the next message when it is fulfilled", async (left, right) => {
    const text = await halfRead(left, right);
    await left.end();
    const seen: string[] = [];
    await text.onMessages(async (line) => {
      seen.push(`begin ${line}`);
      await nextTurn();
      seen.push(`end ${line}`);
    });
    assert.deepEqual(
      seen,
      ["1", "2", "3", "4", "5"].flatMap((line) => [`begin ${line}`, `end ${line}`]),
    );
  });

  over("ends with what its promise rejects with, and gets no more", async (left, right) => {
    const text = await halfRead(left, right);
    await left.end();
    const seen: string[] = [];
    const failure = new Error("at 2");
    const done = text.onMessages(async (line) => {
      seen.push(line);
      await nextTurn();
      if (line === "2") throw failure;
    });
    await assert.rejects(done, (error) => error === failure);
    assert.deepEqual(seen, ["1", "2"]);
    await assert.rejects(text.receive(), (error) => error === failure);
  });

  over("that ends its own call and fails is told to the diagnostics, and stops nobody", async (left, right) => {
    const told: unknown[] = [];
    const listener = (message: unknown): void => void told.push((message as { readonly error: unknown }).error);
    subscribe("zocalo:error", listener);
    const ends: readonly ((text: FramedStream<string>, stop: AbortController) => unknown)[] = [
      (_text, stop) => stop.abort(),
      (text) => text.detach(),
      (text) => text.abort(),
    ];
    const failures: Error[] = [];
    try {
      for (const [index, end] of ends.entries()) {
        const [here, there] = index === 0 ? [left, right] : pair();
        const text = await halfRead(here, there);
        const stop = new AbortController();
        const failure = new Error(`failure ${index}`);
        failures.push(failure);
        const done = text.onMessages(
          async () => {
            end(text, stop);
            throw failure;
          },
          { signal: stop.signal },
        );
        await assert.rejects(done, (error) => error !== failure);
        await until(() => told.length > index);
        if (index === 0) assert.equal(await text.receive(), "2");
      }
    } finally {
      unsubscribe("zocalo:error", listener);
    }
    assert.deepEqual(told, failures);
  });

  over("that goes on when its call has ended holds up no other, and ends none", async (left, right) => {
    const text = await halfRead(left, right);
    const enough = new AbortController();
    const work = gate();
    const seen: string[] = [];
    let second: Promise<void> | undefined;
    await text.onMessages(
      async () => {
        enough.abort();
        second = text.onMessages((line) => void seen.push(line));
        await work.opened;
        throw new Error("too late");
      },
      { until: enough.signal },
    );
    await until(() => seen.length === 4);
    work.open();
    await nextTurn();
    await left.write("6\n");
    await left.end();
    await second;
    assert.deepEqual(seen, ["2", "3", "4", "5", "6"]);
  });

  over("stays stopped by pause, and ends by until; whoever receives next goes on behind", async (left, right) => {
    const text = await halfRead(left, right);
    const enough = new AbortController();
    const first = gate();
    const seen: string[] = [];
    const done = text.onMessages(
      (line) => {
        seen.push(line);
        if (line === "1") return first.opened;
        text.pause();
        return Promise.resolve();
      },
      { until: enough.signal },
    );
    text.resume();
    await nextTurn();
    assert.deepEqual(seen, ["1"], "resume does not end the wait");
    first.open();
    await until(() => seen.length === 2);
    await nextTurn();
    assert.deepEqual(seen, ["1", "2"]);
    text.resume();
    await until(() => seen.length === 3);
    enough.abort();
    await done;
    assert.equal(await text.receive(), "4");
  });

  over(
    "a server that returns the promise of send reads no faster than its peer takes the answers",
    async (left, right) => {
      const framed = right.framed(lengthPrefix());
      const requests = left.framed(lengthPrefix());
      const answer = Buffer.alloc(100_000, 7);
      let asked = 0;
      const done = framed.onMessages(() => {
        asked += 1;
        return framed.send(answer);
      });
      const count = 500;
      await requests.sendMany(Array.from({ length: count }, () => Buffer.alloc(10)));
      for (let turn = 0; turn < 50; turn += 1) await nextTurn();
      const before = asked;
      assert.ok(before < count, "the peer has taken no answer, and not all requests were read");
      for (let answers = 0; answers < count; answers += 1)
        assert.equal((await requests.receive())?.length, answer.length);
      await left.end();
      await done;
      assert.equal(asked, count);
    },
  );
});
