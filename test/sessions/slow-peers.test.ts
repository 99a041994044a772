/* A peer that takes bytes slowly and says nothing meanwhile, as one that knows no signs: bytes that leave are signs too. */

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { nodeNetwork } from "../../src/index.ts";
import { DEFAULT_LIMITS } from "../../src/core/handshake/limits.ts";
import { bytes, contract, event } from "../../src/protocol.ts";
import { ManualClock } from "../../src/testing.ts";
import { atEnd, connectSession } from "./opened.ts";
import { RawClient } from "./raw-client.ts";

const MIB = 1_048_576;
const HEARTBEAT_MS = 1000;
const parcels = contract("parcels", "1.0.0", { server: { put: event(bytes) } });

test("a peer that takes a message in small pieces is not given up while it does, and is when it stops", async () => {
  const clock = new ManualClock(nodeNetwork.clock);
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  atEnd(() => listener.close());
  const accepted = once(listener, "connection") as Promise<[net.Socket]>;
  // As much more than the kernel has room for as is needed for some heartbeats.
  const limits = { ...DEFAULT_LIMITS, maxMessageBytes: 64 * MIB, windowBytes: 64 * MIB, heartbeatMs: HEARTBEAT_MS };
  const opening = connectSession(parcels, `tcp://127.0.0.1:${(listener.address() as net.AddressInfo).port}`, {
    network: { ...nodeNetwork, clock },
    timeouts: { heartbeatMs: HEARTBEAT_MS },
    reconnect: false,
  });
  const [socket] = await accepted;
  await new RawClient(socket).welcome({ offers: ["put"], limits });
  const session = await opening;
  socket.removeAllListeners("data");
  socket.pause();
  await session.remote.put(Buffer.alloc(48 * MIB));
  let taken = 0;
  const take = async (wanted: number): Promise<void> => {
    for (const end = taken + wanted; taken < end; await nextTurn())
      taken += (socket.read() as Buffer | null)?.length ?? 0;
    // What has become free is filled again.
    for (let turn = 0; turn < 100; turn += 1) await nextTurn();
  };
  for (let beat = 0; beat < 12; beat += 1) {
    await take(3 * MIB);
    await clock.advance(HEARTBEAT_MS / 2);
    assert.equal(session.state, "open", `after ${taken} bytes`);
  }
  for (let beat = 0; session.state === "open"; beat += 1) {
    assert.ok(beat < 10, "it takes nothing any more");
    await clock.advance(HEARTBEAT_MS / 2);
  }
  assert.equal((await session.closed).error?.code, "SESSION_LOST");
  socket.destroy();
});
