import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError, ZocaloError } from "../errors.ts";
import { bytes, type InputOf, type OutputOf, type Schema, typeOnly } from "./schema.ts";
import { contract, fnv1a64, methodNames, type Methods } from "./contract.ts";
import { call, event, type RequestInput, type RequestOutput, type ResponseInput, stream } from "./method.ts";
import { RemoteError } from "./remote-error.ts";

const invalid = (pattern: RegExp) => (error: unknown) =>
  error instanceof ZocaloError && error.code === "OPTION_INVALID" && pattern.test(error.message);

/** Compiles only when the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
const same = <A, B>(_same: Same<A, B>): void => undefined;

const trimmed: Schema<string, { readonly text: string }> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: { text: String(value).trim() } }) },
};

const chat = contract("chat", "1.2.0", {
  server: {
    join: call<{ room: string }, readonly string[]>(),
    say: event(trimmed),
    history: stream({ request: trimmed, sends: bytes }),
    ping: call(),
  },
  client: { said: event<number>(), ask: call(trimmed, bytes, { idempotent: true, order: "serial" }) },
});

test("the types of a contract are those of its schemas: input to send, output to receive", () => {
  same<RequestInput<typeof chat.server.join>, { room: string }>(true);
  same<ResponseInput<typeof chat.server.join>, readonly string[]>(true);
  same<RequestInput<typeof chat.server.say>, string>(true);
  same<RequestOutput<typeof chat.server.say>, { readonly text: string }>(true);
  same<RequestInput<typeof chat.server.ping>, void>(true);
  same<RequestInput<typeof chat.client.said>, number>(true);
  same<ResponseInput<typeof chat.client.ask>, Uint8Array>(true);
  same<InputOf<undefined>, void>(true);
  same<OutputOf<typeof bytes>, Uint8Array>(true);
  same<typeof chat.client.ask.idempotent, true>(true);
  same<typeof chat.server.join.idempotent, false>(true);
  // @ts-expect-error a side has only the methods that were declared
  assert.equal(chat.server.leave, undefined);
});

test("methods are numbered in the order of their names", () => {
  assert.deepEqual(methodNames(chat.server), ["history", "join", "ping", "say"]);
});

test("the hash is that of name, version, names and kinds", () => {
  const text =
    "chat 1.2.0\nserver stream history\nserver call join\nserver call ping\nserver event say\nclient call ask\nclient event said\n";
  assert.equal(chat.hash, fnv1a64(text));
  assert.notEqual(contract("chat", "1.2.1", { server: chat.server, client: chat.client }).hash, chat.hash);
});

test("FNV-1a is that of RFC 9923", () => {
  assert.equal(fnv1a64(""), "cbf29ce484222325");
  assert.equal(fnv1a64("a"), "af63dc4c8601ec8c");
  assert.equal(fnv1a64("foobar"), "85944171f73967e8");
});

test("a contract says what is wrong with it", () => {
  assert.throws(() => contract("", "1.0.0", {}), invalid(/needs a name/));
  assert.throws(() => contract("chat", "1.0", {}), invalid(/needs a version/));
  assert.throws(() => contract("chat", "1.0.0", { server: { "a b": event() } }), invalid(/no name for a method/));
  assert.throws(() => contract("chat", "1.0.0", { server: { x: {} as never } }), invalid(/must be made by/));
  assert.throws(
    () => contract("chat", "1.0.0", {}, { accepts: { from: "2.0.0", below: "3.0.0" } }),
    invalid(/its own/),
  );
  const methods = (count: number, length: number): Methods =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`.padEnd(length, "x"), event()]));
  assert.equal(Object.keys(contract("chat", "1.0.0", { server: methods(1000, 46) }).server).length, 1000);
  assert.throws(() => contract("chat", "1.0.0", { server: methods(1001, 6) }), invalid(/at most 1000 methods/));
  assert.throws(() => contract("chat", "1.0.0", { client: methods(1000, 64) }), invalid(/choose shorter ones/));
  assert.throws(() => stream({}), invalid(/needs `sends`/));
  assert.throws(() => event({} as never), invalid(/Standard Schema/));
});

test("a method cannot be called __proto__", () => {
  const methods = JSON.parse('{"__proto__": {"kind": "event"}}') as never;
  assert.throws(() => contract("chat", "1.0.0", { server: methods }), invalid(/no name for a method/));
});

test("a stream can have items that only the compiler knows", () => {
  const ticks = stream({ sends: typeOnly<number>() });
  same<InputOf<typeof ticks.sends>, number>(true);
  same<OutputOf<typeof ticks.sends>, number>(true);
});

test("an option that there is not is refused everywhere, and the one that was meant is named", () => {
  const untyped = (options: unknown): never => options as never;
  for (const [op, make, meant] of [
    ["call", () => call(undefined, undefined, untyped({ idempotnt: true })), "idempotent"],
    ["event", () => event(undefined, untyped({ descripton: "x" })), "description"],
    ["stream", () => stream(untyped({ send: typeOnly() })), "sends"],
    ["contract", () => contract("x", "1.0.0", untyped({ sever: {} })), "server"],
    ["contract", () => contract("x", "1.0.0", {}, untyped({ accept: {} })), "accepts"],
    [
      "contract",
      () => contract("x", "1.0.0", {}, untyped({ accepts: { form: "1.0.0", below: "2.0.0" } })),
      "accepts.from",
    ],
    ["RemoteError", () => new RemoteError("X", "x", untyped({ datas: 1 })), "data"],
  ] as const) {
    assert.throws(make, (error) => {
      assert.ok(error instanceof UsageError && error.code === "OPTION_INVALID" && error.op === op, String(error));
      assert.match(error.detail, new RegExp(`^there is no option ".*"; did you mean "${meant}"\\?$`));
      return true;
    });
  }
});

test("what is wrong about the options of a contract and its methods is told by the call", () => {
  const untyped = (options: unknown): never => options as never;
  for (const make of [
    () => call(undefined, undefined, untyped({ order: "parallel" })),
    () => call(undefined, undefined, untyped({ idempotent: "yes" })),
    () => event(undefined, untyped({ description: 5 })),
    () => contract("x", "1.0.0", untyped({ server: [call()] })),
    () => contract("x", "1.0.0", {}, untyped({ accepts: { from: "1.0.0" } })),
    () => contract("x", "1.0.0", {}, untyped({ accepts: { from: "one", below: "2.0.0" } })),
    () => contract("x", "1.0.0", {}, untyped(null)),
  ]) {
    assert.throws(make, { code: "OPTION_INVALID" });
  }
  const plain = { request: undefined, sends: typeOnly<number>(), receives: undefined, description: undefined };
  assert.equal(stream(plain).receives, undefined);
  const made = contract("x", "1.0.0", { server: undefined, client: undefined } as never, { accepts: undefined });
  assert.deepEqual(made.accepts, { from: "1.0.0", below: "2.0.0" });
});

test("a call at most once is not idempotent", () => {
  assert.equal(call(undefined, undefined, { atMostOnce: true }).atMostOnce, true);
  assert.equal(call().atMostOnce, false);
  assert.throws(() => call(undefined, undefined, { atMostOnce: true, idempotent: true }), {
    code: "OPTION_INVALID",
    op: "call",
  });
});
