import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import net from "node:net";
import { test } from "node:test";
import { call, contract, event } from "../../src/protocol.ts";
import { nodeNetwork } from "../../src/index.ts";
import { ManualClock } from "../../src/testing.ts";
import { gate } from "../fixtures/gate.ts";
import { eventFrame, RawClient } from "./raw-client.ts";
import { atEnd, connectSession, serveSessions } from "./opened.ts";
import { portOf } from "../fixtures/port-of.ts";

/* Programs that do not speak the protocol, or break it: one typed error here, a clean close there, and nothing else. */

const room = contract("room", "1.0.0", { server: { say: event<string>(), who: call<void, string>() } });

async function serve(more: object = {}) {
  const errors: { readonly code: string }[] = [];
  const said: string[] = [];
  const server = await serveSessions(room, "tcp://127.0.0.1:0", {
    handlers: { say: (text) => void said.push(text), who: () => "you" },
    onError: (error) => errors.push(error as { readonly code: string }),
    ...more,
  });
  return { server, errors, said, port: server.localAddress.port };
}

const FOREIGN: readonly (readonly [name: string, bytes: string, code: string])[] = [
  ["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PROTOCOL_MISMATCH"],
  ["TLS", "\u0016\u0003\u0001\u0002\u0000\u0001", "PROTOCOL_MISMATCH"],
  ["noise", "\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008", "PROTOCOL_MISMATCH"],
  ["another wire form", "ZOCALO\0\u0009\0\0\0\u0003\u0001{}", "VERSION_UNSUPPORTED"],
  ["no JSON", "ZOCALO\0\u0001\0\0\0\u0003\u0001{{", "HANDSHAKE_INVALID"],
  ["a hello that is too long", "ZOCALO\0\u0001\u007f\0\0\0\u0001", "FRAME_TOO_LONG"],
  ["no hello at all", "ZOCALO\0\u0001\0\0\0\u0003\u0002{}", "HANDSHAKE_INVALID"],
];

for (const [name, bytes, code] of FOREIGN) {
  test(`a server that meets ${name} closes in order, and tells one ${code}`, async () => {
    const { server, errors, port } = await serve();
    const published: unknown[] = [];
    const listener = (message: unknown): void => void published.push((message as { readonly error: unknown }).error);
    subscribe("zocalo:error", listener);
    const client = await RawClient.to(port);
    client.socket.write(Buffer.from(bytes, "latin1"));
    assert.equal(await client.untilEnd(), "fin");
    client.close();
    unsubscribe("zocalo:error", listener);
    assert.deepEqual(
      errors.map((error) => error.code),
      [code],
    );
    assert.deepEqual(published, errors);
    assert.equal(server.stats.declined, 1);
    await server.close({ timeoutMs: 0 });
  });
}

test("a client that says nothing is closed after the time of the handshake", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const { server, errors, port } = await serve({ network: { ...nodeNetwork, clock } });
  const client = await RawClient.to(port);
  while (server.stats.unauthenticated === 0) await clock.turn();
  // The default.
  await clock.advance(9_999);
  assert.deepEqual([server.stats.unauthenticated, client.ended], [1, undefined]);
  await clock.advance(1);
  assert.equal(await client.untilEnd(), "fin");
  client.close();
  assert.deepEqual(
    errors.map((error) => error.code),
    ["TIMEOUT"],
  );
});

test("a client that meets a foreign server has one typed error", async () => {
  for (const [answer, code] of [
    ["HTTP/1.1 400 Bad Request\r\n\r\n", "PROTOCOL_MISMATCH"],
    ["", "END_OF_STREAM"],
  ] as const) {
    const foreign = net.createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(answer);
    });
    foreign.listen(0, "127.0.0.1");
    const port = await portOf(foreign);
    await assert.rejects(connectSession(room, `tcp://127.0.0.1:${port}`), { code });
    foreign.close();
  }
});

test("a server that takes a client in and loses it at once has it back after longer and longer pauses", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const random = { next: () => 0.5, bytes: (count: number) => nodeNetwork.random.bytes(count) };
  const peers: RawClient[] = [];
  const counted = { welcomes: 0, loses: true };
  const listener = net.createServer((socket) => {
    const peer = new RawClient(socket);
    atEnd(() => peer.close());
    peers.push(peer);
    const greet = async (): Promise<void> => {
      await peer.welcome({ offers: ["say", "who"] });
      if (counted.loses) peer.send(0x15, Buffer.concat([Buffer.alloc(8), Buffer.from('{"code":"SESSION_LOST"}')]));
      counted.welcomes += 1;
    };
    void greet();
  });
  listener.listen(0, "127.0.0.1");
  atEnd(() => listener.close());
  const port = await portOf(listener);
  const session = await connectSession(room, `tcp://127.0.0.1:${port}`, { network: { ...nodeNetwork, clock, random } });
  const comesBackAfter = async (delayMs: number): Promise<void> => {
    const { length } = peers;
    while (session.state !== "detached") await clock.turn();
    await clock.advance(delayMs - 1);
    assert.equal(peers.length, length);
    await clock.advance(1);
    while (counted.welcomes === length) await clock.turn();
  };
  for (const delayMs of [15, 30, 60, 120]) await comesBackAfter(delayMs);
  counted.loses = false;
  await comesBackAfter(240);
  while (session.state !== "open") await clock.turn();
  // A connection that has lasted is nobody's fault.
  await clock.advance(1000);
  peers.at(-1)?.close();
  await comesBackAfter(15);
});

test("what is refused says what would be accepted", async () => {
  const { server, errors } = await serve();
  const other = contract("chat", "1.0.0", {});
  const newer = contract("room", "2.0.0", {});
  await assert.rejects(connectSession(other, server.localAddress), {
    code: "CONTRACT_UNKNOWN",
    name: "ConnectError",
  });
  await assert.rejects(connectSession(newer, server.localAddress), { code: "VERSION_UNSUPPORTED" });
  assert.deepEqual(errors, []);
});

test("a peer that breaks the protocol ends its own session, is told why, and touches no other", async () => {
  const { server, errors, port } = await serve();
  const good = await connectSession(room, `tcp://127.0.0.1:${port}`);
  const cases: readonly (readonly [type: number, payload: Buffer, code: string])[] = [
    [0x7f, Buffer.alloc(8), "FRAME_INVALID"],
    [0x10, Buffer.from([0, 0, 0, 0, 0, 0, 0, 9]), "FRAME_INVALID"],
    [0x40, Buffer.alloc(1), "FRAME_INVALID"],
    [0x40, Buffer.alloc(2_000_000), "FRAME_TOO_LONG"],
  ];
  for (const [type, payload, code] of cases) {
    const bad = await RawClient.to(port);
    await bad.hello("room");
    bad.send(type, payload);
    const close = await bad.frameOf(0x15);
    assert.equal((JSON.parse(String(close.payload.subarray(8))) as { code: string }).code, code);
    await bad.untilEnd();
    bad.close();
  }
  assert.deepEqual(
    errors.map((error) => error.code),
    cases.map(([, , code]) => code),
  );
  assert.equal(await good.remote.who(), "you");
  assert.equal(server.stats.sessions, 1);
});

test("unknown methods, values that are no values: told, and the session goes on", async () => {
  const { errors, said, port } = await serve();
  const client = await RawClient.to(port);
  await client.hello("room");
  client.send(0x40, eventFrame(9, "x"));
  client.send(0x40, Buffer.concat([Buffer.from([0, 0]), Buffer.from("{nonsense")]));
  // A call of an event, and of nothing.
  for (const method of [0, 9]) client.send(0x41, Buffer.from([0, 0, 0, 1 + method * 2, 0, method, 0, 0, 0x13, 0x88]));
  for (const id of [1, 19]) {
    const { payload } = await client.frameOf(0x43);
    assert.equal(payload.readUInt32BE(), id);
    assert.equal((JSON.parse(String(payload.subarray(4))) as { code: string }).code, "METHOD_UNKNOWN");
  }
  client.send(0x40, eventFrame(0, "still here"));
  while (said.length === 0) await client.frame();
  assert.deepEqual(said, ["still here"]);
  assert.deepEqual(
    errors.map((error) => error.code),
    ["METHOD_UNKNOWN", "FRAME_INVALID", "METHOD_UNKNOWN", "METHOD_UNKNOWN"],
  );
  client.close();
});

test("more than maxMessagesPerSecond is read more slowly, and nothing is lost", async () => {
  const numbers: string[] = [];
  const { port } = await serve({
    limits: { maxMessagesPerSecond: 2000 },
    handlers: { say: (text: string) => void numbers.push(text), who: () => "you" },
  });
  const session = await connectSession(room, `tcp://127.0.0.1:${port}`);
  for (let count = 0; count < 2500; count += 1) await session.remote.say(String(count));
  assert.equal(await session.remote.who(), "you");
  assert.deepEqual(
    numbers,
    Array.from({ length: 2500 }, (_, index) => String(index)),
  );
});

test("who is read more slowly than its heartbeat is read in its time, and not given up", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const { server, said, port } = await serve({
    network: { ...nodeNetwork, clock },
    limits: { maxMessagesPerSecond: 10 },
  });
  const client = await RawClient.to(port);
  await client.hello("room");
  client.socket.cork();
  for (let count = 0; count < 500; count += 1) client.send(0x40, eventFrame(0, "x"));
  client.socket.uncork();
  while (said.length < 500) await clock.advance(1);
  client.send(0x40, eventFrame(0, "y"));
  // The heartbeat is 15 seconds; 490 messages too many are 49.
  const startedAt = clock.now();
  while (said.length < 501) {
    await clock.advance(100);
    assert.equal(server.stats.detached, 0);
  }
  assert.ok(clock.now() - startedAt < 49_500, `${clock.now() - startedAt} ms`);
  client.close();
});

test("what the program throws in its callbacks ends nothing", async () => {
  const told = gate();
  const { server, errors, port } = await serve({
    onOpen: () => {
      throw new Error("open");
    },
    onClose: async () => {
      told.open();
      await Promise.reject(new Error("close"));
    },
  });
  const session = await connectSession(room, `tcp://127.0.0.1:${port}`, {
    onResume: () => Promise.reject(new Error("client")),
    onError: () => {
      throw new Error("even here");
    },
  });
  assert.equal(await session.remote.who(), "you");
  await session.close({ timeoutMs: 0 });
  await told.opened;
  await server.close({ timeoutMs: 0 });
  assert.deepEqual(errors.map(String), ["Error: open", "Error: close"]);
});
