/** What every door must do, whatever network it opens to. The rules are those of `Listener` and `Server`. */

import { describe, it } from "node:test";
import type { Network } from "../../io/network/network.ts";
import { acceptChecks } from "./accept.ts";
import { drainChecks } from "./drain.ts";
import { limitChecks, type TimedListenerCheck } from "./limits.ts";
import { serveChecks } from "./serve.ts";
import { surplusChecks } from "./surplus.ts";
import { type ListenerCheck, ListenerScene, type ListenerWorld } from "./scene.ts";
import { ManualClock } from "../manual-clock.ts";

/** A test that takes longer hangs: it fails, and those behind it run. */
const HANG_MS = 60_000;

/**
 * Puts the doors of a network through everything that `Listener` and `Server` promise: accepting, surplus connections,
 * isolation of errors, draining, and the limits of connections, whose time is moved by hand. Registers a `describe` block
 * with `node:test`; call it in a test file.
 *
 * @param name - Names the block.
 * @param world - Where the doors are opened.
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
  const check: ListenerCheck = (title, body) => run(title, (network) => inScene(network, body));
  const timed: TimedListenerCheck = (title, body) =>
    run(title, (network) => {
      const clock = new ManualClock(network.clock);
      return inScene({ ...network, clock }, (scene) => body(scene, clock));
    });
  void describe(name, () => {
    acceptChecks(check);
    surplusChecks(check);
    serveChecks(check);
    drainChecks(check, timed);
    limitChecks(timed);
  });
}
