/** The listener suite: how a server comes to its end (docs/semantics.md, rule A9). */

import assert from "node:assert/strict";
import { assertError, expectError } from "../expect-error.ts";
import type { ListenerCheck } from "./scene.ts";
import type { TimedListenerCheck } from "./limits.ts";
import { signal } from "./serve.ts";
import { textToEnd } from "../stream/check.ts";

/** `drain`, `close` and `closed`. */
export function drainChecks(check: ListenerCheck, timed: TimedListenerCheck): void {
  finishChecks(check);
  cutChecks(check, timed);
  idleChecks(timed);
  stuckChecks(check);
}

function finishChecks(check: ListenerCheck): void {
  check("drain tells the handlers, waits for them, and reports", async (scene) => {
    const started = signal();
    let handlers = 0;
    const server = await scene.serve(async (peer) => {
      handlers += 1;
      if (handlers === 3) started.resolve();
      await new Promise((resolve) => {
        peer.draining.addEventListener("abort", resolve);
      });
      assert.equal(peer.signal.aborted, false);
      assertError(peer.draining.reason, { code: "CLOSED", op: "drain" });
      await peer.write("goodbye");
    });
    const calls = await Promise.all([scene.connect(server), scene.connect(server), scene.connect(server)]);
    await started.promise;
    const draining = server.drain();
    assert.equal(server.drain(), draining);
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
  });

  check("a server without connections drains at once; await using drains", async (scene) => {
    const server = await scene.serve(() => undefined);
    await (async () => {
      await using scoped = server;
      assert.equal(scoped.peers.size, 0);
    })();
    await server.closed;
    const { finished, cut } = await server.drain();
    assert.deepEqual([finished, cut], [0, 0]);
  });

  check("while a server drains it takes no connections", async (scene) => {
    const finish = signal();
    const started = signal();
    const server = await scene.serve(async () => {
      started.resolve();
      await finish.promise;
    });
    const called = await scene.connect(server);
    await started.promise;
    const draining = server.drain();
    await expectError(scene.connect(server), { code: scene.world.refusal, op: "connect" });
    finish.resolve();
    assert.equal(await called.read(), null);
    await called.close();
    assert.equal((await draining).finished, 1);
  });
}

function cutChecks(check: ListenerCheck, timed: TimedListenerCheck): void {
  timed("when the time of drain is over the rest is cut, and peer.signal aborts", async (scene, clock) => {
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
    const draining = server.drain({ timeoutMs: 8000 });
    await clock.advance(7999);
    assert.deepEqual(order, ["draining"]);
    await clock.advance(1);
    const { finished, cut, durationMs } = await draining;
    assert.deepEqual([finished, cut, durationMs], [0, 1, 8000]);
    assert.deepEqual(order, ["draining", "signal"]);
    const outcome = await called.read().catch((error: { code?: string }) => error.code);
    assert.equal(outcome, scene.traits.reset ? "CONNECTION_RESET" : null);
  });

  timed("drain waits 5,000 ms by default", async (scene, clock) => {
    const started = signal();
    const server = await scene.serve((peer) => {
      started.resolve();
      return peer.read();
    });
    await scene.connect(server);
    await started.promise;
    const draining = server.drain();
    await clock.advance(4999);
    assert.equal(server.stats.open, 1);
    await clock.advance(1);
    assert.deepEqual([(await draining).cut, server.stats.open], [1, 0]);
  });

  check("a signal cuts, also one that is aborted already", async (scene) => {
    for (const early of [true, false]) {
      const started = signal();
      const server = await scene.serve((peer) => {
        started.resolve();
        return peer.read();
      });
      await scene.connect(server);
      await started.promise;
      const controller = new AbortController();
      if (early) controller.abort();
      const draining = server.drain({ signal: controller.signal, timeoutMs: 600_000 });
      controller.abort();
      assert.equal((await draining).cut, 1);
    }
  });
}

function idleChecks(timed: TimedListenerCheck): void {
  timed(
    "whose handler has finished, and who only does not end, is finished, however short the time",
    async (scene, clock) => {
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
        const draining = server.drain({ timeoutMs });
        await clock.advance(timeoutMs);
        const { finished, cut, durationMs } = await draining;
        assert.deepEqual([finished, cut, durationMs], [1, 0, timeoutMs]);
        assert.deepEqual([server.peers.size, server.stats.open], [0, 0]);
        await called.close();
      }
    },
  );
}

function stuckChecks(check: ListenerCheck): void {
  check("close aborts every connection at once, also while drain waits", async (scene) => {
    for (const drains of [false, true]) {
      const started = signal();
      const server = await scene.serve((peer) => {
        started.resolve();
        return peer.read();
      });
      await scene.connect(server);
      await started.promise;
      const draining = drains ? server.drain({ timeoutMs: 600_000 }) : undefined;
      await server.close();
      assert.equal(server.stats.open, 0);
      assert.equal((await (draining ?? server.drain())).cut, 1);
    }
  });

  check("a handler that never returns holds up neither drain nor close", async (scene) => {
    const started = signal();
    const server = await scene.serve(() => {
      started.resolve();
      return new Promise(() => undefined);
    });
    await scene.connect(server);
    await started.promise;
    assert.equal((await server.drain({ timeoutMs: 1 })).cut, 1);
    await server.closed;
    await server.close();
    assert.equal(server.stats.open, 0);
  });
}
