/** Peers that reset, at every moment of a connection's life. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type StreamSocket, ZocaloError } from "../../src/index.ts";
import { Listener, kinds } from "./listeners.ts";
import { nothingEscapes } from "./escapes.ts";
import { gate } from "../fixtures/gate.ts";

const ROUNDS = 10;

nothingEscapes();

/** A moment at which a peer goes away, and without a goodbye. */
type Moment = (listener: Listener, leave: (socket: Socket) => void) => Promise<void>;

const MOMENTS: Readonly<Record<string, Moment>> = {
  "before it said anything": async (listener, leave) => leave(await listener.knock()),
  "in the middle of its first bytes": async (listener, leave) => {
    const socket = await listener.knock();
    socket.write(listener.kind.proxy ? "PROXY TC" : Buffer.from("160301", "hex"));
    await nextTurn();
    leave(socket);
  },
  "in the middle of a line": async (listener, leave) => {
    const { stream, socket } = await listener.enter();
    stream.write("ho");
    await nextTurn();
    leave(socket);
  },
  "with its answer unread": async (listener, leave) => {
    const { stream, socket } = await listener.enter();
    stream.write("hola\n".repeat(100));
    await once(stream, "readable");
    leave(socket);
  },
  "behind its end": async (listener, leave) => {
    const { stream, socket } = await listener.enter();
    stream.end("hola\n");
    await once(stream, "finish");
    leave(socket);
  },
};

for (const kind of kinds) {
  for (const [moment, happens] of Object.entries(MOMENTS)) {
    test(`${kind.name}: a peer that is gone ${moment}`, async () => {
      const listener = await Listener.open(kind);
      const ways = kind.transport === "unix" ? ["destroy"] : ["resetAndDestroy", "destroy"];
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const way of ways as ("resetAndDestroy" | "destroy")[])
          await happens(listener, (socket) => void socket[way]());
      }
      await listener.serves();
      await listener.closes();
      for (const error of listener.thrown) assert.ok(error instanceof ZocaloError, String(error));
      const { accepted, refused } = listener.server.stats;
      const turnedAway = Object.values(refused).reduce((sum, count) => sum + count, 0);
      // A connection that is gone before it was accepted is nobody's.
      assert.ok(accepted + turnedAway <= ROUNDS * ways.length + 1);
      assert.ok(accepted >= 1);
    });
  }

  test(`${kind.name}: a peer that resets while it is written to`, async () => {
    const ends: unknown[] = [];
    const listener = await Listener.open(kind, {
      handler: async (peer) => {
        await peer.readUntil("\n");
        try {
          for (;;) await peer.write(Buffer.alloc(100_000));
        } catch (error) {
          ends.push((error as ZocaloError).code);
        }
      },
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      const { stream, socket } = await listener.enter();
      stream.write("more\n");
      await once(stream, "readable");
      if (kind.transport === "unix") socket.destroy();
      else socket.resetAndDestroy();
    }
    await listener.closes();
    assert.deepEqual(ends, Array<string>(ROUNDS).fill("CONNECTION_RESET"));
    assert.deepEqual(listener.thrown, []);
  });

  test(`${kind.name}: all calls of a connection end when the peer resets`, {
    skip: kind.transport === "unix",
  }, async () => {
    const { open: told, opened: outcomes } = gate<readonly PromiseSettledResult<unknown>[]>();
    const { open: busy, opened: inside } = gate<StreamSocket>();
    const listener = await Listener.open(kind, {
      handler: async (peer) => {
        const calls = [
          peer.read(),
          peer.readExactly(10),
          peer.readUntil("\n"),
          peer.readInto(Buffer.alloc(10)),
          peer.write(Buffer.alloc(15 * 1_048_576)),
          peer.write("behind it"),
          peer.end(),
        ];
        busy(peer);
        told(await Promise.allSettled(calls));
      },
    });
    const { socket } = await listener.enter();
    await inside;
    socket.resetAndDestroy();
    for (const outcome of await outcomes) {
      assert.equal(outcome.status, "rejected");
      assert.equal((outcome.reason as ZocaloError).code, "CONNECTION_RESET");
    }
    await listener.closes();
  });
}
