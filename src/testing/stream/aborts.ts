/** The stream suite: abort, and a peer that is lost (docs/semantics.md, rule A2). */

import assert from "node:assert/strict";
import { ConnectionError, ZocaloError } from "../../core/errors.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import { assertError, expectError } from "../expect-error.ts";
import { fillUp, greet, patternBytes, pause, pending, type StreamChecks } from "./check.ts";

/** The ways in which a stream ends at once. */
export const abortChecks: StreamChecks = {
  async "abort ends pending calls with CONNECTION_ABORTED and its reason as the cause"(a, b, traits) {
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
  },

  async "after abort every call is refused, and close and abort do nothing"(a) {
    a.abort();
    await expectError(a.read(), { code: "CONNECTION_ABORTED", op: "read", type: ConnectionError });
    await expectError(a.write("x"), { code: "CONNECTION_ABORTED", op: "write", outcome: "none" });
    await expectError(a.end(), { code: "CONNECTION_ABORTED", op: "end" });
    a.abort(new Error("again"));
    await a.close();
    const { error } = await a.closed;
    assert.equal(error?.cause, undefined);
  },

  async "abort during close ends it"(a) {
    await fillUp(a);
    const closing = pending(a.close({ lingerMs: 600_000 }));
    a.abort();
    await expectError(closing, { code: "CONNECTION_ABORTED", op: "close", outcome: "unknown" });
  },

  async "the peer sees an abort as a reset, or as an end where there is no reset"(a, b, traits) {
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
  },

  async "a write to a peer that is gone fails; the process does not"(a, b) {
    await greet(a, b);
    a.abort();
    const write = async (): Promise<void> => {
      for (;;) await b.write(patternBytes(0, 65_536));
    };
    const error = await expectError(write(), { code: "CONNECTION_RESET", op: "write" });
    assert.ok(error instanceof ZocaloError);
  },
};

/** The same where a peer can be told of it by a reset. */
export const resetChecks: StreamChecks = {
  async "what had arrived stays readable, then the reset is seen"(a, b) {
    await a.write(patternBytes(0, 5000));
    assert.equal((await b.readExactly(1000)).length, 1000);
    await arrived(b, 5000, a);
    a.abort();
    assert.equal((await b.closed).how, "reset");
    assert.ok((await b.readExactly(4000)).equals(patternBytes(1000, 4000)));
    await expectError(b.read(), { code: "CONNECTION_RESET", op: "read" });
  },

  async "a call that needs more than had arrived fails with the reset and consumes nothing"(a, b) {
    const waiting = pending(b.readExactly(10));
    await a.write("abc");
    await arrived(b, 3, a);
    a.abort();
    await expectError(waiting, { code: "CONNECTION_RESET", op: "readExactly", type: ConnectionError });
    assert.equal(String(await b.readExactly(3)), "abc");
    await expectError(b.readUntil("x"), { code: "CONNECTION_RESET", op: "readUntil" });
  },

  async "a write that is under way when the peer resets rejects with outcome unknown"(a, b) {
    const write = pending(a.write(Buffer.alloc(48 * 1_048_576)));
    await b.readExactly(1000);
    b.abort();
    await expectError(write, { code: "CONNECTION_RESET", op: "write", outcome: "unknown", type: ConnectionError });
  },
};

/** Waits until so many bytes have arrived, without reading them. */
async function arrived(socket: StreamSocket, byteCount: number, sender: StreamSocket): Promise<void> {
  while (socket.bytesReceived < byteCount) await pause(sender, 1);
}
