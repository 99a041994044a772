/** Handlers that throw or return what cannot be looked at: the caller has one typed error, and the session goes on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, contract, event, RemoteError, typeOnly } from "../../src/protocol.ts";
import { openSession, serveSessions } from "./opened.ts";

const odd = contract("odd", "1.0.0", {
  server: { ask: call(typeOnly<string>(), typeOnly<unknown>()), tell: event(typeOnly<string>()) },
});

function trap(): never {
  throw new Error("not to be looked at");
}

const unreadable = new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap });

const ways: Readonly<Record<string, () => unknown>> = {
  throwsProxy: () => {
    throw unreadable as Error;
  },
  rejectsProxy: () => Promise.reject(unreadable),
  returnsProxy: () => unreadable,
  codeIsNoText: () => {
    throw new RemoteError(404 as unknown as string, "not found");
  },
  tooLong: () => "x".repeat(2_000_000),
  tooLongError: () => {
    throw new RemoteError("FULL", "too much", { data: "x".repeat(2_000_000) });
  },
  thenThrows: () => new Proxy({}, { get: (_target, name) => (name === "then" ? trap : undefined) }),
};

test("what a handler throws or returns may be odd: INTERNAL, and the session goes on", async () => {
  const errors: unknown[] = [];
  const run = (way: string): unknown => ways[way]?.() ?? "fine";
  const server = await serveSessions(odd, "tcp://127.0.0.1:0", {
    handlers: { ask: run, tell: run },
    onError: (error) => errors.push(error),
  });
  const session = await openSession(odd, server.localAddress, {});
  for (const way of Object.keys(ways)) {
    await session.tell(way === "tooLong" ? "throwsProxy" : way);
    await assert.rejects(session.ask(way), { code: "INTERNAL" }, way);
    assert.equal(await session.ask("none"), "fine", way);
  }
  assert.ok(errors.length >= 2 * Object.keys(ways).length);
  await session.close();
  await server.close();
});
