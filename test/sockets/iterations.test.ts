/**
 * Everything that can be iterated over: `return`, which `break` calls, ends a step that waits, at once, and that step takes
 * nothing away from whoever asks next.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable } from "node:stream";
import { test } from "node:test";
import { bind, connect, listen, pair, type StreamSocket } from "../../src/index.ts";
import { lines } from "../../src/framing.ts";
import { contract, connectSession, serveSessions, type SessionStream, stream, typeOnly } from "../../src/protocol.ts";
import { gate } from "../fixtures/gate.ts";

/** Something to iterate over. */
interface Source extends AsyncDisposable {
  iterate(): AsyncIterableIterator<unknown, unknown>;
  /** Lets one more thing arrive, and waits until it is there where that can be known. */
  produce(): Promise<unknown>;
  /** A call that takes the next thing; undefined where there is none. */
  readonly take?: () => Promise<unknown>;
}

function disposed<T extends object>(source: T, ...closers: readonly (() => unknown)[]): T & AsyncDisposable {
  const dispose = async (): Promise<void> => {
    for (const close of closers) await close();
  };
  return Object.assign(source, { [Symbol.asyncDispose]: dispose });
}

async function ofConnection(): Promise<Source> {
  const listener = await listen("tcp://127.0.0.1:0");
  const [call, peer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
  const source = {
    iterate: () => call[Symbol.asyncIterator](),
    produce: () => peer.write("x"),
    take: () => call.read(),
  };
  return disposed(
    source,
    () => call.abort(),
    () => peer.abort(),
    () => listener.close(),
  );
}

async function ofPair(): Promise<Source> {
  const [near, far] = pair();
  const source = {
    iterate: () => near[Symbol.asyncIterator](),
    produce: () => far.write("x"),
    take: () => near.read(),
  };
  return disposed(source, () => near.abort());
}

async function ofListener(): Promise<Source> {
  const listener = await listen("tcp://127.0.0.1:0");
  const calls: StreamSocket[] = [];
  const source = {
    iterate: () => listener[Symbol.asyncIterator](),
    produce: async () => calls.push(await connect(listener.localAddress)),
    take: () => listener.accept(),
  };
  return disposed(
    source,
    () => listener.close(),
    () => {
      for (const call of calls) call.abort();
    },
  );
}

async function ofFramed(batches: boolean): Promise<Source> {
  const [near, far] = pair();
  const text = near.framed(lines());
  const source = {
    iterate: () => (batches ? text.batches() : text[Symbol.asyncIterator]()),
    produce: () => far.write("x\n"),
    take: () => text.receive(),
  };
  return disposed(source, () => text.abort());
}

async function ofDatagramSocket(framed: boolean, batches: boolean): Promise<Source> {
  const box = await bind("udp://127.0.0.1:0");
  const friend = await bind("udp://127.0.0.1:0");
  const inbox = framed ? box.framed(lines()) : box;
  const source = {
    iterate: () => (batches ? inbox.batches() : inbox[Symbol.asyncIterator]()),
    produce: () => friend.send("x\n", box.localAddress),
    take: () => inbox.receive(),
  };
  return disposed(
    source,
    () => box.close(),
    () => friend.close(),
  );
}

const items = contract("items", "1.0.0", {
  server: { both: stream({ sends: typeOnly<string>(), receives: typeOnly<string>() }) },
});

/** A stream of a session, at the side that opened it or at the side that offers it. */
async function ofStream(offered: boolean): Promise<Source> {
  const { open: over, opened: end } = gate();
  const { open: taken, opened: atServer } = gate<SessionStream<string, string>>();
  const server = await serveSessions(items, "tcp://127.0.0.1:0", {
    handlers: {
      both: async (_request, own) => {
        taken(own);
        await end;
      },
    },
  });
  const session = await connectSession(items, server.localAddress);
  const atClient = session.remote.both();
  const [near, far] = offered ? [await atServer, atClient] : [atClient, await atServer];
  const source = {
    iterate: () => near[Symbol.asyncIterator](),
    produce: async () => await far.send("x"),
    // Who leaves the loop over the items of a stream that it opened gives the stream up.
    ...(offered ? { take: () => near[Symbol.asyncIterator]().next() } : {}),
  };
  return disposed(
    source,
    over,
    () => session.abort(),
    () => server.close({ timeoutMs: 0 }),
  );
}

const SOURCES: Readonly<Record<string, () => Promise<Source>>> = {
  "the bytes of a connection": ofConnection,
  "the bytes of a pair": ofPair,
  "the connections of a listener": ofListener,
  "messages of a connection": () => ofFramed(false),
  "batches of messages of a connection": () => ofFramed(true),
  "datagrams of a datagram socket": () => ofDatagramSocket(false, false),
  "batches of datagrams": () => ofDatagramSocket(false, true),
  "messages of a datagram socket": () => ofDatagramSocket(true, false),
  "batches of messages of a datagram socket": () => ofDatagramSocket(true, true),
  "items of a stream that was opened": () => ofStream(false),
  "items of a stream that is offered": () => ofStream(true),
};
const DONE = { done: true, value: undefined };

for (const [name, open] of Object.entries(SOURCES)) {
  test(`${name}: return ends the step that waits, and takes nothing away`, async () => {
    await using source = await open();
    const iterator = source.iterate();
    const waiting = iterator.next();
    const { take } = source;
    if (take !== undefined) {
      const left = iterator.return?.();
      await source.produce();
      assert.notEqual(await take(), null);
      assert.deepEqual(await left, DONE);
    } else assert.deepEqual(await iterator.return?.(), DONE);
    assert.deepEqual(await waiting, DONE);
    assert.deepEqual(await iterator.next(), DONE);
    assert.deepEqual(await iterator.return?.(), DONE);
  });

  test(`${name}: return of one loop leaves another one alone`, async () => {
    await using source = await open();
    const { take } = source;
    if (take === undefined) return;
    const first = source.iterate();
    const waiting = [first.next()];
    // Batches go to one at a time.
    const second = name.startsWith("batches of messages of a connection") ? undefined : source.iterate();
    const other = second?.next();
    if (second !== undefined) waiting.push(first.next());
    assert.deepEqual(await first.return?.(), DONE);
    for (const step of waiting) assert.deepEqual(await step, DONE);
    await source.produce();
    if (other === undefined) assert.notEqual(await take(), null);
    else assert.equal((await other).done, false);
    await source.produce();
    assert.notEqual(await take(), null);
  });

  test(`${name}: throw ends it as return does; what has arrived comes first`, async () => {
    await using source = await open();
    const iterator = source.iterate();
    const first = iterator.next();
    await source.produce();
    assert.equal((await first).done, false);
    const reason = new Error("enough");
    const waiting = iterator.next();
    await assert.rejects(async () => await iterator.throw?.(reason), reason);
    assert.deepEqual(await waiting, DONE);
    assert.deepEqual(await iterator.next(), DONE);
  });

  test(`${name}: a Node stream over it can be destroyed while it waits`, async () => {
    await using source = await open();
    const readable = Readable.from({ [Symbol.asyncIterator]: () => source.iterate() });
    const closed = once(readable, "close");
    readable.read();
    await new Promise((resolve) => setImmediate(resolve));
    readable.destroy();
    await closed;
    const { take } = source;
    if (take === undefined) return;
    await source.produce();
    assert.notEqual(await take(), null);
  });
}
