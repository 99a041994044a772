/** The listener suite: how a server comes to its end (docs/semantics.md, rule A9). */

import assert from "node:assert/strict";
import { assertError, expectError } from "../expect-error.ts";
import type { PeerHandler, Server } from "../../io/listener/public.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import type { ListenerChecks, ListenerScene, TimedListenerChecks } from "./scene.ts";
import { signal, textToEnd } from "../stream/check.ts";

/** A server with one connection, whose handler has begun; by default it reads. */
async function serving(
  scene: ListenerScene,
  handler: PeerHandler = (peer) => peer.read(),
): Promise<{ readonly server: Server; readonly called: StreamSocket }> {
  const started = signal();
  const server = await scene.serve((peer) => {
    started.resolve();
    return handler(peer);
  });
  const called = await scene.connect(server);
  await started.promise;
  return { server, called };
}

/** `close`, `abort`, `draining` and `closed`. */
export const closeChecks: ListenerChecks = {
  async "close tells the handlers, waits for them, and reports"(scene) {
    const started = signal();
    let handlers = 0;
    const server = await scene.serve(async (peer) => {
      handlers += 1;
      if (handlers === 3) started.resolve();
      await new Promise((resolve) => {
        peer.draining.addEventListener("abort", resolve);
      });
      assert.equal(peer.signal.aborted, false);
      assertError(peer.draining.reason, { code: "CLOSED", op: "close" });
      await peer.write("goodbye");
    });
    const calls = await Promise.all([scene.connect(server), scene.connect(server), scene.connect(server)]);
    await started.promise;
    const draining = server.close();
    assert.equal(server.close(), draining);
    for (const called of calls) {
      assert.equal(await textToEnd(called), "goodbye");
      await called.close();
    }
    const { finished, cut, durationMs } = await draining;
    assert.deepEqual([finished, cut], [3, 0]);
    assert.ok(durationMs >= 0);
    await server.closed;
    assert.deepEqual([server.stats.open, server.peers.size], [0, 0]);
    await expectError(scene.connect(server), { code: scene.world.refusal, op: "connect" });
  },

  async "a server without connections closes at once; so does await using"(scene) {
    const server = await scene.serve(() => undefined);
    await (async () => {
      await using scoped = server;
      assert.equal(scoped.peers.size, 0);
    })();
    assert.deepEqual(await server.closed, { how: "closed" });
    assert.equal(server.draining.aborted, true);
    const { finished, cut } = await server.close();
    assert.deepEqual([finished, cut], [0, 0]);
    server.abort();
    assert.deepEqual(await server.closed, { how: "closed" });
  },

  async "while a server closes it takes no connections"(scene) {
    const finish = signal();
    const { server, called } = await serving(scene, () => finish.promise);
    const draining = server.close();
    await expectError(scene.connect(server), { code: scene.world.refusal, op: "connect" });
    finish.resolve();
    assert.equal(await called.read(), null);
    await called.close();
    assert.equal((await draining).finished, 1);
  },

  async "a signal cuts, also one that is aborted already"(scene) {
    for (const early of [true, false]) {
      const { server } = await serving(scene);
      const controller = new AbortController();
      if (early) controller.abort();
      const draining = server.close({ signal: controller.signal, timeoutMs: 600_000 });
      controller.abort();
      assert.equal((await draining).cut, 1);
    }
  },

  async "abort aborts every connection at once, also while close waits"(scene) {
    for (const closes of [false, true]) {
      const { server } = await serving(scene);
      const draining = closes ? server.close({ timeoutMs: 600_000 }) : undefined;
      const reason = new Error("enough");
      server.abort(reason);
      const { how, error } = await server.closed;
      assert.deepEqual([how, error?.code, error?.cause], ["aborted", "CONNECTION_ABORTED", reason]);
      assert.equal(server.stats.open, 0);
      assert.equal((await (draining ?? server.close())).cut, 1);
    }
  },

  async "a later close shortens the wait with a time of its own, and never makes it longer"(scene) {
    const { server } = await serving(scene);
    const first = server.close({ timeoutMs: 600_000 });
    assert.equal(server.close({ timeoutMs: 900_000 }), first);
    assert.equal(server.close({ timeoutMs: 0 }), first);
    assert.equal((await first).cut, 1);
  },

  async "a handler that never returns holds up no close"(scene) {
    const { server } = await serving(scene, () => new Promise(() => undefined));
    assert.equal((await server.close({ timeoutMs: 1 })).cut, 1);
    await server.closed;
    await server.close({ timeoutMs: 0 });
    assert.equal(server.stats.open, 0);
  },
};

/** How long `close` takes. */
export const timedCloseChecks: TimedListenerChecks = {
  async "when the time of close is over the rest is cut, and peer.signal aborts"(scene, clock) {
    const order: string[] = [];
    const started = signal();
    const server = await scene.serve(async (peer) => {
      peer.draining.addEventListener("abort", () => order.push("draining"));
      peer.signal.addEventListener("abort", () => order.push("signal"));
      await Promise.all([peer.write("b"), peer.readExactly(1)]);
      started.resolve();
      await peer.read();
    });
    const called = await scene.connect(server);
    await Promise.all([called.write("a"), called.readExactly(1), started.promise]);
    const draining = server.close({ timeoutMs: 8000 });
    await clock.advance(7999);
    assert.deepEqual(order, ["draining"]);
    await clock.advance(1);
    const { finished, cut, durationMs } = await draining;
    assert.deepEqual([finished, cut, durationMs], [0, 1, 8000]);
    assert.deepEqual(order, ["draining", "signal"]);
    const outcome = await called.read().catch((error: { code?: string }) => error.code);
    assert.equal(outcome, scene.traits.reset ? "CONNECTION_RESET" : null);
  },

  async "close waits 5,000 ms by default"(scene, clock) {
    const { server } = await serving(scene);
    const draining = server.close();
    await clock.advance(4999);
    assert.equal(server.stats.open, 1);
    await clock.advance(1);
    assert.deepEqual([(await draining).cut, server.stats.open], [1, 0]);
  },

  async "whose handler has finished, and who only does not end, is finished, however short the time"(scene, clock) {
    for (const timeoutMs of [0, 500, 1999]) {
      const returned = signal();
      const server = await scene.serve(async (peer) => {
        await peer.write("answer");
        returned.resolve();
      });
      const called = await scene.connect(server);
      await returned.promise;
      assert.equal(String(await called.readExactly(6)), "answer");
      assert.equal(await called.read(), null);
      assert.equal(server.peers.size, 1);
      const draining = server.close({ timeoutMs });
      await clock.advance(timeoutMs);
      const { finished, cut, durationMs } = await draining;
      assert.deepEqual([finished, cut, durationMs], [1, 0, timeoutMs]);
      assert.deepEqual([server.peers.size, server.stats.open], [0, 0]);
      await called.close();
    }
  },
};
