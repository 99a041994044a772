/** Each operation that takes `{ signal, timeoutMs }`: an aborted signal, no time, wrong options. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lines } from "../../../src/framing.ts";
import {
  bind,
  connect,
  listen,
  type OperationOptions,
  serve,
  serveDatagrams,
  TimeoutError,
  UsageError,
} from "../../../src/index.ts";
import { expectError, reasonOf } from "../../../src/testing/expect-error.ts";
import { type Scene, sceneOf, tcpPair } from "./row.ts";

type Run = (options: OperationOptions) => Promise<unknown>;
type Begin = (scene: Scene) => Promise<Run>;

/** A call of what `make` opens. */
function of<T>(
  make: (scene: Scene) => Promise<T>,
  call: (made: T, options: OperationOptions) => Promise<unknown>,
): Begin {
  return async (scene) => {
    const made = await make(scene);
    return (options) => call(made, options);
  };
}

/** A call that opens something. */
function opening(open: (options: OperationOptions) => Promise<AsyncDisposable>): Begin {
  return async (scene) => async (options) => scene.keep(await open(options));
}

const TCP = "tcp://127.0.0.1:0";
const UDP = "udp://127.0.0.1:0";
const listener = async (scene: Scene) => scene.keep(await listen(TCP));
const caller = async (scene: Scene) => (await tcpPair(scene))[0];
const text = async (scene: Scene) => (await caller(scene)).framed(lines());
const box = async (scene: Scene) => scene.keep(await bind(UDP));

/** Calls that wait until a signal ends them. The last word is the name that they have in their errors. */
const pending: Readonly<Record<string, Begin>> = {
  accept: of(listener, (one, o) => one.accept(o)),
  read: of(caller, (call, o) => call.read(o)),
  readInto: of(caller, (call, o) => call.readInto(new Uint8Array(4), o)),
  readExactly: of(caller, (call, o) => call.readExactly(4, o)),
  peek: of(caller, (call, o) => call.peek(4, o)),
  expect: of(caller, (call, o) => call.expect(/^220 /, o)),
  readUntil: of(caller, (call, o) => call.readUntil("\n", o)),
  startTls: of(caller, (call, o) => call.startTls({ role: "client", ...o })),
  "framed receive": of(text, (messages, o) => messages.receive(o)),
  receive: of(box, (one, o) => one.receive(o)),
  receiveMany: of(box, (one, o) => one.receiveMany(9, o)),
};

/** Calls that never wait long enough here. */
const brief: Readonly<Record<string, Begin>> = {
  connect: async (scene) => {
    const { localAddress } = await listener(scene);
    return await opening((o) => connect(localAddress, o))(scene);
  },
  listen: opening((o) => listen(TCP, o)),
  serve: opening((o) => serve(TCP, () => undefined, o)),
  bind: opening((o) => bind(UDP, o)),
  serveDatagrams: opening((o) => serveDatagrams(UDP, () => undefined, o)),
  write: of(caller, (call, o) => call.write("x", o)),
  end: of(caller, (call, o) => call.end(o)),
  close: of(caller, (call, o) => call.close(o)),
  "framed send": of(text, (messages, o) => messages.send("x", o)),
  "framed flush": of(text, (messages, o) => messages.flush(o)),
  "framed close": of(text, (messages, o) => messages.close(o)),
  send: of(box, (one, o) => one.send("x", one.localAddress, o)),
  sendMany: of(box, (one, o) => one.sendMany([{ data: "x", to: one.localAddress }], o)),
  "datagram socket close": of(box, (one, o) => one.close(o)),
};

for (const [name, begin] of Object.entries({ ...pending, ...brief })) {
  describe(`${name}: signal and timeoutMs`, () => {
    const op = name.split(" ").at(-1);
    test("an aborted signal rejects with its own reason, whatever that is", async (context) => {
      const run = await begin(sceneOf(context));
      for (const reason of [new Error("enough"), "a text", 0]) {
        assert.equal(await reasonOf(run({ signal: AbortSignal.abort(reason) })), reason);
      }
    });
    test("no time gives TIMEOUT, and nothing was done", async (context) => {
      const run = await begin(sceneOf(context));
      await expectError(run({ timeoutMs: 0 }), {
        code: "TIMEOUT",
        type: TimeoutError,
        op,
        side: "system",
        outcome: "none",
      });
    });
    test("a wrong time-out and a wrong signal are refused", async (context) => {
      const run = await begin(sceneOf(context));
      const expected = { code: "OPTION_INVALID", type: UsageError, op, side: "local" } as const;
      await expectError(run({ timeoutMs: -1 }), expected);
      await expectError(run({ timeoutMs: Number.NaN }), expected);
      await expectError(run({ signal: {} as AbortSignal }), expected);
    });
    if (!(name in pending)) return;
    test("a signal that is aborted while the call waits rejects with its own reason", async (context) => {
      const run = await begin(sceneOf(context));
      const controller = new AbortController();
      const reason = new Error("enough");
      const waiting = reasonOf(run({ signal: controller.signal }));
      controller.abort(reason);
      assert.equal(await waiting, reason);
    });
    test("time that runs out while the call waits gives TIMEOUT", async (context) => {
      const run = await begin(sceneOf(context));
      await expectError(run({ timeoutMs: 1 }), { code: "TIMEOUT", type: TimeoutError, op });
    });
  });
}
