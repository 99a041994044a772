/** What a caller learns of a handler that failed: its own error codes, and nothing of what the handler works with. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { ProtocolError } from "../../src/index.ts";
import { call, contract, RemoteError, stream, typeOnly } from "../../src/protocol.ts";
import { connectSession, serveSessions, serveStateless, connectStateless } from "./opened.ts";

const idempotent = { idempotent: true } as const;
const ledger = contract("ledger", "1.0.0", {
  server: { balance: call<void, number>(), other: call(undefined, z.never()) },
});
const shop = contract("shop", "1.0.0", {
  server: {
    buy: call(typeOnly<string>(), undefined, idempotent),
    browse: stream({ request: typeOnly<string>(), sends: typeOnly<number>() }),
    sum: stream({ sends: typeOnly<number>(), receives: z.number() }),
  },
});
const kiosk = contract("kiosk", "1.0.0", { server: { buy: shop.server.buy } });

/** The service behind the shop, and the ways in which a handler of the shop can fail because of it. */
async function behind() {
  const server = await serveSessions(ledger, "tcp://127.0.0.1:0", {
    handlers: {
      balance: () => {
        throw new RemoteError("UNAUTHENTICATED", "the shop's key is wrong", { data: { key: "secret" } });
      },
      other: (): never => 1 as never,
    },
  });
  const session = await connectSession(ledger, server.localAddress);
  const fail: Readonly<Record<string, () => unknown>> = {
    // An answer that its schema does not allow: FRAME_INVALID, side remote.
    answer: () => session.remote.other(),
    error: () => session.remote.balance(),
    refusal: () => connectSession(contract("till", "1.0.0", {}), server.localAddress),
    frame: () => {
      throw new ProtocolError("FRAME_INVALID", { op: "decode", detail: "of a file" });
    },
  };
  return fail;
}

function assertInternal(error: unknown): true {
  assert.ok(error instanceof RemoteError);
  assert.deepEqual([error.code, error.message, error.data], ["INTERNAL", "the handler failed", undefined]);
  return true;
}

test("errors of another service are INTERNAL to the caller, and told to onError", async () => {
  const fail = await behind();
  const errors: unknown[] = [];
  const server = await serveSessions(shop, "tcp://127.0.0.1:0", {
    handlers: {
      buy: async (way) => void (await fail[way]?.()),
      async *browse(way) {
        yield 1;
        await fail[way]?.();
      },
      sum: () => [],
    },
    onError: (error) => errors.push(error),
  });
  const session = await connectSession(shop, server.localAddress);
  const ways = Object.keys(fail);
  for (const way of ways) {
    await assert.rejects(session.remote.buy(way), assertInternal);
    const items = session.remote.browse(way)[Symbol.asyncIterator]();
    assert.deepEqual(await items.next(), { done: false, value: 1 });
    await assert.rejects(items.next(), assertInternal);
  }
  const codes = errors.map((error) => (error as { readonly code: unknown }).code);
  const each = ["FRAME_INVALID", "UNAUTHENTICATED", "CONTRACT_UNKNOWN", "FRAME_INVALID"];
  assert.deepEqual(
    codes,
    each.flatMap((code) => [code, code]),
  );
});

test("over datagrams too; and a new RemoteError passes on what the application wants to pass on", async () => {
  const fail = await behind();
  const errors: unknown[] = [];
  const server = await serveStateless(kiosk, "udp://127.0.0.1:0", {
    handlers: {
      async buy(way) {
        if (way !== "translated") return void (await fail[way]?.());
        const cause = await Promise.resolve(fail["error"]?.()).catch((error: unknown) => error);
        throw new RemoteError("CLOSED_TODAY", "the till is broken", { cause });
      },
    },
    onError: (error) => errors.push(error),
  });
  const client = await connectStateless(kiosk, server.localAddress);
  for (const way of Object.keys(fail)) await assert.rejects(client.remote.buy(way), assertInternal);
  await assert.rejects(client.remote.buy("translated"), { code: "CLOSED_TODAY", message: "the till is broken" });
  assert.equal(errors.length, 4);
});

test("an item that its schema does not allow fails the stream, and its sender is told why", async () => {
  const errors: unknown[] = [];
  const taken: number[] = [];
  const server = await serveSessions(shop, "tcp://127.0.0.1:0", {
    handlers: {
      buy: () => undefined,
      browse: () => [],
      async *sum(_nothing, items) {
        for await (const item of items) {
          taken.push(item);
          yield item;
        }
      },
    },
    onError: (error) => errors.push(error),
  });
  const session = await connectSession(shop, server.localAddress);
  const sums = session.remote.sum();
  for (const item of [1, 2, "three" as never, 4]) await sums.send(item);
  const got: number[] = [];
  const isTold = (error: unknown): boolean => {
    assert.ok(error instanceof RemoteError, String(error));
    assert.equal(error.code, "FRAME_INVALID");
    assert.match(error.message, /an item of "sum" is not what its schema says: .*expected number/);
    return true;
  };
  await assert.rejects(async () => {
    for await (const item of sums) got.push(item);
  }, isTold);
  assert.deepEqual(
    [got, taken],
    [
      [1, 2],
      [1, 2],
    ],
  );
  await assert.rejects(async () => await sums.send(5), isTold);
  assert.equal(errors.length, 1);
  assert.equal(session.stats.pending, 0);
  assert.equal([...server.sessions.values()][0]?.stats.pending, 0);
});
