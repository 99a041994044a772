/** The listener suite: the limits that bound a connection whose peer is dead, asleep or unwilling (docs/semantics.md, rule A5). */

import assert from "node:assert/strict";
import { type ErrorCode, ConnectionError } from "../../core/errors.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import { assertError, expectError } from "../expect-error.ts";
import type { TimedListenerChecks } from "./scene.ts";
import { pending } from "../stream/check.ts";

const DAY_MS = 86_400_000;

/** `timeouts.idleMs`, `timeouts.writeStallMs` and `lifetimeMs`. */
export const limitChecks: TimedListenerChecks = {
  async "timeouts.idleMs: no byte in either direction for so long; reads are no progress"(scene, clock) {
    const listener = await scene.listen({ timeouts: { idleMs: 1000 } });
    const [called, peer] = await scene.pair(listener);
    for (const [from, to] of [
      [peer, called],
      [called, peer],
      [peer, called],
    ] as const) {
      await clock.advance(999);
      await move(from, to);
    }
    const reading = pending(peer.read());
    await clock.advance(999);
    assert.equal(peer.signal.aborted, false);
    await clock.advance(1);
    await expectError(reading, { code: "IDLE_TIMEOUT", op: "read", side: "remote", type: ConnectionError });
    await expired(peer, "IDLE_TIMEOUT");
    assert.equal(listener.stats.open, 0);
    const outcome = await called.read().catch((error: { code?: string }) => error.code);
    assert.equal(outcome, scene.traits.reset ? "CONNECTION_RESET" : null);
  },

  async "serve has an idle limit of 300,000 ms; listen and connect have none"(scene, clock) {
    const server = await scene.serve((peer) => peer.read());
    const served = await scene.connect(server);
    const [called, peer] = await scene.pair(await scene.listen());
    for (const own of server.peers) assert.equal(own.signal.aborted, false);
    await clock.advance(299_999);
    assert.equal(server.stats.open, 1);
    await clock.advance(1);
    assert.equal(server.stats.open, 0);
    await clock.advance(DAY_MS);
    assert.deepEqual([called.signal.aborted, peer.signal.aborted], [false, false]);
    await move(called, peer);
    served.abort();
  },

  async "timeouts.idleMs: bytes that the peer takes are progress, also of a write of before"(scene, clock) {
    const limits = { timeouts: { idleMs: 1000, writeStallMs: DAY_MS } };
    const [called, peer] = await scene.pair(await scene.listen(limits));
    const write = blockedWrite(peer);
    for (let round = 0; round < 10; round += 1) {
      await called.readExactly(3 * 1_048_576);
      await clock.advance(900);
      assert.equal(peer.signal.aborted, false, `round ${round}`);
    }
    await clock.advance(2000);
    await expectError(write, { code: "IDLE_TIMEOUT", op: "write", outcome: "unknown", type: ConnectionError });
    await expired(peer, "IDLE_TIMEOUT");
  },

  async "a client has the same limits"(scene, clock) {
    const listener = await scene.listen();
    const [called] = await Promise.all([scene.connect(listener, { timeouts: { idleMs: 50 } }), listener.accept()]);
    await clock.advance(50);
    await expired(called, "IDLE_TIMEOUT");
  },

  async "setIdleTimeout counts from now on: shorter, longer, and off"(scene, clock) {
    const [called, peer] = await scene.pair(await scene.listen({ timeouts: { idleMs: 1000 } }));
    await clock.advance(900);
    peer.setIdleTimeout(2000);
    await clock.advance(1999);
    await move(called, peer);
    peer.setIdleTimeout(Number.POSITIVE_INFINITY);
    await clock.advance(DAY_MS);
    assert.deepEqual([called.signal.aborted, peer.signal.aborted], [false, false]);
    for (const wrong of [0, -1, Number.NaN]) {
      assert.throws(() => peer.setIdleTimeout(wrong), { code: "OPTION_INVALID", op: "setIdleTimeout" });
    }
    called.setIdleTimeout(50);
    await clock.advance(49);
    await move(peer, called);
    await clock.advance(50);
    await expired(called, "IDLE_TIMEOUT");
    called.setIdleTimeout(50);
    await clock.advance(DAY_MS);
    assert.equal((await called.closed).how, "timeout");
  },

  async "timeouts.writeStallMs: a peer that takes nothing for so long"(scene, clock) {
    const [, peer] = await scene.pair(await scene.listen());
    const write = blockedWrite(peer);
    let elapsedMs = 0;
    // The kernels on the way may still take something at first; then nothing moves any more.
    for (; !peer.signal.aborted; elapsedMs += 15_000) {
      assert.ok(elapsedMs < 20 * 60_000, "the stalled connection is not given up");
      await clock.advance(15_000);
    }
    assert.ok(elapsedMs >= 60_000, `given up after ${elapsedMs} ms`);
    await expectError(write, { code: "WRITE_STALLED", op: "write", outcome: "unknown", type: ConnectionError });
    await expired(peer, "WRITE_STALLED");
  },

  async "a slow reader is no stall"(scene, clock) {
    const [called, peer] = await scene.pair(await scene.listen({ timeouts: { writeStallMs: 1000 } }));
    const write = blockedWrite(peer);
    for (let round = 0; round < 20; round += 1) {
      // What is read makes room, and the writer fills it before its next check.
      await called.readExactly(3 * 1_048_576);
      await clock.advance(500);
      assert.equal(peer.signal.aborted, false);
    }
    await called.readExactly(4 * 1_048_576);
    await write;
    await clock.advance(DAY_MS);
    assert.equal(peer.signal.aborted, false);
  },

  async "a quiet connection without pending writes does not stall"(scene, clock) {
    const [called, peer] = await scene.pair(await scene.listen({ timeouts: { writeStallMs: 10 } }));
    await move(called, peer);
    await clock.advance(DAY_MS);
    await move(peer, called);
  },

  async "lifetimeMs: the age of a connection, busy or not"(scene, clock) {
    const [called, peer] = await scene.pair(await scene.listen({ timeouts: { lifetimeMs: 1000 } }));
    for (let second = 0; second < 9; second += 1) {
      await clock.advance(100);
      await move(called, peer);
    }
    await clock.advance(99);
    assert.equal(peer.signal.aborted, false);
    await clock.advance(1);
    await expired(peer, "LIFETIME_EXCEEDED");
  },

  async "no timer outlives its connection, its call or its listener"(scene, clock) {
    const limits = { timeouts: { idleMs: 1000, writeStallMs: 1000, lifetimeMs: 1000 } };
    const listener = await scene.listen(limits);
    const connect = scene.connect(listener, limits);
    const [called, peer] = await Promise.all([connect, listener.accept({ timeoutMs: 1000 })]);
    await called.write("x", { timeoutMs: 1000 });
    await peer.read({ timeoutMs: 1000 });
    const cancelled = new AbortController();
    const waiting = [peer.read({ timeoutMs: 1000 }), peer.readExactly(9, { timeoutMs: 1, signal: cancelled.signal })];
    const failures = waiting.map((call) => call.catch((error: unknown) => error));
    cancelled.abort();
    blockedWrite(called).catch(() => undefined);
    assert.notEqual(clock.pending, 0);
    called.abort();
    peer.abort();
    await Promise.all(failures);
    await listener.close();
    assert.equal(clock.pending, 0);
  },
};

/** Sends one byte and waits until it has been read. */
async function move(from: StreamSocket, to: StreamSocket): Promise<void> {
  await from.write("x");
  await to.readExactly(1);
}

/** Fails unless the connection ended because this limit ran out. */
async function expired(socket: StreamSocket, code: ErrorCode): Promise<void> {
  const { how, error } = await socket.closed;
  assert.equal(how, "timeout");
  assertError(error, { code, type: ConnectionError });
  assert.equal(socket.signal.reason, error);
  await expectError(socket.read(), { code, op: "read", type: ConnectionError });
  await expectError(socket.write("x"), { code, op: "write", outcome: "none", type: ConnectionError });
}

/** Writes more than any kernel holds, and fails when it succeeds. */
function blockedWrite(socket: StreamSocket): Promise<void> {
  return pending(socket.write(Buffer.alloc(64 * 1_048_576)));
}
