/** Random attacks on a server of sessions, repeatable by their seed. */

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ZocaloError } from "../../src/index.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { call, contract, event, connectSession, serveSessions, stream, typeOnly } from "../../src/protocol.ts";
import { SeededRandom } from "../fixtures/seeded-random.ts";
import { gone } from "./listeners.ts";
import type { FuzzOptions } from "./fuzz.ts";

/** After so many attacks a client that keeps the rules asks. */
const CHECK_EVERY = 50;
const MAX_SESSIONS = 100;
const MAGIC = Buffer.from("ZOCALO\0\u0001", "latin1");
/** All types of frames, and some that do not exist. */
const TYPES = [1, 2, 3, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x7f];

const target = contract("target", "1.0.0", {
  server: {
    say: event<unknown>(),
    shout: call<string, string>(),
    both: stream({ sends: typeOnly<unknown>(), receives: typeOnly<unknown>() }),
  },
  client: { ask: call<string, string>() },
});

function frame(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + 1);
  head[4] = type;
  return Buffer.concat([head, payload]);
}

function hello(): Buffer {
  const fields = {
    contract: "target",
    version: "1.0.0",
    accepts: { from: "1.0.0", below: "2.0.0" },
    offers: ["ask"],
    codecs: ["json"],
    features: [],
    limits: DEFAULT_LIMITS,
  };
  return Buffer.concat([MAGIC, frame(1, Buffer.from(JSON.stringify(fields)))]);
}

/** A frame that is often nearly right: small ids and methods, JSON or noise behind them. */
function someFrame(random: SeededRandom): Buffer {
  const type = TYPES[random.below(TYPES.length)] as number;
  const head = Buffer.alloc(random.below(14));
  for (let at = 0; at < head.length; at += 1) head[at] = random.oneIn(4) ? random.below(256) : random.below(2);
  const body = random.oneIn(2) ? Buffer.from('"hola"') : Buffer.alloc(random.below(2000), random.below(256));
  return frame(type, Buffer.concat([head, body]));
}

function damaged(bytes: Buffer, random: SeededRandom): Buffer {
  for (let flips = 1 + random.below(4); flips > 0; flips -= 1) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

/** One rude connection: part of a handshake, a damaged one, or garbage behind a valid one; then some end. */
async function attack(port: number, random: SeededRandom): Promise<void> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => undefined);
  await once(socket, "connect");
  const opening = hello();
  const way = random.below(5);
  if (way === 0) socket.write(opening.subarray(0, random.below(opening.length)));
  else if (way === 1) socket.write(damaged(opening, random));
  else {
    socket.write(opening);
    // Who says more before the welcome breaks the protocol.
    if (!random.oneIn(5)) await Promise.race([once(socket, "data"), gone(socket)]);
    const frames = Buffer.concat(Array.from({ length: 1 + random.below(20) }, () => someFrame(random)));
    socket.write(random.oneIn(4) ? damaged(frames, random) : frames);
  }
  if (!random.oneIn(3)) socket.resume();
  for (let turns = random.below(4); turns > 0; turns -= 1) await nextTurn();
  if (random.oneIn(3)) socket.resetAndDestroy();
  else socket.destroy();
  await gone(socket);
}

/** Attacks a server of sessions; fails unless good clients are served all the time, and nothing is left. */
export async function fuzzSessions({ rounds, seed }: FuzzOptions): Promise<ReadonlyMap<string, number>> {
  const random = new SeededRandom(seed);
  const codes = new Map<string, number>();
  const foreign: unknown[] = [];
  const server = await serveSessions(target, "tcp://127.0.0.1:0", {
    limits: { maxSessions: MAX_SESSIONS, maxSessionsPerAddress: Infinity },
    onError: (error) => {
      if (error instanceof ZocaloError) codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      else foreign.push(error);
    },
    handlers: {
      say: () => undefined,
      // Nothing is checked by a schema here.
      shout: (text: unknown) => String(text).toUpperCase(),
      async *both(_input, items) {
        for await (const item of items) yield item;
      },
    },
  });
  const serves = async (): Promise<void> => {
    const session = await connectSession(target, server.localAddress, { handlers: { ask: (text) => text } });
    assert.equal(await session.remote.shout("hola"), "HOLA");
    await session.close({ timeoutMs: 0 });
    assert.ok(server.stats.sessions <= MAX_SESSIONS, `${server.stats.sessions} sessions`);
  };
  for (let round = 0; round < rounds; round += 1) {
    await attack(server.localAddress.port, random);
    if (round % CHECK_EVERY === 0) await serves();
  }
  await serves();
  await server.close({ timeoutMs: 0 });
  const { sessions, detached, unauthenticated, heldBytes, listener } = server.stats;
  assert.deepEqual([sessions, detached, unauthenticated, heldBytes, listener.open], [0, 0, 0, 0, 0]);
  assert.deepEqual(foreign, []);
  return codes;
}
