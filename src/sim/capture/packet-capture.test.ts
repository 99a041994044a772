import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../../../test/sim/scene.ts";
import { check } from "../world/check.ts";

/** The blocks of a pcapng file: their types and bodies. */
function blocksOf(file: Buffer): readonly { readonly type: number; readonly body: Buffer }[] {
  const blocks = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    assert.equal(length % 4, 0);
    assert.equal(file.readUInt32LE(at + length - 4), length);
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

test("a capture has an interface for each host and a packet for each that was sent, lost ones with a comment", async () => {
  const pieces: Uint8Array[] = [];
  await check({ seed: 1, capture: (bytes) => void pieces.push(bytes) }, async (world) => {
    const { a, b, call } = await joined(world);
    await call.write("hola, plaza");
    await world.sleep(100);
    world.partition(a, b);
    await call.write("lost");
    await world.sleep(1);
  });
  const blocks = blocksOf(Buffer.concat(pieces));
  assert.equal(blocks[0]?.type, 0x0a0d0d0a);
  const interfaces = blocks.filter(({ type }) => type === 1).map(({ body }) => body.toString("latin1", 12, 13));
  assert.deepEqual(interfaces, ["a", "b"]);
  const packets = blocks.filter(({ type }) => type === 6).map(({ body }) => body);
  const written = packets.find((body) => body.includes("hola, plaza"));
  assert.ok(written !== undefined);
  // Interface 0, and IPv4 with TCP.
  assert.deepEqual([written.readUInt32LE(0), written[20], written[29]], [0, 0x45, 6]);
  assert.ok(packets.some((body) => body.includes("lost: partition")));
});
