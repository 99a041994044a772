/** What every door must do, whatever network it opens to. The rules are those of `Listener` and `Server`. */

import { describe, it } from "node:test";
import { acceptChecks } from "./listener-suite-accept.ts";
import { drainChecks } from "./listener-suite-drain.ts";
import { limitChecks, type TimedListenerCheck } from "./listener-suite-limits.ts";
import { serveChecks } from "./listener-suite-serve.ts";
import { surplusChecks } from "./listener-suite-surplus.ts";
import { type ListenerCheck, ListenerScene, type ListenerWorld } from "./listener-scene.ts";
import { ManualClock } from "./manual-clock.ts";

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
  const run = (title: string, scene: () => ListenerScene, body: (scene: ListenerScene) => Promise<void>): void => {
    void it(title, { timeout: HANG_MS }, async () => {
      const opened = scene();
      try {
        await body(opened);
      } finally {
        await opened.cleanup();
      }
    });
  };
  const check: ListenerCheck = (title, body) => run(title, () => new ListenerScene(world), body);
  const timed: TimedListenerCheck = (title, body) => {
    const clock = new ManualClock(world.network.clock);
    const scene = (): ListenerScene => new ListenerScene(world, { ...world.network, clock });
    run(title, scene, (opened) => body(opened, clock));
  };
  void describe(name, () => {
    acceptChecks(check);
    surplusChecks(check);
    serveChecks(check);
    drainChecks(check, timed);
    limitChecks(timed);
  });
}
