/** What every listener must do, whatever network it opens to. The rules are those of `Listener` and `Server`. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Network } from "../../io/network/network.ts";
import { ManualClock } from "../manual-clock.ts";
import { acceptChecks } from "./accept.ts";
import { broadcastChecks } from "./broadcast.ts";
import { closeChecks, timedCloseChecks } from "./closing.ts";
import { limitChecks } from "./limits.ts";
import { type ListenerChecks, ListenerScene, type ListenerWorld } from "./scene.ts";
import { serveChecks } from "./serve.ts";

/** A test that takes longer hangs: it fails, and those behind it run. */
const HANG_MS = 60_000;

/**
 * Puts the listeners of a network through everything that `Listener` and `Server` promise: accepting, surplus connections,
 * isolation of errors, draining, and the limits of connections, whose time is moved by hand. Registers a `describe` block
 * with `node:test`; call it in a test file.
 *
 * @param name - Names the block.
 * @param world - Where the listeners are opened.
 *
 * @example
 * ```ts
 * import { nodeNetwork } from "zocalo";
 * import { listenerSuite } from "zocalo/testing";
 * listenerSuite("tcp", {
 *   network: nodeNetwork,
 *   address: () => "tcp://127.0.0.1:0",
 *   refusal: "CONNECTION_REFUSED",
 *   traits: { reset: true, halfClose: true },
 * });
 * ```
 */
export function listenerSuite(name: string, world: ListenerWorld): void {
  const run = (title: string, body: (network: Network) => Promise<void>): void => {
    const { network } = world;
    void it(title, { timeout: HANG_MS }, () => (typeof network === "function" ? network(body) : body(network)));
  };
  const inScene = async (network: Network, body: (scene: ListenerScene) => Promise<void>): Promise<void> => {
    const scene = new ListenerScene(world, network);
    try {
      await body(scene);
    } finally {
      await scene.cleanup();
    }
  };
  void describe(name, () => {
    for (const checks of [acceptChecks, surplusChecks, serveChecks, broadcastChecks, closeChecks]) {
      for (const [title, body] of Object.entries(checks)) run(title, (network) => inScene(network, body));
    }
    for (const checks of [timedCloseChecks, limitChecks]) {
      for (const [title, body] of Object.entries(checks)) {
        run(title, (network) => {
          const clock = new ManualClock(network.clock);
          return inScene({ ...network, clock }, (scene) => body(scene, clock));
        });
      }
    }
  });
}

/** The accept queue and `maxConnections` (docs/semantics.md, rule A6). */
const surplusChecks: ListenerChecks = {
  async "more than maxWaitingConnections connections that nobody accepts are reset and counted"(scene) {
    const listener = await scene.listen({ limits: { maxWaitingConnections: 2 } });
    const queued = [await scene.connect(listener), await scene.connect(listener)];
    await scene.turnedAway(listener);
    await scene.turnedAway(listener);
    assert.equal(listener.stats.refused["max-waiting-connections"], 2);
    for (const called of queued) {
      const peer = await listener.accept();
      await peer.write("yours");
      assert.equal(String(await called.readExactly(5)), "yours");
    }
    await scene.pair(listener);
    assert.deepEqual([listener.stats.accepted, listener.stats.open], [3, 3]);
  },

  async "without an accept queue only those are accepted who are waited for"(scene) {
    const listener = await scene.listen({ limits: { maxWaitingConnections: 0 } });
    await scene.turnedAway(listener);
    await scene.pair(listener);
    await scene.turnedAway(listener);
    assert.equal(listener.stats.refused["max-waiting-connections"], 2);
  },

  async "more than maxConnections are reset and counted; a closed one gives its place back"(scene) {
    const listener = await scene.listen({ limits: { maxConnections: 2 } });
    const [, first] = await scene.pair(listener);
    await scene.pair(listener);
    await scene.turnedAway(listener);
    await scene.turnedAway(listener);
    assert.deepEqual([listener.stats.open, listener.stats.refused["max-connections"]], [2, 2]);
    first.abort();
    assert.equal(listener.stats.open, 1);
    await scene.pair(listener);
    await scene.turnedAway(listener);
    assert.deepEqual([listener.stats.open, listener.stats.refused["max-connections"]], [2, 3]);
  },

  async "the place of a connection that its client ends comes back"(scene) {
    const server = await scene.serve(async (peer) => await peer.read(), { limits: { maxConnections: 1 } });
    for (let round = 0; round < 20; round += 1) {
      const called = await scene.connect(server);
      await called.end();
      assert.equal(await called.read(), null);
      await called.closed;
      // The server's side is over when it has seen both ends, which it had to before the client saw the second.
      for (const peer of server.peers) await peer.closed;
    }
    assert.equal(server.stats.accepted, 20);
  },
};
