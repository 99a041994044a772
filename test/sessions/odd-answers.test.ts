/** Handlers that throw or return what cannot be looked at: the caller has one typed error, and the session goes on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, contract, event, RemoteError, stream, typeOnly } from "../../src/protocol.ts";
import { connectSession, serveSessions } from "./opened.ts";

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
  const session = await connectSession(odd, server.localAddress);
  for (const way of Object.keys(ways)) {
    // What an event answers is nothing, so none of it is odd.
    await session.remote.tell(["tooLong", "tooMany", "noForm"].includes(way) ? "throwsProxy" : way);
    await assert.rejects(session.remote.ask(way), { code: told[way] ?? "INTERNAL" }, way);
    assert.equal(await session.remote.ask("none"), "fine", way);
  }
  assert.ok(errors.length >= 2 * Object.keys(ways).length);
});

test("who asks for too much is told how much it is, and what is wrong with data stays here", async () => {
  const errors: { readonly code?: unknown; readonly detail?: string }[] = [];
  const ask = (way: string): unknown => ways[way]?.();
  const server = await serveSessions(odd, "tcp://127.0.0.1:0", {
    handlers: { ask, tell: () => undefined },
    onError: (error) => errors.push(error as object),
  });
  const session = await connectSession(odd, server.localAddress);
  await assert.rejects(session.remote.ask("tooLong"), {
    message: /a message of 2000010 bytes is longer than the 1048576/,
  });
  await assert.rejects(session.remote.ask("tooMany"), {
    message: /the answer of "ask": msgpack: .* more than 10000 values/,
  });
  for (const way of ["tooLongError", "oddData"]) {
    await assert.rejects(session.remote.ask(way), { code: "FULL", message: "too much", data: undefined });
  }
  await assert.rejects(session.remote.ask("noForm"), {
    code: "INTERNAL",
    message: "the answer of the handler cannot be sent",
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
  const session = await connectSession(odd, server.localAddress, { limits: { maxMessageBytes: 64 } });
  await assert.rejects(session.remote.ask("5"), { code: "FULL", message: "mmmmm", data: undefined });
  await assert.rejects(session.remote.ask("100"), { code: "FULL", message: "FULL", data: undefined });
});

test("who reads a stream is told that an item is too much, and not what another service has told its handler", async () => {
  const items = contract("items", "1.0.0", {
    server: { read: stream({ request: typeOnly<string>(), sends: typeOnly<unknown>() }) },
  });
  const errors: { readonly code?: unknown }[] = [];
  const server = await serveSessions(items, "tcp://127.0.0.1:0", {
    handlers: {
      async *read(way) {
        yield 1;
        if (way === "long") yield "x".repeat(2_000_000);
        if (way === "form") yield new Map();
        throw new Error("a secret");
      },
    },
    onError: (error) => errors.push(error as object),
  });
  const session = await connectSession(items, server.localAddress);
  const endOf = async (way: string): Promise<RemoteError> => {
    const got: unknown[] = [];
    try {
      for await (const item of session.remote.read(way)) got.push(item);
    } catch (error) {
      assert.deepEqual(got, [1]);
      assert.ok(error instanceof RemoteError);
      return error;
    }
    return assert.fail("it ended");
  };
  const long = await endOf("long");
  assert.deepEqual([long.code, /of 2000010 bytes/.test(long.message)], ["FRAME_TOO_LONG", true]);
  const form = await endOf("form");
  assert.deepEqual([form.code, form.message], ["INTERNAL", "the answer of the handler cannot be sent"]);
  const secret = await endOf("secret");
  assert.deepEqual([secret.code, secret.message], ["INTERNAL", "the handler failed"]);
  assert.deepEqual(
    errors.map(({ code }) => code),
    ["FRAME_TOO_LONG", "FRAME_INVALID", undefined],
  );
});
