/** The listener suite: connections come in, and the listener closes. */

import assert from "node:assert/strict";
import { ConnectError, ConnectionError, TimeoutError, UsageError, ZocaloError } from "../../core/errors.ts";
import { expectAborted, expectError, reasonOf } from "../expect-error.ts";
import { type ListenerChecks, ListenerScene } from "./scene.ts";
import { pending, SHORT_MS } from "../stream/check.ts";

/** `accept`, iteration, closing, and what cannot be opened. */
export const acceptChecks: ListenerChecks = {
  async "accept gives the connections that wait, and waits for the next"(scene) {
    const listener = await scene.listen();
    const called = await scene.connect(listener);
    const first = await listener.accept();
    await first.write("first");
    assert.equal(String(await called.readExactly(5)), "first");
    const waiting = [listener.accept(), listener.accept()];
    await scene.connect(listener);
    await scene.connect(listener);
    const peers = await Promise.all(waiting);
    assert.equal(new Set([first, ...peers]).size, 3);
    assert.deepEqual([listener.stats.accepted, listener.stats.open], [3, 3]);
    for (const peer of [first, ...peers]) peer.abort();
    assert.equal(listener.stats.open, 0);
  },

  async "200 connections at once are all accepted"(scene) {
    const listener = await scene.listen({ limits: { maxWaitingConnections: 200 } });
    const calls = Array.from({ length: 200 }, async (_, index) => {
      const called = await scene.connect(listener);
      await called.write(`${index}\n`);
    });
    const names = new Set<string>();
    while (names.size < 200) {
      const peer = await listener.accept();
      names.add(String(await peer.readUntil("\n")));
      peer.abort();
    }
    await Promise.all(calls);
  },

  async "iteration gives connections; break leaves the listener open; closing ends it"(scene) {
    const listener = await scene.listen();
    for (const round of ["one", "two"]) {
      const called = await scene.connect(listener);
      for await (const peer of listener) {
        await peer.write(round);
        assert.equal(String(await called.readExactly(3)), round);
        break;
      }
    }
    const ending = (async () => {
      for await (const peer of listener) assert.fail(`nobody called: ${String(peer.remoteAddress)}`);
      return "over";
    })();
    await listener.close();
    assert.equal(await ending, "over");
  },

  async "connections: until ends the loop in order, signal and timeoutMs reject, and none is lost"(scene) {
    const listener = await scene.listen();
    const stop = new AbortController();
    const step = listener.connections({ until: stop.signal }).next();
    await expectAborted((signal) => listener.connections({ signal }).next());
    stop.abort();
    assert.deepEqual(await step, { done: true, value: undefined });
    await expectError(listener.connections({ timeoutMs: SHORT_MS }).next(), { code: "TIMEOUT", op: "accept" });
    await expectError(listener.connections({ timeoutMs: -1 }).next(), { code: "OPTION_INVALID", op: "accept" });
    await scene.connect(listener);
    for await (const peer of listener.connections({ until: stop.signal })) assert.fail(String(peer.remoteAddress));
    for await (const peer of listener.connections({ timeoutMs: 60_000 })) {
      peer.abort();
      break;
    }
    const last = listener.connections().next();
    await listener.close();
    assert.deepEqual(await last, { done: true, value: undefined });
  },

  async "an iteration that is given up does not take a connection away from others"(scene) {
    const listener = await scene.listen();
    const iterator = listener[Symbol.asyncIterator]();
    const steps = [iterator.next(), iterator.next()];
    const waiting = listener.accept();
    assert.deepEqual(await iterator.return?.(), { done: true, value: undefined });
    for (const step of steps) assert.deepEqual(await step, { done: true, value: undefined });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    await scene.connect(listener);
    const peer = await waiting;
    await scene.connect(listener);
    assert.notEqual(await listener.accept(), peer);
  },

  async "accept obeys time-outs and signals, at once where they say so, and loses no connection"(scene) {
    const listener = await scene.listen();
    const timeout = { code: "TIMEOUT", op: "accept", type: TimeoutError } as const;
    await expectError(listener.accept({ timeoutMs: 0 }), timeout);
    await expectError(listener.accept({ timeoutMs: SHORT_MS }), timeout);
    await expectError(listener.accept({ timeoutMs: -1 }), { code: "OPTION_INVALID", op: "accept", type: UsageError });
    const reason = new Error("no");
    assert.equal(await reasonOf(listener.accept({ signal: AbortSignal.abort(reason) })), reason);
    const cancelled = expectAborted((signal) => listener.accept({ signal }));
    const waiting = listener.accept();
    await cancelled;
    const called = await scene.connect(listener);
    const peer = await waiting;
    await peer.write("x");
    assert.equal(String(await called.read()), "x");
    assert.equal(listener.stats.accepted, 1);
  },

  async "closing rejects pending and later accepts with CLOSED; accepted connections live on"(scene) {
    const listener = await scene.listen();
    const [called, peer] = await scene.pair(listener);
    const waiting = [pending(listener.accept()), pending(listener.accept({ timeoutMs: 600_000 }))];
    await listener.close();
    await listener.closed;
    const closed = { code: "CLOSED", op: "accept", type: ConnectionError } as const;
    for (const accept of [...waiting, listener.accept()]) await expectError(accept, closed);
    await called.write("alive");
    assert.equal(String(await peer.readExactly(5)), "alive");
    await listener.close();
    const error = await expectError(scene.connect(listener), { code: scene.world.refusal, type: ConnectError });
    assert.equal((error as ConnectError).attempts.length, 1);
  },

  async "closing turns away the connections that wait"(scene) {
    const listener = await scene.listen();
    const [called] = await scene.pair(listener);
    const waiting = await scene.connect(listener);
    // The second one waits as soon as the first one is served: connections come in order.
    await called.write("x");
    await scene.until(() => listener.stats.open === 2);
    const outcome = waiting.read().catch((error: unknown) => error);
    await listener.close();
    const seen = await outcome;
    if (scene.traits.reset) assert.ok(seen instanceof ZocaloError && seen.code === "CONNECTION_RESET", String(seen));
    else assert.equal(seen, null);
    assert.equal(listener.stats.open, 1);
  },

  async "await using closes the listener"(scene) {
    const listener = await scene.listen();
    await (async () => {
      await using scoped = listener;
      await scene.pair(scoped);
    })();
    await expectError(listener.accept(), { code: "CLOSED" });
  },

  async "ref and unref leave the listener as it is"(scene) {
    const listener = await scene.listen();
    listener.interop.unref();
    listener.interop.ref();
    await scene.pair(listener);
  },

  async "an address that is in use is ADDRESS_IN_USE"(scene) {
    const listener = await scene.listen();
    const again = { ...scene.world, address: () => listener.localAddress };
    const other = new ListenerScene(again, scene.network);
    const error = await expectError(other.listen(), { code: "ADDRESS_IN_USE", op: "listen" });
    assert.equal(error.local, listener.localAddress.toString());
    await scene.pair(listener);
  },

  async "opening can be cancelled, and then nothing stays open"(scene) {
    const reason = new Error("no");
    assert.equal(await reasonOf(scene.listen({ signal: AbortSignal.abort(reason) })), reason);
    await expectError(scene.listen({ timeoutMs: 0 }), { code: "TIMEOUT", op: "listen", type: TimeoutError });
    await expectAborted((signal) => scene.listen({ signal }));
    await expectAborted((signal) => scene.serve(() => undefined, { signal }));
  },

  async "options that make no sense are refused, and nothing stays open"(scene) {
    const expected = { code: "OPTION_INVALID", type: UsageError } as const;
    for (const value of [-1, Number.NaN, 1.5]) {
      await expectError(scene.listen({ limits: { maxConnections: value } }), expected);
      await expectError(scene.listen({ limits: { maxWaitingConnections: value } }), expected);
      await expectError(scene.listen({ limits: { maxConnectionsPerAddress: value } }), expected);
    }
    for (const value of [0, -1, Number.NaN]) {
      for (const name of ["idleMs", "writeStallMs", "lifetimeMs", "handshakeMs"]) {
        const options = { timeouts: { [name]: value } };
        await expectError(
          name === "lifetimeMs" ? scene.serve(() => undefined, options) : scene.listen(options),
          expected,
        );
      }
      await expectError(scene.listen({ limits: { maxReadAheadBytes: value } }), expected);
    }
    const { transport } = (await scene.listen()).localAddress;
    for (const list of [["10.0.0.0/33"], ["localhost"]]) {
      const invalid = { code: "ADDRESS_INVALID", op: "listen", type: UsageError } as const;
      await expectError(scene.listen({ allow: list }), invalid);
      await expectError(scene.listen({ deny: list }), invalid);
      // On a Unix socket the option itself has no meaning.
      const code = transport === "unix" ? "OPTION_INVALID" : "ADDRESS_INVALID";
      await expectError(scene.listen({ proxyProtocol: { from: list } }), { ...invalid, code });
    }
  },
};
