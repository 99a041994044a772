import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { bytes, call, contract, event, RemoteError, stream } from "../../src/protocol.ts";
import { connectSession, serveSessions } from "./opened.ts";

/* docs/semantics.md, rule D11, over TCP: what is validated, when, and what has a form on the wire. */

const typed = contract("typed", "1.0.0", {
  server: {
    visit: call(z.object({ age: z.coerce.number().min(0), tags: z.array(z.string()).default([]) }), z.string()),
    told: event(z.object({ text: z.string().max(3) })),
    bad: call(z.string(), z.number()),
    later: call(
      z.string().refine(async () => await Promise.resolve(true)),
      z.string(),
    ),
    items: stream({ sends: z.string().transform((text) => text.length) }),
    raw: call(bytes, bytes),
    any: call<unknown, unknown>(),
  },
});

async function typedPair(validate: "receive" | "both" | "none", codecs: readonly ("json" | "msgpack")[] = ["msgpack"]) {
  const errors: unknown[] = [];
  const got: unknown[] = [];
  const server = await serveSessions(typed, "tcp://127.0.0.1:0", {
    validate,
    onError: (error) => errors.push(error),
    handlers: {
      visit: (visitor) => {
        got.push(visitor);
        return "welcome";
      },
      told: (message) => void got.push(message),
      bad: () => "no number" as never,
      later: (text) => text,
      items: () => ["a", "bb"],
      raw: (piece) => piece,
      any: (value) => value,
    },
  });
  const session = await connectSession(typed, server.localAddress, { validate, codecs });
  return { session, got, errors };
}

test("rule D11: the wire carries the schema's input, and receiving gives its output", async () => {
  const { session, got } = await typedPair("receive");
  assert.equal(await session.remote.visit({ age: "42" }), "welcome");
  assert.deepEqual(got, [{ age: 42, tags: [] }]);
  const lengths: number[] = [];
  for await (const length of session.remote.items()) lengths.push(length);
  assert.deepEqual(lengths, [1, 2]);
});

test("rule D11: receive: what the peer sends is checked; a call fails with FRAME_INVALID, an event goes to onError", async () => {
  const { session, errors } = await typedPair("receive");
  await assert.rejects(session.remote.visit({ age: -1 }), (error) => {
    assert.ok(error instanceof RemoteError);
    assert.equal(error.code, "FRAME_INVALID");
    assert.match(error.message, /age/);
    return true;
  });
  await session.remote.told({ text: "too long" });
  await assert.rejects(session.remote.bad("x"), { code: "FRAME_INVALID", side: "remote" });
  assert.deepEqual(
    errors.map((error) => (error as { readonly code: string }).code),
    ["FRAME_INVALID", "FRAME_INVALID"],
  );
  assert.equal(session.state, "open");
});

test("rule D11: both: sending validates too, and discards the result", async () => {
  const { session, got } = await typedPair("both");
  await assert.rejects(session.remote.visit({ age: -1 }), { code: "FRAME_INVALID", side: "local", outcome: "none" });
  await assert.rejects(session.remote.told({ text: "too long" }), {
    code: "FRAME_INVALID",
    side: "local",
  });
  assert.equal(await session.remote.visit({ age: "7" }), "welcome");
  assert.deepEqual(got, [{ age: 7, tags: [] }]);
});

test("rule D11: none: nothing is checked, and nothing is converted", async () => {
  const { session, got, errors } = await typedPair("none");
  assert.equal(await session.remote.visit({ age: "-1" }), "welcome");
  await session.remote.told({ text: "too long" });
  assert.equal(await session.remote.bad("x"), "no number");
  assert.deepEqual(got, [{ age: "-1" }, { text: "too long" }]);
  assert.deepEqual(errors, []);
});

test("rule D11: a check that throws fails its call, and not the process", async () => {
  // zod tries again asynchronously, which nobody awaits. A value nested too deeply for its schema comes to the same.
  const checks = contract("checks", "1.0.0", {
    server: {
      ask: call(
        z.string().refine(() => {
          throw new Error("cannot look at it");
        }),
      ),
    },
  });
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const server = await serveSessions(checks, "tcp://127.0.0.1:0", { onError, handlers: { ask: () => undefined } });
  const session = await connectSession(checks, server.localAddress);
  await assert.rejects(session.remote.ask("a"), { name: "RemoteError", code: "INTERNAL" });
  await assert.rejects(session.remote.ask("b"), { name: "RemoteError", code: "INTERNAL" });
  assert.deepEqual(
    errors.map((error) => (error as { code?: string }).code),
    ["UNSUPPORTED", "UNSUPPORTED"],
  );
});

test("rule D11: a schema that validates asynchronously is refused at its first use, and ends nothing", async () => {
  const { session, errors } = await typedPair("receive");
  await assert.rejects(session.remote.later("x"), { code: "INTERNAL" });
  assert.equal((errors[0] as { readonly code: string }).code, "UNSUPPORTED");
  assert.equal(await session.remote.visit({ age: 1 }), "welcome");
});

test("rule D11: what has no form on the wire is an error of the sender; what is too deep too", async () => {
  const { session } = await typedPair("receive");
  let deep: unknown = 1;
  for (let depth = 0; depth < 65; depth += 1) deep = [deep];
  const values = [new Map(), new Set(), 1n, { a: undefined }, () => 1, deep];
  for (const value of values) {
    await assert.rejects(session.remote.any(value), { code: "FRAME_INVALID", side: "local" });
  }
  const bytesOfAll = Uint8Array.from({ length: 256 }, (_, index) => index);
  assert.deepEqual(new Uint8Array(await session.remote.raw(bytesOfAll)), bytesOfAll);
  assert.equal((await session.remote.raw(new Uint8Array(0))).length, 0);
  assert.deepEqual(await session.remote.any({ a: [1, "x", null, true] }), { a: [1, "x", null, true] });
  assert.equal(await session.remote.any(undefined), undefined);
});

test("the codec json: the same contract, and bytes as they are", async () => {
  const { session, got } = await typedPair("receive", ["json"]);
  assert.equal(await session.remote.visit({ age: "42", tags: ["ñ"] }), "welcome");
  assert.deepEqual(got, [{ age: 42, tags: ["ñ"] }]);
  assert.deepEqual([...(await session.remote.raw(Uint8Array.of(0, 255)))], [0, 255]);
  const long = "x".repeat(100_000);
  assert.equal(await session.remote.any(long), long);
});
