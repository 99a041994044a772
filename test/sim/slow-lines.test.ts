/* Lines so slow that a message takes longer than a heartbeat: as long as bytes move, nobody is given up. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, call, contract, event, connectSession, serveSessions } from "../../src/protocol.ts";
import { check, type World } from "../../src/sim.ts";

const parcels = contract("parcels", "1.0.0", {
  server: { put: event(bytes), store: call(bytes, bytes) },
  client: { got: event(bytes) },
});

const MIB = 1_048_576;
/** The frame of a message may have so many bytes, its head among them. */
const LARGEST = MIB - 64;

/** A server and a client over a line; what each side got, and how often the connection was lost. */
async function join(world: World, options: object = {}, ofServer: object = {}, ofClient: object = {}) {
  const received = { server: [] as number[], client: [] as number[] };
  const lost = { count: 0 };
  const server = await serveSessions(parcels, "tcp://0.0.0.0:7000", {
    network: world.host("server").network,
    handlers: {
      put: (parcel) => void received.server.push(parcel.length),
      store: (parcel) => {
        received.server.push(parcel.length);
        return parcel;
      },
    },
    ...options,
    ...ofServer,
  });
  const session = await connectSession(parcels, "tcp://server:7000", {
    network: world.host("client").network,
    handlers: { got: (parcel) => void received.client.push(parcel.length) },
    onDetach: () => void (lost.count += 1),
    ...options,
    ...ofClient,
  });
  const served = () => [...server.sessions.values()][0] as NonNullable<ReturnType<typeof server.sessions.get>>;
  return { session, served, received, lost };
}

/** Waits until something is so; never in a world where nothing happens any more. */
async function until(world: World, holds: () => boolean): Promise<void> {
  while (!holds()) await world.sleep(100);
}

const LINES = [64_000, 128_000];
const SIZES = [900_000, LARGEST];

for (const bandwidthBitsPerSecond of LINES) {
  for (const size of SIZES) {
    const name = `${size} bytes at ${bandwidthBitsPerSecond / 1000} kbit/s`;

    test(`${name}, to the server, to the client, and both at once: on one connection`, async () => {
      const { value } = await check({ seed: 5, link: { latency: 30, bandwidthBitsPerSecond } }, async (world) => {
        const { session, served, received, lost } = await join(world);
        const parcel = Buffer.alloc(size, 1);
        await session.remote.put(parcel);
        await until(world, () => received.server.length === 1);
        await served().remote.got(parcel);
        await until(world, () => received.client.length === 1);
        await Promise.all([session.remote.put(parcel), served().remote.got(parcel)]);
        await until(world, () => received.server.length + received.client.length === 4);
        await session.close({ timeoutMs: 0 });
        return { received, lost };
      });
      assert.deepEqual(value, { received: { server: [size, size], client: [size, size] }, lost: { count: 0 } });
    });
  }
}

test("a call whose question and answer take longer than the heartbeat of a second is answered", async () => {
  const link = { latency: 30, bandwidthBitsPerSecond: 128_000 };
  const { value } = await check({ seed: 5, link }, async (world) => {
    const { session, lost } = await join(world, { timeouts: { heartbeatMs: 1000 } });
    const answer = await session.remote.store(Buffer.alloc(200_000, 7), { timeoutMs: Infinity });
    await session.close({ timeoutMs: 0 });
    return { length: answer.length, lost };
  });
  assert.deepEqual(value, { length: 200_000, lost: { count: 0 } });
});

test("messages that leave one after the other for longer than replay.maxAgeMs do not end the session", async () => {
  const link = { latency: 30, bandwidthBitsPerSecond: 64_000 };
  const { value } = await check({ seed: 5, link }, async (world) => {
    const { session, received, lost } = await join(world, { resume: { maxReplayAgeMs: 20_000 } });
    // Three quarters of a minute, in messages that take 3 seconds each.
    for (let count = 0; count < 15; count += 1) await session.remote.put(Buffer.alloc(24_000));
    await until(world, () => received.server.length === 15);
    const { state } = session;
    await session.close({ timeoutMs: 0 });
    return { state, lost };
  });
  assert.deepEqual(value, { state: "open", lost: { count: 0 } });
});

test("a line that breaks in the middle of a message is noticed in two heartbeats, and the message arrives later", async () => {
  const link = { latency: 30, bandwidthBitsPerSecond: 128_000 };
  const { value } = await check({ seed: 5, link }, async (world) => {
    const { session, received, lost } = await join(world, { timeouts: { heartbeatMs: 2000 } });
    await session.remote.put(Buffer.alloc(300_000));
    await world.sleep(5000);
    const cut = world.partition("client", "server");
    await world.sleep(6000);
    const noticed = lost.count;
    cut.heal();
    await until(world, () => received.server.length === 1);
    await session.close({ timeoutMs: 0 });
    return { noticed, received: received.server };
  });
  assert.deepEqual(value, { noticed: 1, received: [300_000] });
});

test("a hello that takes seconds gets its answer", async () => {
  const link = { latency: 30, bandwidthBitsPerSecond: 64_000 };
  const { value } = await check({ seed: 5, link }, async (world) => {
    const authenticate = ({ auth }: { auth: unknown }): string => String((auth as string).length);
    const { session, served } = await join(world, {}, { authenticate }, { auth: "x".repeat(64_000) });
    const { principal } = served();
    await session.close({ timeoutMs: 0 });
    return principal;
  });
  assert.equal(value, "64000");
});
