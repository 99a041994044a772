import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../../../test/sim/scene.ts";
import { Route, segment } from "../kernel/packet.ts";
import { check } from "../world/check.ts";
import { enhancedPacket, interfaceDescription, ipPacket, sectionHeader } from "./packet-capture.ts";

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

test("blocks are multiples of four and say their length at both ends; times have 64 bits", () => {
  const packet = enhancedPacket(3, 0x1_0000_0002, Buffer.from("12345"), "odd");
  for (const block of [sectionHeader("x"), interfaceDescription("host"), packet]) {
    assert.equal(block.length % 4, 0);
    assert.deepEqual([block.readUInt32LE(4), block.readUInt32LE(block.length - 4)], [block.length, block.length]);
  }
  const fields = [8, 12, 16, 20, 24].map((at) => packet.readUInt32LE(at));
  assert.deepEqual(fields, [3, 1, 2, 5, 5]);
  assert.equal(packet.toString("latin1", 28, 33), "12345");
  // A comment is option 1, and the options have an end.
  assert.deepEqual(
    [packet.readUInt16LE(36), packet.readUInt16LE(38), packet.toString("latin1", 40, 43)],
    [1, 3, "odd"],
  );
  assert.equal(packet.readUInt32LE(44), 0);
});

/** The sum that RFC 1071 wants to be all ones over bytes with their checksum in it. */
function sum(bytes: Buffer): number {
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  let total = 0;
  for (let at = 0; at < even.length; at += 2) total += even.readUInt16BE(at);
  return (total % 0xffff) + (total > 0 && total % 0xffff === 0 ? 0xffff : 0);
}

test("a segment over IPv4: header, flags, numbers beyond 32 bits, scaled window, selective acknowledgements", () => {
  const [from, to] = [
    { ip: "192.0.2.1", port: 49_152 },
    { ip: "198.51.100.7", port: 80 },
  ] as const;
  const sent = segment({
    seq: 0x1_0000_0005,
    ack: 7,
    fin: true,
    window: 262_144,
    data: Buffer.from("abc"),
    sacks: [[9, 12]],
  });
  const bytes = ipPacket({ kind: "tcp", route: new Route("tcp", from, to), segment: sent });
  assert.deepEqual([bytes[0], bytes.readUInt16BE(2), bytes[9]], [0x45, bytes.length, 6]);
  assert.deepEqual([...bytes.subarray(12, 20)], [192, 0, 2, 1, 198, 51, 100, 7]);
  assert.equal(sum(bytes.subarray(0, 20)), 0xffff);
  const tcp = bytes.subarray(20);
  assert.deepEqual(
    [tcp.readUInt16BE(0), tcp.readUInt16BE(2), tcp.readUInt32BE(4), tcp.readUInt32BE(8)],
    [49_152, 80, 5, 7],
  );
  // FIN, PSH and ACK; eight words of header; the window in units of 128.
  assert.deepEqual([tcp[13], (tcp[12] ?? 0) >> 4, tcp.readUInt16BE(14)], [0x19, 8, 2048]);
  assert.deepEqual([...tcp.subarray(20, 32)], [1, 1, 5, 10, 0, 0, 0, 9, 0, 0, 0, 12]);
  const pseudo = Buffer.from([...bytes.subarray(12, 20), 0, 6, 0, tcp.length]);
  assert.equal(sum(Buffer.concat([pseudo, tcp])), 0xffff);
});

test("a datagram over IPv6: addresses with and without a gap", () => {
  const [from, to] = [
    { ip: "2001:db8::1f", port: 5 },
    { ip: "2001:db8:1:2:3:4:5:6", port: 6 },
  ];
  const bytes = ipPacket({ kind: "udp", route: new Route("udp", from, to), data: Buffer.from("x") });
  assert.deepEqual([bytes[0], bytes.readUInt16BE(4), bytes[6]], [0x60, 9, 17]);
  assert.equal(bytes.toString("hex", 8, 24), "20010db800000000000000000000001f");
  assert.equal(bytes.toString("hex", 24, 40), "20010db8000100020003000400050006");
  const pseudo = Buffer.concat([bytes.subarray(8, 40), Buffer.from([0, 17, 0, 9])]);
  assert.equal(sum(Buffer.concat([pseudo, bytes.subarray(40)])), 0xffff);
});
