import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, pair, serve } from "../../index.ts";
import { type Codec, lines } from "../../framing.ts";
import { expectError } from "../../testing/expect-error.ts";
import type { StreamSocket } from "./socket.ts";

/* What becomes of slow members is in the listener suite, for every kind of connection. */

test("with a codec a broadcast encodes its message once, for framed members and others, behind what they were sent", async () => {
  let encoded = 0;
  const words = lines();
  const counting: Codec<string> = {
    name: "counting",
    maxFrameBytes: words.maxFrameBytes,
    createDecoder: () => words.createDecoder(),
    encode(message, writer) {
      encoded += 1;
      words.encode(`${message}!`, writer);
    },
  };
  const server = await serve("tcp://127.0.0.1:0", async (peer) => {
    const member = peer.framed(words);
    for await (const name of member) {
      void member.send(`hola ${name}`);
      await server.broadcast(name, { to: [member], codec: counting });
      await server.broadcast("next", { codec: counting });
    }
  });
  for (const name of ["Ana", "Luis"]) {
    await using called = await connect(server.localAddress);
    const member = called.framed(words);
    await member.send(name);
    const heard = [await member.receive(), await member.receive(), await member.receive()];
    assert.deepEqual(heard, [`hola ${name}`, `${name}!`, "next!"]);
  }
  assert.equal(encoded, 4);
  await expectError(server.broadcast("two\nlines", { codec: words }), { code: "FRAME_INVALID", op: "broadcast" });
  await expectError(server.broadcast("\uD800"), { code: "OPTION_INVALID", op: "broadcast" });
  await server.close();
  assert.deepEqual(await server.broadcast("nobody is there"), { sent: 0, waiting: 0, dropped: 0, disconnected: 0 });
});

test("what is broadcast in one turn arrives in one piece", async () => {
  const server = await serve("tcp://127.0.0.1:0", async (peer) => {
    await peer.readUntil("\n");
    const reports = ["one ", "two ", "three"].map((text) => server.broadcast(text));
    const all = { sent: 1, waiting: 0, dropped: 0, disconnected: 0 };
    assert.deepEqual(await Promise.all(reports), [all, all, all]);
    await peer.read();
  });
  await using member = await connect(server.localAddress);
  await member.write("hola\n");
  assert.equal(String(await member.read()), "one two three");
  await member.end();
  await server.close();
});

/** Larger than what a pair holds for who does not read. */
const LARGE = Buffer.alloc(1_000_000);

test("a listener of a slow member may end others, for which nothing waits then", async () => {
  await using server = await serve("tcp://127.0.0.1:0", () => undefined);
  const [[slow], [other]] = [pair(), pair()];
  await server.broadcast(LARGE, { to: [slow] });
  slow.signal.addEventListener("abort", () => other.abort());
  const report = await server.broadcast(LARGE, { to: [slow, other], maxWaitingBytes: 0 });
  assert.equal(report.disconnected, 1);
  assert.equal((await other.closed).how, "aborted");
  assert.equal((other as StreamSocket).outbound.busy, false);
});

test("what a framed member has gathered waits, too", async () => {
  await using server = await serve("tcp://127.0.0.1:0", () => undefined);
  const [slow] = pair();
  await server.broadcast(LARGE, { to: [slow] });
  const { heldBytes } = (slow as StreamSocket).outbound;
  const framed = slow.framed(lines());
  await framed.send("x".repeat(1_000));
  const report = await server.broadcast("y", { to: [framed], slow: "drop", maxWaitingBytes: heldBytes + 1_000 });
  assert.equal(report.dropped, 1);
  slow.abort();
});
