/** The listener suite: surplus connections are accepted, reset and counted (SEMANTICS A6). */

import assert from "node:assert/strict";
import type { ListenerCheck } from "./scene.ts";

/** The accept queue and `maxConnections`. */
export function surplusChecks(check: ListenerCheck): void {
  check("more than acceptQueue connections that nobody accepts are reset and counted", async (scene) => {
    const door = await scene.listen({ acceptQueue: 2 });
    const queued = [await scene.connect(door), await scene.connect(door)];
    await scene.turnedAway(door);
    await scene.turnedAway(door);
    assert.equal(door.stats.refused["accept-queue"], 2);
    for (const called of queued) {
      const peer = await door.accept();
      await peer.write("yours");
      assert.equal(String(await called.readExactly(5)), "yours");
    }
    await scene.pair(door);
    assert.deepEqual([door.stats.accepted, door.stats.open], [3, 3]);
  });

  check("without an accept queue only those are accepted who are waited for", async (scene) => {
    const door = await scene.listen({ acceptQueue: 0 });
    await scene.turnedAway(door);
    await scene.pair(door);
    await scene.turnedAway(door);
    assert.equal(door.stats.refused["accept-queue"], 2);
  });

  check("more than maxConnections are reset and counted; a closed one gives its place back", async (scene) => {
    const door = await scene.listen({ maxConnections: 2 });
    const [, first] = await scene.pair(door);
    await scene.pair(door);
    await scene.turnedAway(door);
    await scene.turnedAway(door);
    assert.deepEqual([door.stats.open, door.stats.refused["max-connections"]], [2, 2]);
    first.abort();
    assert.equal(door.stats.open, 1);
    await scene.pair(door);
    await scene.turnedAway(door);
    assert.deepEqual([door.stats.open, door.stats.refused["max-connections"]], [2, 3]);
  });

  check("the place of a connection that its client ends comes back", async (scene) => {
    const server = await scene.serve(async (peer) => await peer.read(), { maxConnections: 1 });
    for (let round = 0; round < 20; round += 1) {
      const called = await scene.connect(server);
      await called.end();
      assert.equal(await called.read(), null);
      await called.closed;
      // The server's side is over when it has seen both ends, which it had to before the client saw the second.
      for (const peer of server.peers) await peer.closed;
    }
    assert.equal(server.stats.accepted, 20);
  });
}
