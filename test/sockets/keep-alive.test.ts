/** What the kernel is told about keep-alive: whole seconds, and nothing that it would ignore. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { connect, listen, type Network, nodeNetwork, pair, UsageError } from "../../src/index.ts";

/** The kernel's network, which notes what its connections are told. */
function noting(told: (readonly [on: boolean, idleMs: number])[]): Network {
  const { sockets } = nodeNetwork;
  return {
    ...nodeNetwork,
    sockets: {
      ...sockets,
      connect: async (target, options) => {
        const transport = await sockets.connect(target, options);
        const setKeepAlive = transport.setKeepAlive.bind(transport);
        transport.setKeepAlive = (on, idleMs) => {
          told.push([on, idleMs]);
          setKeepAlive(on, idleMs);
        };
        return transport;
      },
    },
  };
}

test("the idle time is rounded up to whole seconds; 0 is the system's default", async () => {
  await using listener = await listen("tcp://127.0.0.1:0");
  const told: (readonly [boolean, number])[] = [];
  const call = await connect(listener.localAddress, { network: noting(told) });
  for (const idleMs of [0.5, 500, 1000, 1001, 32_766_001, 32_767_000, 0, undefined])
    call.tcp.setKeepAlive(true, idleMs);
  call.tcp.setKeepAlive(false);
  assert.deepEqual(told, [
    [true, 1000],
    [true, 1000],
    [true, 1000],
    [true, 2000],
    [true, 32_767_000],
    [true, 32_767_000],
    [true, 0],
    [true, 0],
    [false, 0],
  ]);
  call.abort();
});

test("what the system cannot do is refused", () => {
  const [left, right] = pair();
  for (const idleMs of [32_767_001, 32_768_000, Number.POSITIVE_INFINITY, -1, Number.NaN]) {
    assert.throws(
      () => left.tcp.setKeepAlive(true, idleMs),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.deepEqual([error.code, error.op], ["OPTION_INVALID", "setKeepAlive"]);
        assert.match(error.detail, /^idleMs must be a number of milliseconds up to 32767000, or 0 for .*, not /);
        return true;
      },
    );
  }
  left.abort();
  right.abort();
});

test("the kernel has the time", async (t) => {
  await using listener = await listen("tcp://127.0.0.1:0");
  const call = await connect(listener.localAddress);
  const timer = (): string => {
    const lines = execFileSync("ss", ["-tnoH", "src", call.localAddress.hostPort], { encoding: "utf8" });
    return /keepalive,([^,]+)/.exec(lines)?.[1] ?? "";
  };
  try {
    timer();
  } catch {
    t.skip("there is no ss");
    return;
  }
  // What is left of the time, which has begun to run.
  for (const [idleMs, left] of [
    [500, /^(?:1sec|\d+ms)$/],
    [32_767_000, /^(?:9h|54\dmin)/],
  ] as const) {
    call.tcp.setKeepAlive(true, idleMs);
    assert.match(timer(), left);
  }
  call.abort();
});
