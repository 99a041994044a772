import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, call, contract, event, serveStateless, connectStateless, stream, typeOnly } from "../../protocol.ts";
import { expectError } from "../../testing/expect-error.ts";

/* What a datagram cannot promise does not compile, and programs without types are told. */

const ADDRESS = "udp://127.0.0.1:0";
const SERVER = "udp://127.0.0.1:9";
const idempotent = { idempotent: true } as const;

const good = contract("good", "1.0.0", {
  server: { tell: event<string>(), ask: call(typeOnly<number>(), typeOnly<string>(), idempotent) },
});
const streams = contract("streams", "1.0.0", { server: { watch: stream({ sends: bytes }) } });
const once = contract("once", "1.0.0", { server: { pay: call<number, boolean>() } });
const back = contract("back", "1.0.0", { server: { tell: event() }, client: { told: event() } });

test("streams do not compile, and are UNSUPPORTED", async () => {
  const expected = { code: "UNSUPPORTED" } as const;
  // @ts-expect-error -- A stream needs order and memory.
  await expectError(serveStateless(streams, ADDRESS, { handlers: { watch() {} } }), {
    ...expected,
    op: "serveStateless",
  });
  // @ts-expect-error -- The same at the client.
  await expectError(connectStateless(streams, SERVER), { ...expected, op: "connectStateless" });
});

test("calls that are not idempotent do not compile, and are UNSUPPORTED", async () => {
  // @ts-expect-error -- Paying twice is not paying once.
  await expectError(serveStateless(once, ADDRESS, { handlers: { pay: () => true } }), { code: "UNSUPPORTED" });
  // @ts-expect-error -- The same at the client.
  await expectError(connectStateless(once, SERVER), { code: "UNSUPPORTED" });
  const named = contract("once", "1.0.0", { server: { pay: call(bytes, bytes, { idempotent: false }) } });
  // @ts-expect-error -- It says so itself.
  await expectError(connectStateless(named, SERVER), { code: "UNSUPPORTED" });
});

test("what the client offers does not compile, and is UNSUPPORTED", async () => {
  // @ts-expect-error -- Without a session the server cannot call a client.
  await expectError(serveStateless(back, ADDRESS, { handlers: { tell() {} } }), { code: "UNSUPPORTED" });
  // @ts-expect-error -- The same at the client.
  await expectError(connectStateless(back, SERVER), { code: "UNSUPPORTED" });
});

test("handlers get no session, and each method must have one", async () => {
  await using server = await serveStateless(good, ADDRESS, {
    handlers: {
      // @ts-expect-error -- There is no session.
      tell: (text, { session }) => void [text.length, session],
      ask: (count, { from }) => from.host.repeat(count),
    },
  });
  // @ts-expect-error -- A handler is missing.
  await expectError(serveStateless(good, ADDRESS, { handlers: { tell() {} } }), { code: "OPTION_INVALID" });
  // @ts-expect-error -- All handlers are missing.
  await expectError(serveStateless(good, ADDRESS, {}), { code: "OPTION_INVALID", op: "serveStateless" });
  await using client = await connectStateless(good, server.localAddress);
  const text: string = await client.remote.ask(1);
  assert.equal(text, "127.0.0.1");
  // @ts-expect-error -- The server offers no such method.
  assert.equal(client.remote.watch, undefined);
  // @ts-expect-error -- The question is a number.
  void client.remote.ask("1").catch(() => undefined);
});

test("options and addresses that make no sense are told", async () => {
  const wrong = { code: "OPTION_INVALID", op: "connectStateless" } as const;
  await expectError(connectStateless(good, SERVER, { limits: { maxDatagramBytes: 20 } }), wrong);
  await expectError(connectStateless(good, SERVER, { limits: { maxCalls: 0 } }), wrong);
  await expectError(connectStateless(good, SERVER, { codec: "xml" as "json" }), wrong);
  await expectError(connectStateless(good, SERVER, { retransmission: { minDelayMs: 0 } }), wrong);
  const invalid = { code: "ADDRESS_INVALID", op: "connectStateless" } as const;
  await expectError(connectStateless(good, "udp://239.1.2.3:5000"), invalid);
  await expectError(connectStateless(good, "tcp://127.0.0.1:1"), invalid);
  await expectError(connectStateless(good, "udp://127.0.0.1:0"), invalid);
  const handlers = { tell: () => undefined, ask: () => "" };
  await expectError(serveStateless(good, "tcp://127.0.0.1:0", { handlers }), {
    code: "ADDRESS_INVALID",
    op: "serveStateless",
  });
});

test("a name is looked up; localhost is where a server on 127.0.0.1 is", async () => {
  const handlers = { tell: () => undefined, ask: () => "here" };
  await using server = await serveStateless(good, ADDRESS, { handlers });
  await using client = await connectStateless(good, `udp://localhost:${server.localAddress.port}`);
  assert.equal(await client.remote.ask(1), "here");
  assert.equal(client.remoteAddress.host, "127.0.0.1");
});

test("a server on both families answers clients of both", async () => {
  const handlers = { tell: () => undefined, ask: (size: number) => "x".repeat(size) };
  await using server = await serveStateless(good, "udp://[::]:0", { handlers });
  for (const host of ["127.0.0.1", "[::1]"]) {
    await using client = await connectStateless(good, `udp://${host}:${server.localAddress.port}`);
    assert.equal((await client.remote.ask(500)).length, 500);
  }
});
