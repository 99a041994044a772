import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ConversationSide, TcpConversation } from "./tcp-conversation.ts";

const CLIENT = { ip: "192.0.2.1", port: 50_000 };
const SERVER = { ip: "192.0.2.2", port: 80 };
const HEADERS_BYTES = 40;

/** What a packet of IPv4 with TCP says. */
function read(packet: Buffer): { from: number; seq: number; ack: number; flags: string; data: Buffer } {
  const tcp = packet.subarray(20);
  const bits = tcp[13] ?? 0;
  const flags = "FSRPA"
    .split("")
    .filter((_, index) => (bits & [1, 2, 4, 8, 16][index]!) !== 0)
    .join("");
  const data = tcp.subarray(((tcp[12] ?? 0) >> 4) * 4);
  return { from: tcp.readUInt16BE(0), seq: tcp.readUInt32BE(4), ack: tcp.readUInt32BE(8), flags, data };
}

function capture(): { conversation: TcpConversation; packets: ReturnType<typeof read>[]; comments: string[] } {
  const packets: ReturnType<typeof read>[] = [];
  const comments: string[] = [];
  const conversation = new TcpConversation(CLIENT, SERVER, (_atUs, packet, comment) => {
    packets.push(read(packet));
    comments.push(comment ?? "");
  });
  return { conversation, packets, comments };
}

test("handshake, bytes both ways, half-close and end, with numbers that fit", () => {
  const { conversation, packets, comments } = capture();
  conversation.open(0);
  conversation.data("client", 1, Buffer.from("hola"), "latency 100 ms");
  conversation.data("server", 2, Buffer.from("mundo"));
  conversation.end("client", 3);
  conversation.data("server", 4, Buffer.from("!"));
  conversation.end("server", 5);
  conversation.end("server", 6);
  assert.deepEqual(
    packets.map(({ from, seq, ack, flags }) => [from, seq, ack, flags]),
    [
      [50_000, 1000, 0, "S"],
      [80, 1000, 1001, "SA"],
      [50_000, 1001, 1001, "A"],
      [50_000, 1001, 1001, "PA"],
      [80, 1001, 1005, "PA"],
      [50_000, 1005, 1006, "FA"],
      [80, 1006, 1006, "A"],
      [80, 1006, 1006, "PA"],
      [80, 1007, 1006, "FA"],
      [50_000, 1006, 1008, "A"],
    ],
  );
  assert.deepEqual(
    comments.filter((comment) => comment !== ""),
    ["latency 100 ms"],
  );
});

test("a reset ends everything once; a refusal answers the SYN", () => {
  const { conversation, packets } = capture();
  conversation.open(0);
  conversation.reset("server", 1);
  conversation.reset("client", 2);
  conversation.end("client", 3);
  assert.equal(packets.length, 4);
  assert.equal(packets[3]?.flags, "RA");
  const refused = capture();
  refused.conversation.refuse(0, "down");
  assert.deepEqual(
    refused.packets.map(({ flags, ack }) => [flags, ack]),
    [
      ["S", 0],
      ["RA", 1001],
    ],
  );
  assert.deepEqual(refused.comments, ["", "down"]);
});

test("whatever is said, the segments of a side are its bytes in order, and little is unacknowledged", () => {
  const saying = fc.record({
    side: fc.constantFrom<ConversationSide>("client", "server"),
    bytes: fc.integer({ min: 0, max: 150_000 }),
  });
  fc.assert(
    fc.property(fc.array(saying, { maxLength: 12 }), (sayings) => {
      const { conversation, packets } = capture();
      conversation.open(0);
      const said = { client: 0, server: 0 };
      for (const { side, bytes } of sayings) {
        conversation.data(side, 1, Buffer.alloc(bytes, "x"));
        said[side] += bytes;
      }
      const next = { 50_000: 1001, 80: 1001 } as Record<number, number>;
      const acked = { 50_000: 1001, 80: 1001 } as Record<number, number>;
      for (const { from, seq, ack, data, flags } of packets) {
        if (flags.includes("S")) continue;
        assert.equal(seq, next[from]);
        next[from] = seq + data.length;
        acked[from === 80 ? 50_000 : 80] = ack;
        assert.ok(data.length + HEADERS_BYTES <= 65_535);
        assert.ok(seq + data.length - (acked[from] ?? 0) <= 2 * 65_536);
      }
      assert.deepEqual([next[50_000], next[80]], [1001 + said.client, 1001 + said.server]);
    }),
    { numRuns: 50 },
  );
});
