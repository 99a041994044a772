/** The stream suite: loops that read, what ends them, and whose the bytes are (docs/semantics.md, rule A4). */

import assert from "node:assert/strict";
import { UsageError } from "../../core/errors.ts";
import { expectAborted, expectError } from "../expect-error.ts";
import { patternBytes, PatternCheck, SHORT_MS, type StreamChecks, textToEnd } from "./check.ts";

/** Iteration and its options. */
export const loopChecks: StreamChecks = {
  async "break in for await neither closes nor loses bytes"(a, b) {
    const received = new PatternCheck();
    await a.write(patternBytes(0, 3000));
    for await (const piece of b) {
      received.next(piece);
      break;
    }
    await a.write(patternBytes(3000, 3000));
    await b.write("open");
    assert.equal(String(await a.readExactly(4)), "open");
    await a.end();
    for await (const piece of b) received.next(piece);
    assert.equal(received.bytes, 6000);
  },

  async "an iteration that is given up does not take bytes away from others"(a, b) {
    const iterator = b[Symbol.asyncIterator]();
    const steps = [iterator.next(), iterator.next()];
    const waiting = b.read();
    assert.deepEqual(await iterator.return?.(), { done: true, value: undefined });
    for (const step of steps) assert.deepEqual(await step, { done: true, value: undefined });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    await a.write("yours");
    assert.equal(String(await waiting).slice(0, 1), "y");
  },

  async "an error in the body of for await leaves the connection open"(a, b) {
    await a.write("first");
    const failure = new Error("of the body");
    let taken = 0;
    const loop = async (): Promise<void> => {
      for await (const piece of b) {
        taken = piece.length;
        throw failure;
      }
    };
    await assert.rejects(loop, failure);
    assert.ok(taken > 0);
    await a.write("second");
    assert.equal(String(await b.readExactly(11 - taken)), "firstsecond".slice(taken));
  },

  async "until ends reads and loops in order; what was not taken stays"(a, b) {
    const stop = new AbortController();
    const options = { until: stop.signal };
    const reads = [b.read(options), b.readInto(Buffer.alloc(1), options)];
    const step = b.chunks(options).next();
    const other = b.readExactly(4);
    stop.abort();
    assert.deepEqual(await Promise.all(reads), [null, null]);
    assert.deepEqual(await step, { done: true, value: undefined });
    await a.write("holaadiós");
    assert.equal(String(await other), "hola");
    for await (const bytes of b.chunks(options)) assert.fail(String(bytes));
    assert.equal(await b.read(options), null);
    await a.end();
    assert.equal(await textToEnd(b), "adiós");
  },

  async "timeoutMs is for each step of a loop; another loop goes on"(a, b) {
    await a.write("x");
    const loop = b.chunks({ timeoutMs: SHORT_MS });
    const first = await expectError(b.chunks({ timeoutMs: 0 }).next(), { code: "TIMEOUT", op: "read" });
    assert.equal(first.outcome, "none");
    assert.equal(String((await b.chunks().next()).value), "x");
    await expectError(loop.next(), { code: "TIMEOUT", op: "read" });
    await a.write("y");
    assert.equal(String((await b.chunks({ timeoutMs: 60_000 }).next()).value), "y");
  },

  async "signal rejects the step of a loop; wrong options reject, and only who may end with nothing has until"(a, b) {
    const never = new AbortController().signal;
    await expectAborted((signal) => b.chunks({ signal, until: never }).next());
    const wrong = { code: "OPTION_INVALID", type: UsageError } as const;
    await expectError(b.chunks({ timeoutMs: -1 }).next(), { ...wrong, op: "read" });
    await expectError(b.chunks({ until: {} as AbortSignal }).next(), { ...wrong, op: "read" });
    const until = { until: never } as {};
    await expectError(b.readExactly(1, until), { ...wrong, op: "readExactly" });
    await expectError(b.readUntil("x", until), { ...wrong, op: "readUntil" });
    await a.write("x");
    assert.equal(String(await b.read()), "x");
  },

  async "the bytes of a read belong to the caller"(a, b) {
    const kept: Buffer[] = [];
    const reading = (async () => {
      for await (const piece of b) kept.push(piece);
    })();
    let offset = 0;
    for (let size = 1; size < 20_000; size = size * 2 + 1) {
      await a.write(patternBytes(offset, size));
      offset += size;
    }
    await a.end();
    await reading;
    // Changing one piece changes no other, and what came later has changed none.
    const received = new PatternCheck();
    for (const piece of kept) {
      received.next(piece);
      piece.fill(0);
    }
    assert.equal(received.bytes, offset);
  },
};
