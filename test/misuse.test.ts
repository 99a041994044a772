/** Wrong arguments from programs without types: an error of the call, never one in the middle of an event. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, connect, pair, type PeerHandler, serve, serveDatagrams, ZocaloError } from "../src/index.ts";

/** What a program without types would pass. */
function untyped<T>(value: unknown): T {
  return value as T;
}

const invalid = { code: "OPTION_INVALID" };

test("a signal that is none, and a time-out that is no number, are refused by the call", async () => {
  const [left, right] = pair();
  for (const signal of [null, {}, "soon", 5]) {
    await assert.rejects(right.read({ signal: untyped(signal) }), invalid);
    await assert.rejects(left.write("x", { signal: untyped(signal) }), invalid);
    await assert.rejects(connect("tcp://127.0.0.1:1", { signal: untyped(signal) }), invalid);
  }
  for (const timeoutMs of [null, "5", {}, true]) {
    await assert.rejects(right.read({ timeoutMs: untyped(timeoutMs) }), invalid);
  }
  left.abort();
});

test("readInto refuses what is no bytes, and the bytes stay", async () => {
  const [left, right] = pair();
  for (const target of [null, "text", 5, new ArrayBuffer(4)]) {
    await assert.rejects(right.readInto(untyped(target)), invalid);
    const first = right.readExactly(1);
    const second = right.readInto(untyped(target));
    await left.write("ab");
    assert.equal((await first).toString(), "a");
    await assert.rejects(second, invalid);
    assert.equal((await right.readExactly(1)).toString(), "b");
  }
  left.abort();
});

test("a server without a handler is refused before it listens", async () => {
  await assert.rejects(serve("tcp://127.0.0.1:0", untyped(undefined)), invalid);
});

test("an onError that is an async function and rejects is no unhandled rejection", async () => {
  const told: unknown[] = [];
  const failing: PeerHandler = () => {
    throw new Error("handler");
  };
  await using server = await serve("tcp://127.0.0.1:0", failing, {
    onError: untyped(async (error: unknown) => {
      told.push(error);
      await Promise.resolve();
      throw new Error("onError");
    }),
  });
  // The reset may be there before connect has seen that it succeeded.
  const call = connect(server.localAddress).then((socket) => socket.read());
  await assert.rejects(call, ZocaloError);
  assert.equal(told.length, 1);
});

test("the same for datagrams", async () => {
  await assert.rejects(serveDatagrams("udp://127.0.0.1:0", untyped(undefined)), invalid);
  let told = (): void => undefined;
  const once = new Promise<void>((resolve) => {
    told = resolve;
  });
  const failing = (): never => {
    throw new Error("handler");
  };
  await using server = await serveDatagrams("udp://127.0.0.1:0", failing, {
    onError: untyped(async () => {
      told();
      await Promise.resolve();
      throw new Error("onError");
    }),
  });
  await using box = await bind("udp://127.0.0.1:0");
  await box.send("x", server.localAddress);
  await once;
});
