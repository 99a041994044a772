import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, serve } from "../../index.ts";
import { type Codec, lines } from "../../framing.ts";
import { expectError } from "../../testing/expect-error.ts";

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
