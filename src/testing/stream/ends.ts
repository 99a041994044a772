/** The stream suite: end and close, and what the other side sees of them (docs/semantics.md, rules A1 and A2). */

import assert from "node:assert/strict";
import { ConnectionError, TimeoutError } from "../../core/errors.ts";
import { assertError, expectAborted, expectError } from "../expect-error.ts";
import {
  fillUp,
  patternBytes,
  pending,
  receivePattern,
  sendPattern,
  SHORT_MS,
  type StreamChecks,
  textToEnd,
} from "./check.ts";

/** The ways in which a stream ends in order. */
export const endChecks: StreamChecks = {
  async "`closed` says `ended` when both sides have ended"(a, b) {
    await Promise.all([a.end(), b.end()]);
    assert.equal(await a.read(), null);
    assert.equal(await b.read(), null);
    assert.deepEqual(await Promise.all([a.closed, b.closed]), [{ how: "ended" }, { how: "ended" }]);
    assert.equal(await a.read(), null);
    await expectError(a.write("x"), { code: "CLOSED", op: "write", outcome: "none" });
    await a.close();
    a.abort();
    assert.equal((await a.closed).how, "ended");
  },

  async "`signal` aborts with an error when the connection is over, and not before"(a, b) {
    const early = a.signal;
    assert.equal(early.aborted, false);
    const over = new Promise((resolve) => {
      early.addEventListener("abort", resolve);
    });
    await Promise.all([a.close(), b.close()]);
    await over;
    for (const signal of [early, a.signal, b.signal]) {
      assert.ok(signal.aborted);
      assertError(signal.reason, { code: "CLOSED" });
    }
  },

  async "close keeps the last answer although the question was not read"(a, b) {
    const question = pending(a.write(patternBytes(0, 100_000)));
    await b.readExactly(10);
    const closing = pending(sendPattern(b, 200_000, 50_000).then(() => b.close()));
    assert.equal(await receivePattern(a), 200_000);
    await question;
    await a.close();
    await closing;
    assert.deepEqual(await b.closed, { how: "closed" });
  },

  async "close sends what was written and not awaited"(a, b) {
    const writes = Array.from({ length: 10 }, (_, index) => a.write(patternBytes(index * 100_000, 100_000)));
    const closing = pending(a.close());
    assert.equal(await receivePattern(b), 1_000_000);
    await Promise.all(writes);
    await b.close();
    await closing;
  },

  async "close rejects pending reads, and refuses new calls"(a, b) {
    const reads = [pending(a.read()), pending(a.readExactly(1)), pending(a.readUntil("x"))];
    const closing = pending(a.close());
    for (const [index, op] of ["read", "readExactly", "readUntil"].entries()) {
      await expectError(reads[index] as Promise<unknown>, { code: "CLOSED", op, type: ConnectionError });
    }
    await expectError(a.read(), { code: "CLOSED", op: "read", type: ConnectionError });
    await expectError(a.write("x"), { code: "CLOSED", op: "write", outcome: "none", type: ConnectionError });
    await b.close();
    await closing;
    await a.close();
    await expectError(a.readInto(new Uint8Array(1)), { code: "CLOSED", op: "readInto", type: ConnectionError });
  },

  async "close waits lingerMs for the peer's end and then closes all the same"(a, b) {
    await a.write("last");
    await a.close({ lingerMs: SHORT_MS });
    assert.deepEqual(await a.closed, { how: "closed" });
    assert.equal(await textToEnd(b), "last");
  },

  async "close discards lingerBytes and no more"(a, b) {
    const flood = pending(sendPattern(b, 8 * 1_048_576, 65_536));
    await a.close({ lingerMs: 600_000, lingerBytes: 100_000 });
    assert.equal((await a.closed).how, "closed");
    await expectError(flood, { code: "CONNECTION_RESET", op: "write", type: ConnectionError });
  },

  async "await using closes gracefully"(a, b) {
    const peer = (async () => {
      await using end = b;
      return await textToEnd(end);
    })();
    await (async () => {
      await using end = a;
      await end.write("scoped");
    })();
    assert.equal(await peer, "scoped");
    assert.equal((await a.closed).how, "closed");
  },

  async "close rejects when bytes did not reach the kernel, and resets the connection"(a, b) {
    await fillUp(a);
    const reading = pending(a.read());
    const lost = pending(a.write(patternBytes(0, 100_000)));
    await expectError(a.close({ lingerMs: SHORT_MS }), { code: "TIMEOUT", op: "close", outcome: "unknown" });
    await expectError(lost, { code: "CONNECTION_ABORTED", op: "write", outcome: "none" });
    await expectError(reading, { code: "CLOSED", op: "read" });
    assert.equal((await a.closed).how, "aborted");
    await expectError(a.close(), { code: "TIMEOUT", op: "close" });
    await assert.rejects(b.readExactly(64 * 1_048_576));
  },

  async "close that is no longer awaited goes on"(a, b) {
    const accepted = await fillUp(a);
    await expectError(a.close({ timeoutMs: SHORT_MS, lingerMs: 600_000 }), { code: "TIMEOUT", op: "close" });
    await b.readExactly(accepted);
    assert.equal(await b.read(), null);
    await b.close();
    await a.close();
    assert.equal((await a.closed).how, "closed");
  },

  async "a signal ends the wait for close, not the close"(a, b) {
    const accepted = await fillUp(a);
    await expectAborted((signal) => a.close({ signal, lingerMs: 600_000 }));
    await b.readExactly(accepted);
    assert.equal(await b.read(), null);
    await b.close();
    assert.equal((await a.closed).how, "closed");
  },
};

/** The same where one direction can end before the other. */
export const halfCloseChecks: StreamChecks = {
  async "half-close: one direction ends, the other goes on"(a, b) {
    await a.write("question");
    await a.end();
    assert.equal(await textToEnd(b), "question");
    await expectError(a.write("more"), { code: "CLOSED", op: "write", outcome: "none", type: ConnectionError });
    for (let line = 0; line < 100; line += 1) await b.write(`${line},`);
    assert.equal(a.signal.aborted, false);
    await b.end();
    assert.equal((await textToEnd(a)).length, 290);
  },

  async "end sends what waits first, and a second end shares the first one's outcome"(a, b) {
    const accepted = await fillUp(a);
    const last = a.write("last");
    const ended = a.end();
    await expectError(a.end({ timeoutMs: SHORT_MS }), { code: "TIMEOUT", op: "end", type: TimeoutError });
    await b.readExactly(accepted);
    assert.equal(await textToEnd(b), "last");
    await Promise.all([last, ended, a.end()]);
  },

  async "an end is seen although nobody reads"(a, b) {
    await a.write("unread");
    await a.end();
    await b.end();
    assert.deepEqual(await b.closed, { how: "ended" });
    assert.equal(await textToEnd(b), "unread");
  },
};
