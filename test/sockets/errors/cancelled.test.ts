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

interface Operation {
  readonly op: string;
  /** The name that the call has in its errors, where it is another one. */
  readonly named?: string;
  /** It cannot be ended by a signal once it waits, because it never waits long enough here. */
  readonly pends?: boolean;
  readonly begin: (scene: Scene) => Promise<(options: OperationOptions) => Promise<unknown>>;
}

const caller = async (scene: Scene) => (await tcpPair(scene))[0];
const box = async (scene: Scene) => scene.keep(await bind("udp://127.0.0.1:0"));

const operations: readonly Operation[] = [
  {
    op: "connect",
    begin: async (scene) => {
      const listener = scene.keep(await listen("tcp://127.0.0.1:0"));
      return async (options) => scene.keep(await connect(listener.localAddress, options));
    },
  },
  { op: "listen", begin: async (scene) => async (options) => scene.keep(await listen("tcp://127.0.0.1:0", options)) },
  {
    op: "serve",
    begin: async (scene) => async (options) => scene.keep(await serve("tcp://127.0.0.1:0", () => undefined, options)),
  },
  { op: "bind", begin: async (scene) => async (options) => scene.keep(await bind("udp://127.0.0.1:0", options)) },
  {
    op: "serveDatagrams",
    begin: async (scene) => async (options) =>
      scene.keep(await serveDatagrams("udp://127.0.0.1:0", () => undefined, options)),
  },
  {
    op: "accept",
    pends: true,
    begin: async (scene) => {
      const listener = scene.keep(await listen("tcp://127.0.0.1:0"));
      return (options) => listener.accept(options);
    },
  },
  {
    op: "read",
    pends: true,
    begin: async (scene) => {
      const call = await caller(scene);
      return (o) => call.read(o);
    },
  },
  {
    op: "readInto",
    pends: true,
    begin: async (scene) => {
      const call = await caller(scene);
      return (o) => call.readInto(new Uint8Array(4), o);
    },
  },
  {
    op: "readExactly",
    pends: true,
    begin: async (scene) => {
      const call = await caller(scene);
      return (o) => call.readExactly(4, o);
    },
  },
  {
    op: "readUntil",
    pends: true,
    begin: async (scene) => {
      const call = await caller(scene);
      return (o) => call.readUntil("\n", o);
    },
  },
  {
    op: "write",
    begin: async (scene) => {
      const call = await caller(scene);
      return (o) => call.write("x", o);
    },
  },
  {
    op: "end",
    begin: async (scene) => {
      const call = await caller(scene);
      return (o) => call.end(o);
    },
  },
  {
    op: "close",
    begin: async (scene) => {
      const call = await caller(scene);
      return (o) => call.close(o);
    },
  },
  {
    op: "startTls",
    pends: true,
    begin: async (scene) => {
      const call = await caller(scene);
      return (o) => call.startTls({ role: "client", ...o });
    },
  },
  {
    op: "framed receive",
    named: "receive",
    pends: true,
    begin: async (scene) => {
      const text = (await caller(scene)).framed(lines());
      return (o) => text.receive(o);
    },
  },
  {
    op: "framed send",
    named: "send",
    begin: async (scene) => {
      const text = (await caller(scene)).framed(lines());
      return (o) => text.send("x", o);
    },
  },
  {
    op: "framed flush",
    named: "flush",
    begin: async (scene) => {
      const text = (await caller(scene)).framed(lines());
      return (o) => text.flush(o);
    },
  },
  {
    op: "framed close",
    named: "close",
    begin: async (scene) => {
      const text = (await caller(scene)).framed(lines());
      return (o) => text.close(o);
    },
  },
  {
    op: "receive",
    pends: true,
    begin: async (scene) => {
      const one = await box(scene);
      return (o) => one.receive(o);
    },
  },
  {
    op: "receiveMany",
    pends: true,
    begin: async (scene) => {
      const one = await box(scene);
      return (o) => one.receiveMany(9, o);
    },
  },
  {
    op: "send",
    begin: async (scene) => {
      const one = await box(scene);
      return (o) => one.send("x", one.localAddress, o);
    },
  },
  {
    op: "sendMany",
    begin: async (scene) => {
      const one = await box(scene);
      return (o) => one.sendMany([{ data: "x", to: one.localAddress }], o);
    },
  },
  {
    op: "datagram socket close",
    named: "close",
    begin: async (scene) => {
      const one = await box(scene);
      return (o) => one.close(o);
    },
  },
];

for (const { op, named = op, pends = false, begin } of operations) {
  describe(`${op}: signal and timeoutMs`, () => {
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
        op: named,
        side: "system",
        outcome: "none",
      });
    });
    test("a wrong time-out and a wrong signal are refused", async (context) => {
      const run = await begin(sceneOf(context));
      const expected = { code: "OPTION_INVALID", type: UsageError, op: named, side: "local" } as const;
      await expectError(run({ timeoutMs: -1 }), expected);
      await expectError(run({ timeoutMs: Number.NaN }), expected);
      await expectError(run({ signal: {} as AbortSignal }), expected);
    });
    if (!pends) return;
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
      await expectError(run({ timeoutMs: 1 }), { code: "TIMEOUT", type: TimeoutError, op: named });
    });
  });
}
