/* Events that have waited, many at once: their handlers leave others their turn of the event loop. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { contract, event } from "../../src/protocol.ts";
import { TURN_MESSAGES } from "../../src/io/operation/turn-budget.ts";
import { gate } from "./gate.ts";
import { connectSession, serveSessions } from "./opened.ts";

const MESSAGES = 5 * TURN_MESSAGES;
const counter = contract("counter", "1.0.0", { server: { count: event<number>() } });

for (const [kind, isAsync] of Object.entries({ "handlers that await": true, "handlers that do not": false })) {
  test(`events that waited for one handler take several turns: ${kind}`, async () => {
    const first = gate();
    const counted: number[] = [];
    const server = await serveSessions(counter, "tcp://127.0.0.1:0", {
      handlers: {
        count: (number) => {
          counted.push(number);
          return isAsync || number === 0 ? first.opened : undefined;
        },
      },
    });
    const session = await connectSession(counter, server.localAddress, {});
    for (let number = 0; number < MESSAGES; number += 1) await session.remote.count(number);
    while (session.stats.unacknowledged > 0) await nextTurn();
    assert.deepEqual(counted, [0]);
    first.open();
    while (counted.length < MESSAGES) {
      const before = counted.length;
      await nextTurn();
      assert.ok(counted.length - before <= TURN_MESSAGES, `${counted.length - before} in a turn`);
    }
    assert.deepEqual(counted.slice(-2), [MESSAGES - 2, MESSAGES - 1]);
    await session.close();
    assert.equal((await session.closed).error, undefined);
  });
}
