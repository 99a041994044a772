import assert from "node:assert/strict";
import { bind, connect, serve, type StreamSocket } from "../../src/index.ts";
import { type FaultKind, simTest } from "../../src/sim.ts";

/* What the transports promise, under everything that a seed lets go wrong. */

/** What TCP must hide. */
const HIDDEN: readonly FaultKind[] = [
  ...(["latency", "loss", "burst-loss", "duplication", "reordering", "corruption", "bandwidth"] as const),
  ...(["partition", "partition-one-way", "isolate", "pause", "freeze", "skew"] as const),
];
const STREAM_BYTES = 60_000;

/** Bytes that are different at every place, for whoever sends them. */
function pattern(start: number): Buffer {
  const bytes = Buffer.alloc(STREAM_BYTES);
  for (let index = 0; index + 4 <= bytes.length; index += 4) bytes.writeUInt32BE(start + index, index);
  return bytes;
}

async function readToEnd(socket: StreamSocket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const bytes of socket) pieces.push(Buffer.from(bytes));
  return Buffer.concat(pieces);
}

simTest(
  "TCP loses, doubles and reorders nothing, in both directions at once",
  { seeds: 150, checkOneIn: 1, chaos: { kinds: HIDDEN } },
  async (world) => {
    let received: Buffer | undefined;
    world.host("server", async (network) => {
      const handler = async (peer: StreamSocket): Promise<void> => {
        const [bytes] = await Promise.all([readToEnd(peer), peer.write(pattern(1 << 30)).then(() => peer.end())]);
        received = bytes;
      };
      await serve("tcp://0.0.0.0:7000", handler, { network });
    });
    const { network } = world.host("client");
    const call = await connect("tcp://server:7000", { network });
    const sending = async (): Promise<void> => {
      const bytes = pattern(0);
      for (let at = 0; at < bytes.length; at += 7_001) {
        await call.write(bytes.subarray(at, at + 7_001));
        await world.sleep(100);
      }
      await call.end();
    };
    const [bytes] = await Promise.all([readToEnd(call), sending()]);
    assert.ok(bytes.equals(pattern(1 << 30)), `${bytes.length} bytes`);
    await world.converge("the server has all", () => received !== undefined);
    assert.ok(received?.equals(pattern(0)));
  },
);

const DATAGRAMS = 60;

simTest(
  "a datagram arrives whole or not at all; only duplication doubles, only corruption changes",
  { seeds: 150, checkOneIn: 1 },
  async (world) => {
    const counts = new Map<number, number>();
    world.host("server", async (network) => {
      const box = await bind("udp://0.0.0.0:5000", { network });
      for await (const { data } of box) {
        const number = data.readUInt16BE(0);
        // Two fragments each: with one of them lost, the datagram is lost.
        world.always("a datagram is whole", data.length === 2_000);
        const flipped = data.subarray(2).filter((byte) => byte !== 0xa5).length;
        world.sometimes("a datagram is changed", flipped > 0);
        world.always("at most one byte is changed", flipped <= 1);
        counts.set(number, (counts.get(number) ?? 0) + 1);
      }
    });
    const { network } = world.host("client");
    const box = await bind("udp://0.0.0.0:0", { network });
    for (let number = 0; number < DATAGRAMS; number += 1) {
      const data = Buffer.alloc(2_000, 0xa5);
      data.writeUInt16BE(number, 0);
      await box.send(data, "udp://server:5000");
      await world.sleep(20);
    }
    await world.healed;
    await box.send(Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(1_998, 0xa5)]), "udp://server:5000");
    await world.converge("after the chaos one arrives", () => counts.has(0xffff));
    world.sometimes("one is lost", counts.size < DATAGRAMS);
    world.sometimes(
      "one is doubled",
      [...counts.values()].some((count) => count > 1),
    );
    world.always(
      "nothing is multiplied",
      [...counts.values()].every((count) => count <= 2),
    );
  },
);
