/* Events and items of streams that have waited, many at once: their handlers leave others their turn of the event loop. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { call, contract, event, stream, typeOnly } from "../../src/protocol.ts";
import { TURN_MESSAGES } from "../../src/io/operation/turn-budget.ts";
import { gate } from "../fixtures/gate.ts";
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
    const session = await connectSession(counter, server.localAddress);
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
    await session.close({ timeoutMs: 0 });
    assert.equal((await session.closed).error, undefined);
  });
}

/** Two budgets, since one may end where the other begins. */
const MOST_IN_A_TURN = 2 * TURN_MESSAGES;
const STREAMS = 10;
const ITEMS = 2 * TURN_MESSAGES;
const flows = contract("flows", "1.0.0", {
  server: {
    up: stream({ receives: typeOnly<number>() }),
    down: stream({ sends: typeOnly<number>() }),
    sync: call<undefined, number>(),
  },
});

/** Sends streams of items, and says how many of them are sent. */
function sender() {
  let sent = 0;
  return {
    async *down() {
      for (let item = 0; item < ITEMS; item += 1) yield item;
      sent += 1;
    },
    sync: () => sent,
  };
}

/** Reads items in one of the ways there are, and tells of each. */
const readers: Readonly<Record<string, (items: AsyncIterable<number>, take: (item: number) => void) => Promise<void>>> =
  {
    async "for await"(items, take) {
      for await (const item of items) take(item);
    },
    async "many steps at once"(items, take) {
      const iterator = items[Symbol.asyncIterator]();
      const steps = Array.from({ length: ITEMS + 1 }, () => iterator.next());
      let done = 0;
      for (const step of steps) {
        void step.then((next) => {
          if (next.done === true) done += 1;
          else take(next.value);
        });
      }
      await Promise.all(steps);
      assert.equal(done, 1);
    },
  };

/** Waits until all of `read` is done, and looks how much of it each turn does. */
async function inTurns(total: number, taken: () => number): Promise<void> {
  while (taken() < total) {
    const before = taken();
    await nextTurn();
    assert.ok(taken() - before <= MOST_IN_A_TURN, `${taken() - before} in a turn`);
  }
}

for (const [name, read] of Object.entries(readers)) {
  test(`items that waited take several turns, in their order, on both sides: ${name}`, async () => {
    const ready = gate();
    const taken: number[][] = [];
    let total = 0;
    const readInto = (items: AsyncIterable<number>): Promise<void> => {
      const into: number[] = [];
      taken.push(into);
      return read(items, (item) => {
        into.push(item);
        total += 1;
      });
    };
    const server = await serveSessions(flows, "tcp://127.0.0.1:0", {
      handlers: {
        up: async (_question, items) => {
          await ready.opened;
          await readInto(items);
        },
        ...sender(),
      },
    });
    const session = await connectSession(flows, server.localAddress);
    const up = Array.from({ length: STREAMS }, () => session.remote.up());
    for (const items of up) {
      for (let item = 0; item < ITEMS; item += 1) await items.send(item);
      items.end();
    }
    const down = Array.from({ length: STREAMS }, () => session.remote.down());
    // An answer comes behind the items that were sent before it.
    while ((await session.remote.sync()) < STREAMS);
    ready.open();
    await inTurns(STREAMS * ITEMS, () => total);
    const reading = down.map(readInto);
    await inTurns(2 * STREAMS * ITEMS, () => total);
    await Promise.all(reading);
    const expected = Array.from({ length: ITEMS }, (_, item) => item);
    for (const items of taken) assert.deepEqual(items, expected);
    await session.close({ timeoutMs: 0 });
    assert.equal((await session.closed).error, undefined);
  });
}

test("a stream that fails while its items wait for their turn gives them first, and one that is left ends at once", async () => {
  const server = await serveSessions(flows, "tcp://127.0.0.1:0", {
    handlers: {
      up: () => undefined,
      ...sender(),
    },
  });
  const session = await connectSession(flows, server.localAddress);
  const [first, second] = [session.remote.down(), session.remote.down()];
  while ((await session.remote.sync()) < 2);
  let count = 0;
  const reading = (async () => {
    for await (const item of first) {
      count += 1;
      if (item === 9) session.abort();
    }
  })();
  const left = second[Symbol.asyncIterator]();
  await left.next();
  await left.return?.();
  assert.deepEqual(await left.next(), { done: true, value: undefined });
  await reading.catch((error: { readonly code: string }) => assert.equal(error.code, "CONNECTION_ABORTED"));
  assert.equal(count, ITEMS);
});
