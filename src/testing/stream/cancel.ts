/** The stream suite: time-outs and signals end one call and nothing else (docs/semantics.md, rule A4). */

import assert from "node:assert/strict";
import { TimeoutError, UsageError } from "../../core/errors.ts";
import type { OperationOptions } from "../../io/operation/deadline.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import { expectAborted, expectError, reasonOf } from "../expect-error.ts";
import { fillUp, PatternCheck, pause, pending, SHORT_MS, type StreamChecks, textToEnd } from "./check.ts";

/** Cancellation of reads and writes. */
export const cancelChecks: StreamChecks = {
  async "zero and already aborted are honoured at once, and nothing happens"(a, b) {
    await a.write("there");
    assert.equal(String(await b.readExactly(1)), "t");
    const reason = new Error("no");
    const aborted = AbortSignal.abort(reason);
    for (const [op, call] of Object.entries(CALLS)) {
      await expectError(call(b, { timeoutMs: 0 }), { code: "TIMEOUT", op, type: TimeoutError, outcome: "none" });
      assert.equal(await reasonOf(call(b, { signal: aborted })), reason, op);
      assert.equal(await reasonOf(call(b, { signal: aborted, timeoutMs: 0 })), reason, op);
    }
    assert.equal(String(await b.readExactly(4)), "here");
    await b.write("only this");
    await b.end();
    assert.equal(await textToEnd(a), "only this");
  },

  async "a time-out that is no number is refused"(a, b) {
    for (const [op, call] of Object.entries(CALLS)) {
      for (const timeoutMs of [-1, Number.NaN]) {
        await expectError(call(b, { timeoutMs }), { code: "OPTION_INVALID", op, type: UsageError });
      }
    }
    await b.write("open");
    assert.equal(String(await a.readExactly(4)), "open");
  },

  async "an infinite time-out is none"(a, b) {
    const waiting = b.read({ timeoutMs: Number.POSITIVE_INFINITY });
    await a.write("x", { timeoutMs: Number.POSITIVE_INFINITY });
    assert.equal(String(await waiting), "x");
  },

  async "a read that times out consumes nothing, and both directions still work"(a, b) {
    const expected = { code: "TIMEOUT", type: TimeoutError, outcome: "none" } as const;
    await expectError(b.read({ timeoutMs: SHORT_MS }), { ...expected, op: "read" });
    await b.write("writing works");
    assert.equal(String(await a.readExactly(13)), "writing works");
    await a.write("abc");
    await expectError(b.readExactly(9, { timeoutMs: SHORT_MS }), { ...expected, op: "readExactly" });
    await expectError(b.readUntil("\n", { timeoutMs: SHORT_MS }), { ...expected, op: "readUntil" });
    await a.write("def");
    assert.equal(String(await b.readExactly(6)), "abcdef");
  },

  async "a signal ends one read with its reason; those behind it move up"(a, b) {
    const first = b.readExactly(2);
    const second = expectAborted((signal) => b.read({ signal }));
    const third = b.readExactly(2);
    await second;
    await a.write("1122");
    assert.deepEqual([String(await first), String(await third)], ["11", "22"]);
    assert.equal(b.signal.aborted, false);
  },

  async "a read that was waiting for more than another needs gives its bytes up"(a, b) {
    const controller = new AbortController();
    const much = pending(b.readExactly(100, { signal: controller.signal }));
    const little = b.readExactly(3);
    await a.write("abc");
    await pause(a, SHORT_MS);
    controller.abort();
    await assert.rejects(much, { name: "AbortError" });
    assert.equal(String(await little), "abc");
  },

  async "a signal that aborts after the call has ended changes nothing"(a, b) {
    const controller = new AbortController();
    await a.write("x", { signal: controller.signal });
    await b.read({ signal: controller.signal });
    controller.abort();
    await b.write("y");
    assert.equal(String(await a.read()), "y");
  },

  async "a write that times out is all or nothing, and says which"(a, b) {
    const accepted = await fillUp(a);
    const expected = { code: "TIMEOUT", op: "write", type: TimeoutError } as const;
    await expectError(a.write("never", { timeoutMs: SHORT_MS }), { ...expected, outcome: "none" });
    const received = new PatternCheck();
    while (received.bytes < accepted) received.next((await b.read({ maxBytes: accepted - received.bytes })) as Buffer);
    await a.write("last");
    await a.end();
    assert.equal(await textToEnd(b), "last");
  },

  async "a write that had begun is completed from a copy of its input"(a, b) {
    const input = Buffer.alloc(48 * 1_048_576, "x");
    await expectError(a.write(input, { timeoutMs: SHORT_MS }), { code: "TIMEOUT", op: "write", outcome: "all" });
    input.fill("!");
    let count = 0;
    while (count < input.length) {
      const piece = (await b.read({ maxBytes: input.length - count })) as Buffer;
      assert.ok(piece.equals(Buffer.alloc(piece.length, "x")), `changed near ${count}`);
      count += piece.length;
    }
    await a.write("last");
    assert.equal(String(await b.readExactly(4)), "last");
  },

  async "a signal removes a write from the queue"(a, b) {
    const accepted = await fillUp(a);
    const before = a.write("1");
    const removed = expectAborted((signal) => a.write("never", { signal }));
    const after = a.write("2");
    await removed;
    await b.readExactly(accepted);
    assert.equal(String(await b.readExactly(2)), "12");
    await Promise.all([before, after]);
  },

  async "a blocked writer can read, and a time-out of its write leaves the read usable"(a, b) {
    const accepted = await fillUp(a);
    const reading = a.readExactly(4);
    await expectError(a.write("never", { timeoutMs: SHORT_MS }), { code: "TIMEOUT", outcome: "none" });
    await b.write("read");
    assert.equal(String(await reading), "read");
    await b.readExactly(accepted);
    await a.write("goes on");
    assert.equal(String(await b.readExactly(7)), "goes on");
  },
};

/** Every call that can be cancelled, by the name that its errors give it. */
const CALLS: Readonly<Record<string, (socket: StreamSocket, options: OperationOptions) => Promise<unknown>>> = {
  read: (socket, options) => socket.read(options),
  readInto: (socket, options) => socket.readInto(new Uint8Array(1), options),
  readExactly: (socket, options) => socket.readExactly(1, options),
  readUntil: (socket, options) => socket.readUntil("x", options),
  write: (socket, options) => socket.write("never", options),
  end: (socket, options) => socket.end(options),
  close: (socket, options) => socket.close(options),
  startTls: (socket, options) => socket.startTls({ role: "client", insecure: true, ...options }),
};
