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
