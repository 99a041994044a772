/** Half of a surrogate pair has no UTF-8: whatever takes a text refuses it, and sends nothing in its place. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, pair, serveDatagrams } from "../../src/index.ts";
import { chain, type Codec, delimiter, json, lengthPrefix, lines, msgpack, text } from "../../src/framing.ts";
import { over } from "../fixtures/stream-kinds.ts";

const HALF = "🦙".slice(0, 1);
const refused = { code: "OPTION_INVALID", side: "local", detail: /half of a surrogate pair/ } as const;

over("write and readUntil refuse it, and the connection goes on", async (left, right) => {
  for (const data of [HALF, `hola ${HALF}`, ["hola", HALF], [Buffer.from("hola"), `${HALF}!`]]) {
    await assert.rejects(left.write(data), { ...refused, outcome: "none" });
    await assert.rejects(left.write(data, { timeoutMs: 1000 }), { ...refused, outcome: "none" });
  }
  await assert.rejects(right.readUntil(HALF), refused);
  await left.write(["🦙", Buffer.from("!\n")]);
  assert.equal(String(await right.readUntil("🦙!\n")), "🦙!\n");
});

test("streams of Node and of the Web refuse it", async () => {
  const [left, right] = pair();
  const writer = left.interop.writable.getWriter();
  await assert.rejects(writer.write(HALF), refused);
  await right.close();
  const [one, other] = pair();
  const stream = one.interop.toNodeStream();
  const failed = new Promise((resolve) => stream.once("error", resolve));
  stream.write("ñ");
  stream.write("f1", "hex");
  stream.write("🦙", "utf-8");
  assert.deepEqual(await other.readExactly(7), Buffer.concat([Buffer.from("ñ"), Buffer.of(0xf1), Buffer.from("🦙")]));
  stream.write(HALF, (error) => assert.equal((error as { code?: string } | undefined)?.code, "OPTION_INVALID"));
  assert.equal(((await failed) as { code?: string }).code, "OPTION_INVALID");
});

test("a datagram socket refuses it, also in an answer, and sends nothing", async () => {
  const failures: unknown[] = [];
  await using server = await serveDatagrams(
    "udp://127.0.0.1:0",
    (request) => (String(request.data) === "half" ? HALF : "whole"),
    {
      replies: "free",
      onError: (error) => void failures.push(error),
    },
  );
  await using box = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
  for (const data of [HALF, ["a", HALF]]) await assert.rejects(box.send(data), { ...refused, outcome: "none" });
  await assert.rejects(box.sendMany([{ data: "a" }, { data: HALF }]), refused);
  await box.send("half");
  await box.send("other");
  assert.equal(String((await box.receive()).data), "whole");
  assert.deepEqual(
    failures.map((error) => (error as { code?: unknown }).code),
    ["OPTION_INVALID"],
  );
});

test("every codec of texts refuses it, and so does a delimiter that is one", async () => {
  const codecs: readonly Codec<string, unknown>[] = [
    lines(),
    chain(lengthPrefix(), text()),
    chain(lengthPrefix(), text({ encoding: "latin1" })),
    chain(lines(), json<string>()),
    chain(lengthPrefix(), msgpack<string>()),
  ];
  for (const codec of codecs) {
    const [left, right] = pair();
    const framed = left.framed(codec);
    await assert.rejects(framed.send(HALF), { code: "FRAME_INVALID", side: "local", outcome: "none" }, codec.name);
    await framed.send("whole");
    await framed.close();
    assert.equal(await right.framed(codec).receive(), "whole");
    await right.close();
  }
  assert.throws(() => delimiter(["\n", HALF]), refused);
});
