/** The listener suite: one handler for each connection (docs/semantics.md, rule A9). */

import assert from "node:assert/strict";
import { type ConnectionError, ZocaloError } from "../../core/errors.ts";
import type { Peer } from "../../io/listener/public.ts";
import type { StreamSocket } from "../../io/stream/public.ts";
import { greet, patternBytes, PatternCheck, sendPattern, signal, textToEnd } from "../stream/check.ts";
import type { ListenerChecks, ListenerScene } from "./scene.ts";

/** `serve`: what becomes of a connection when its handler ends, fails, or loses it. */
export const serveChecks: ListenerChecks = {
  async "each connection has its own handler, and is closed when that returns"(scene) {
    const server = await scene.serve(async (peer) => {
      const name = await peer.readUntil("\n");
      await peer.write(`hola ${String(name)}`);
    });
    const calls = Array.from({ length: 20 }, async (_, index) => {
      const called = await scene.connect(server);
      await called.write(`${index}\n`);
      assert.equal(await textToEnd(called), `hola ${index}\n`);
      await called.close();
    });
    await Promise.all(calls);
    assert.equal(server.stats.accepted, 20);
    await server.close();
    assert.deepEqual([server.stats.open, server.peers.size], [0, 0]);
  },

  async "the last answer arrives although the question was not read"(scene) {
    const server = await scene.serve((peer) => sendPattern(peer, 200_000, 50_000));
    const called = await scene.connect(server);
    const question = called.write(patternBytes(0, 100_000));
    const received = new PatternCheck();
    for await (const piece of called) received.next(piece);
    assert.equal(received.bytes, 200_000);
    await question;
  },

  async "a handler may return at once, and may not keep the connection"(scene) {
    const kept = signal<Peer>();
    const server = await scene.serve((peer) => kept.resolve(peer));
    const called = await scene.connect(server);
    assert.equal(await called.read(), null);
    await called.close();
    const peer = await kept.promise;
    assert.equal((await peer.closed).how, "closed");
    await assert.rejects(peer.write("late"), { code: "CLOSED" });
  },

  async "a handler that throws has its connection reset, and onError is told; no other is touched"(scene) {
    const told: [unknown, Peer | undefined][] = [];
    const failures = { sync: new Error("sync"), async: new TypeError("async"), odd: "not an error" };
    const server = await scene.serve(
      (peer) => {
        const work = async (): Promise<void> => {
          const order = String(await peer.readUntil("\n")).trim();
          if (order === "async") throw failures.async;
          if (order === "odd") throw failures.odd as unknown as Error;
          await peer.write(order);
          await work();
        };
        if (server.stats.accepted === 1) throw failures.sync;
        return work();
      },
      { onError: (error, peer) => void told.push([error, peer]) },
    );
    await lost(scene, scene.connect(server));
    const bystander = await scene.connect(server);
    for (const order of ["async", "odd"]) {
      const called = await scene.connect(server);
      await called.write(`${order}\n`);
      await lost(scene, Promise.resolve(called));
      await bystander.write("alive\n");
      assert.equal(String(await bystander.readExactly(5)), "alive");
    }
    assert.deepEqual(
      told.map(([error]) => error),
      [failures.sync, failures.async, failures.odd],
    );
    for (const [error, peer] of told) {
      assert.ok(peer);
      const { how, error: end } = await peer.closed;
      assert.deepEqual([how, end?.cause], ["aborted", error]);
    }
  },

  async "an onError that throws harms nobody"(scene) {
    const server = await scene.serve(
      () => {
        throw new Error("of the handler");
      },
      {
        onError: () => {
          throw new Error("of onError");
        },
      },
    );
    await lost(scene, scene.connect(server));
    await lost(scene, scene.connect(server));
    assert.equal(server.stats.accepted, 2);
  },

  async "without onError nothing becomes an unhandled rejection"(scene) {
    const server = await scene.serve(async (peer) => {
      await peer.readExactly(1);
      throw new Error("nobody hears this");
    });
    const called = await scene.connect(server);
    await called.write("x");
    await lost(scene, Promise.resolve(called));
    assert.equal(server.stats.open, 0);
  },

  async "the loss of a connection aborts peer.signal, whose reason says what happened"(scene) {
    const seen = signal<ConnectionError>();
    const ready = signal();
    const server = await scene.serve(async (peer) => {
      await Promise.all([peer.write("b"), peer.readExactly(1)]);
      const over = new Promise<void>((resolve) => {
        peer.signal.addEventListener("abort", () => resolve());
      });
      ready.resolve();
      if (!scene.traits.reset) await peer.read().then(() => peer.abort());
      await over;
      seen.resolve(peer.signal.reason as ConnectionError);
    });
    const called = await scene.connect(server);
    await Promise.all([called.write("a"), called.readExactly(1), ready.promise]);
    called.abort();
    const { code } = await seen.promise;
    assert.equal(code, scene.traits.reset ? "CONNECTION_RESET" : "CONNECTION_ABORTED");
  },

  async "a detached connection outlives its handler and its server"(scene) {
    const kept = signal<StreamSocket>();
    const server = await scene.serve((peer) => kept.resolve(peer.detach()));
    const called = await scene.connect(server);
    const peer = await kept.promise;
    await greet(called, peer);
    assert.equal(server.peers.size, 0);
    assert.deepEqual((await server.close()).cut, 0);
    await greet(called, peer);
    await server.close({ timeoutMs: 0 });
    await greet(called, peer);
    assert.equal(server.stats.open, 1);
    peer.abort();
    assert.equal(server.stats.open, 0);
  },

  async "a connection that is detached while its handler runs is not cut, and not aborted when that fails"(scene) {
    const kept = signal<StreamSocket>();
    const fail = signal();
    const told = signal<unknown>();
    const handler = async (peer: Peer): Promise<void> => {
      kept.resolve(peer.detach());
      await fail.promise;
      throw new Error("after detach");
    };
    const server = await scene.serve(handler, { onError: told.resolve });
    const called = await scene.connect(server);
    const peer = await kept.promise;
    assert.deepEqual((await server.close({ timeoutMs: 0 })).cut, 0);
    fail.resolve();
    assert.match(String(await told.promise), /after detach/);
    await greet(called, peer);
    peer.abort();
  },
};

/** Fails unless the connection is reset, or has ended where there is no reset. */
async function lost(scene: ListenerScene, connecting: Promise<StreamSocket>): Promise<void> {
  // The reset may come even before `connect` has an answer.
  const outcome = await connecting.then(textToEnd).catch((error: unknown) => error);
  if (!scene.traits.reset) return;
  assert.ok(outcome instanceof ZocaloError && outcome.code === "CONNECTION_RESET", `not reset: ${String(outcome)}`);
}
