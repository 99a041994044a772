import assert from "node:assert/strict";
import { test } from "node:test";
import { ipPacket } from "./ip-packet.ts";

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
  const sent = {
    seq: 0x1_0000_0005,
    ack: 7,
    fin: true,
    window: 262_144,
    data: Buffer.from("abc"),
    sacks: [[9, 12]],
  } as const;
  const bytes = ipPacket({ kind: "tcp", route: { from, to }, segment: { ...sent, syn: false, rst: false, mss: 0 } });
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
  const bytes = ipPacket({ kind: "udp", route: { from, to }, data: Buffer.from("x") });
  assert.deepEqual([bytes[0], bytes.readUInt16BE(4), bytes[6]], [0x60, 9, 17]);
  assert.equal(bytes.toString("hex", 8, 24), "20010db800000000000000000000001f");
  assert.equal(bytes.toString("hex", 24, 40), "20010db8000100020003000400050006");
  const pseudo = Buffer.concat([bytes.subarray(8, 40), Buffer.from([0, 17, 0, 9])]);
  assert.equal(sum(Buffer.concat([pseudo, bytes.subarray(40)])), 0xffff);
});
