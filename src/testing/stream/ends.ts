/** The stream suite: end, close, abort, and what the other side sees of them (docs/semantics.md, rules A1 and A2). */

import assert from "node:assert/strict";
import { ConnectionError, TimeoutError, ZocaloError } from "../../core/errors.ts";
import type { StreamTraits } from "../../io/network/network.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import { assertError, expectError } from "../expect-error.ts";
import {
  fillUp,
  greet,
  patternBytes,
  PatternCheck,
  pause,
  pending,
  sendPattern,
  SHORT_MS,
  type StreamCheck,
  textToEnd,
} from "./check.ts";

/** The ways in which a stream comes to its end. */
export function endChecks(check: StreamCheck, traits: StreamTraits): void {
  if (traits.halfClose) halfCloseChecks(check);
  bothEndedChecks(check);
  closeChecks(check);
  closeFailureChecks(check);
  abortChecks(check);
  lossChecks(check);
  if (traits.reset) resetChecks(check);
}

function halfCloseChecks(check: StreamCheck): void {
  check("half-close: one direction ends, the other goes on", async (a, b) => {
    await a.write("question");
    await a.end();
    assert.equal(await textToEnd(b), "question");
    await expectError(a.write("more"), { code: "CLOSED", op: "write", outcome: "none", type: ConnectionError });
    for (let line = 0; line < 100; line += 1) await b.write(`${line},`);
    assert.equal(a.signal.aborted, false);
    await b.end();
    assert.equal((await textToEnd(a)).length, 290);
  });

  check("end sends what waits first, and a second end shares the first one's outcome", async (a, b) => {
    const accepted = await fillUp(a);
    const last = a.write("last");
    const ended = a.end();
    await expectError(a.end({ timeoutMs: SHORT_MS }), { code: "TIMEOUT", op: "end", type: TimeoutError });
    await b.readExactly(accepted);
    assert.equal(await textToEnd(b), "last");
    await Promise.all([last, ended, a.end()]);
  });

  check("an end is seen although nobody reads", async (a, b) => {
    await a.write("unread");
    await a.end();
    await b.end();
    assert.deepEqual(await b.closed, { how: "ended" });
    assert.equal(await textToEnd(b), "unread");
  });
}

function bothEndedChecks(check: StreamCheck): void {
  check("`closed` says `ended` when both sides have ended", async (a, b) => {
    await Promise.all([a.end(), b.end()]);
    assert.equal(await a.read(), null);
    assert.equal(await b.read(), null);
    assert.deepEqual(await Promise.all([a.closed, b.closed]), [{ how: "ended" }, { how: "ended" }]);
    assert.equal(await a.read(), null);
    await expectError(a.write("x"), { code: "CLOSED", op: "write", outcome: "none" });
    await a.close();
    a.abort();
    assert.equal((await a.closed).how, "ended");
  });

  check("`signal` aborts with an error when the connection is over, and not before", async (a, b) => {
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
  });
}

function closeChecks(check: StreamCheck): void {
  check("close keeps the last answer although the question was not read", async (a, b) => {
    const question = pending(a.write(patternBytes(0, 100_000)));
    await b.readExactly(10);
    const closing = pending(sendPattern(b, 200_000, 50_000).then(() => b.close()));
    const received = new PatternCheck();
    for await (const piece of a) received.next(piece);
    assert.equal(received.bytes, 200_000);
    await question;
    await a.close();
    await closing;
    assert.deepEqual(await b.closed, { how: "closed" });
  });

  check("close sends what was written and not awaited", async (a, b) => {
    const writes = Array.from({ length: 10 }, (_, index) => a.write(patternBytes(index * 100_000, 100_000)));
    const closing = pending(a.close());
    const received = new PatternCheck();
    for await (const piece of b) received.next(piece);
    assert.equal(received.bytes, 1_000_000);
    await Promise.all(writes);
    await b.close();
    await closing;
  });

  check("close rejects pending reads, and refuses new calls", async (a, b) => {
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
  });

  check("close waits lingerMs for the peer's end and then closes all the same", async (a, b) => {
    await a.write("last");
    await a.close({ lingerMs: SHORT_MS });
    assert.deepEqual(await a.closed, { how: "closed" });
    assert.equal(await textToEnd(b), "last");
  });

  check("close discards lingerBytes and no more", async (a, b) => {
    const flood = pending(sendPattern(b, 8 * 1_048_576, 65_536));
    await a.close({ lingerMs: 600_000, lingerBytes: 100_000 });
    assert.equal((await a.closed).how, "closed");
    await expectError(flood, { code: "CONNECTION_RESET", op: "write", type: ConnectionError });
  });

  check("await using closes gracefully", async (a, b) => {
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
  });
}

function closeFailureChecks(check: StreamCheck): void {
  check("close rejects when bytes did not reach the kernel, and resets the connection", async (a, b) => {
    await fillUp(a);
    const reading = pending(a.read());
    const lost = pending(a.write(patternBytes(0, 100_000)));
    await expectError(a.close({ lingerMs: SHORT_MS }), { code: "TIMEOUT", op: "close", outcome: "unknown" });
    await expectError(lost, { code: "CONNECTION_ABORTED", op: "write", outcome: "none" });
    await expectError(reading, { code: "CLOSED", op: "read" });
    assert.equal((await a.closed).how, "aborted");
    await expectError(a.close(), { code: "TIMEOUT", op: "close" });
    await assert.rejects(b.readExactly(64 * 1_048_576));
  });

  check("close that is no longer awaited goes on", async (a, b) => {
    const accepted = await fillUp(a);
    await expectError(a.close({ timeoutMs: SHORT_MS, lingerMs: 600_000 }), { code: "TIMEOUT", op: "close" });
    await b.readExactly(accepted);
    assert.equal(await b.read(), null);
    await b.close();
    await a.close();
    assert.equal((await a.closed).how, "closed");
  });
}

function abortChecks(check: StreamCheck): void {
  check("abort ends pending calls with CONNECTION_ABORTED and its reason as the cause", async (a, b, traits) => {
    await fillUp(a);
    const reading = pending(a.readExactly(1));
    const begun = pending(a.write(patternBytes(0, 1000)));
    const ending = pending(a.end());
    const reason = new Error("enough");
    a.abort(reason);
    for (const [call, op, outcome] of [
      [reading, "readExactly", undefined],
      [begun, "write", "none"],
      [ending, "end", "unknown"],
    ] as const) {
      const error = await expectError(call, { code: "CONNECTION_ABORTED", op, outcome, type: ConnectionError });
      assert.equal(error.cause, reason);
    }
    const { how, error } = await a.closed;
    assert.equal(how, "aborted");
    assertError(error, { code: "CONNECTION_ABORTED", side: "local", type: ConnectionError });
    assert.equal(error.cause, reason);
    assert.equal(a.signal.reason, error);
    const draining = (async () => {
      for await (const piece of b) assert.notEqual(piece.length, 0);
    })();
    if (traits.reset) await expectError(draining, { code: "CONNECTION_RESET", op: "read" });
    else await draining;
  });

  check("after abort every call is refused, and close and abort do nothing", async (a) => {
    a.abort();
    await expectError(a.read(), { code: "CONNECTION_ABORTED", op: "read", type: ConnectionError });
    await expectError(a.write("x"), { code: "CONNECTION_ABORTED", op: "write", outcome: "none" });
    await expectError(a.end(), { code: "CONNECTION_ABORTED", op: "end" });
    a.abort(new Error("again"));
    await a.close();
    const { error } = await a.closed;
    assert.equal(error?.cause, undefined);
  });

  check("a signal ends the wait for close, not the close", async (a, b) => {
    const accepted = await fillUp(a);
    const controller = new AbortController();
    const closing = pending(a.close({ signal: controller.signal, lingerMs: 600_000 }));
    const reason = new Error("do not wait");
    controller.abort(reason);
    await assert.rejects(closing, reason);
    await b.readExactly(accepted);
    assert.equal(await b.read(), null);
    await b.close();
    assert.equal((await a.closed).how, "closed");
  });

  check("abort during close ends it", async (a) => {
    await fillUp(a);
    const closing = pending(a.close({ lingerMs: 600_000 }));
    a.abort();
    await expectError(closing, { code: "CONNECTION_ABORTED", op: "close", outcome: "unknown" });
  });
}

function lossChecks(check: StreamCheck): void {
  check("the peer sees an abort as a reset, or as an end where there is no reset", async (a, b, traits) => {
    await greet(a, b);
    const reading = pending(b.read());
    a.abort();
    if (!traits.reset) {
      assert.equal(await reading, null);
      return;
    }
    const expected = { code: "CONNECTION_RESET", side: "remote", type: ConnectionError } as const;
    await expectError(reading, { ...expected, op: "read" });
    await expectError(b.readExactly(1), { ...expected, op: "readExactly" });
    await expectError(b.write("x"), { ...expected, op: "write", outcome: "none" });
    const { how, error } = await b.closed;
    assert.equal(how, "reset");
    assertError(error, expected);
    assert.equal(b.signal.reason, error);
    await b.close();
  });

  check("a write to a peer that is gone fails; the process does not", async (a, b) => {
    await greet(a, b);
    a.abort();
    const write = async (): Promise<void> => {
      for (;;) await b.write(patternBytes(0, 65_536));
    };
    const error = await expectError(write(), { code: "CONNECTION_RESET", op: "write" });
    assert.ok(error instanceof ZocaloError);
  });
}

function resetChecks(check: StreamCheck): void {
  check("what had arrived stays readable, then the reset is seen", async (a, b) => {
    await a.write(patternBytes(0, 5000));
    assert.equal((await b.readExactly(1000)).length, 1000);
    await arrived(b, 5000, a);
    a.abort();
    assert.equal((await b.closed).how, "reset");
    assert.ok((await b.readExactly(4000)).equals(patternBytes(1000, 4000)));
    await expectError(b.read(), { code: "CONNECTION_RESET", op: "read" });
  });

  check("a call that needs more than had arrived fails with the reset and consumes nothing", async (a, b) => {
    const waiting = pending(b.readExactly(10));
    await a.write("abc");
    await arrived(b, 3, a);
    a.abort();
    await expectError(waiting, { code: "CONNECTION_RESET", op: "readExactly", type: ConnectionError });
    assert.equal(String(await b.readExactly(3)), "abc");
    await expectError(b.readUntil("x"), { code: "CONNECTION_RESET", op: "readUntil" });
  });

  check("a write that is under way when the peer resets rejects with outcome unknown", async (a, b) => {
    const write = pending(a.write(Buffer.alloc(48 * 1_048_576)));
    await b.readExactly(1000);
    b.abort();
    await expectError(write, { code: "CONNECTION_RESET", op: "write", outcome: "unknown", type: ConnectionError });
  });
}

/** Waits until so many bytes have arrived, without reading them. */
async function arrived(socket: StreamSocket, byteCount: number, sender: StreamSocket): Promise<void> {
  while (socket.bytesReceived < byteCount) await pause(sender, 1);
}
