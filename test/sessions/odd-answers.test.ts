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

/** What each does, and what its caller is told. */
const told: Readonly<Record<string, string>> = {
  tooLong: "FRAME_TOO_LONG",
  tooMany: "FRAME_TOO_LONG",
  tooLongError: "FULL",
  oddData: "FULL",
};
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
  tooMany: () => Array.from({ length: 10_000 }, () => null),
  oddData: () => {
    throw new RemoteError("FULL", "too much", { data: { seats: new Map() } });
  },
  noForm: () => new Map([["a", 1]]),
  thenThrows: () => new Proxy({}, { get: (_target, name) => (name === "then" ? trap : undefined) }),
};

test("what a handler throws or returns may be odd: one typed error, and the session goes on", async () => {
  const errors: unknown[] = [];
  const run = (way: string): unknown => ways[way]?.() ?? "fine";
  const server = await serveSessions(odd, "tcp://127.0.0.1:0", {
    handlers: { ask: run, tell: run },
    onError: (error) => errors.push(error),
  });
  const session = await openSession(odd, server.localAddress, {});
  for (const way of Object.keys(ways)) {
    // What an event answers is nothing, so none of it is odd.
    await session.tell(["tooLong", "tooMany", "noForm"].includes(way) ? "throwsProxy" : way);
    await assert.rejects(session.ask(way), { code: told[way] ?? "INTERNAL" }, way);
    assert.equal(await session.ask("none"), "fine", way);
  }
  assert.ok(errors.length >= 2 * Object.keys(ways).length);
  await session.close();
  await server.close();
});

test("who asks for too much is told how much it is, and what is wrong with data stays here", async () => {
  const errors: { readonly code?: unknown; readonly detail?: string }[] = [];
  const ask = (way: string): unknown => ways[way]?.();
  const server = await serveSessions(odd, "tcp://127.0.0.1:0", {
    handlers: { ask, tell: () => undefined },
    onError: (error) => errors.push(error as object),
  });
  const session = await openSession(odd, server.localAddress, {});
  await assert.rejects(session.ask("tooLong"), { message: /a message of 2000010 bytes is longer than the 1048576/ });
  await assert.rejects(session.ask("tooMany"), { message: /the answer of "ask": msgpack: .* more than 10000 values/ });
  for (const way of ["tooLongError", "oddData"]) {
    await assert.rejects(session.ask(way), { code: "FULL", message: "too much", data: undefined });
  }
  await assert.rejects(session.ask("noForm"), {
    code: "INTERNAL",
    message: "the handler has answered what cannot be sent",
  });
  assert.deepEqual(
    errors.map(({ code }) => code),
    ["FRAME_TOO_LONG", "FRAME_TOO_LONG", "FRAME_TOO_LONG", "FRAME_INVALID", "FRAME_INVALID"],
  );
  assert.match(String(errors[3]?.detail), /is of class Map.*\(value\.data\.seats\)/);
  assert.match(String(errors[4]?.detail), /the answer of "ask": msgpack: .* is of class Map/);
});

test("a peer that takes little gets the code of an error, without what has no room", async () => {
  const server = await serveSessions(odd, "tcp://127.0.0.1:0", {
    handlers: {
      ask: (size) => {
        throw new RemoteError("FULL", "m".repeat(Number(size)), { data: "d".repeat(60) });
      },
      tell: () => undefined,
    },
  });
  const session = await openSession(odd, server.localAddress, { limits: { maxMessageBytes: 64 } });
  await assert.rejects(session.ask("5"), { code: "FULL", message: "mmmmm", data: undefined });
  await assert.rejects(session.ask("100"), { code: "FULL", message: "FULL", data: undefined });
});
