import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectError, ConnectionError, type ErrorCode, UsageError } from "../../core/errors.ts";
import type { Backoff } from "../../core/options/backoff.ts";
import { expectError, reasonOf } from "../../testing/expect-error.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { pending } from "../../testing/stream/check.ts";
import type { Network } from "../network/network.ts";
import { mayMend, withRetry } from "./retry.ts";

/** Work that fails with `codes`, one after the other, and then succeeds. */
function trial(codes: readonly ErrorCode[], options: Backoff | undefined, drawn = 0.5) {
  const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
  const network = { clock, random: { next: () => drawn } } as unknown as Network;
  const controller = new AbortController();
  const startedAtMs: number[] = [];
  const work = async (): Promise<string> => {
    startedAtMs.push(clock.now());
    const code = codes[startedAtMs.length - 1];
    if (code === undefined) return "done";
    throw new ConnectError(code, { op: "connect" });
  };
  const result = pending(withRetry(network, options, controller.signal, work));
  return { clock, controller, startedAtMs, result };
}

test("without options there is one attempt", async () => {
  const { result, startedAtMs } = trial(["CONNECTION_REFUSED"], undefined);
  await expectError(result, { code: "CONNECTION_REFUSED" });
  assert.deepEqual(startedAtMs, [0]);
});

test("tries again while the server is not up, with pauses drawn below a doubling bound", async () => {
  const codes: readonly ErrorCode[] = [
    "CONNECTION_REFUSED",
    "PATH_NOT_FOUND",
    "NAME_NOT_FOUND",
    "CONNECTION_RESET",
    "HOST_UNREACHABLE",
    "NETWORK_UNREACHABLE",
  ];
  const { clock, result, startedAtMs } = trial(codes, { timeoutMs: 60_000 });
  await clock.advance(10_000);
  assert.equal(await result, "done");
  // Half of 100, 200, 400, 800, 1600 and 2000.
  assert.deepEqual(startedAtMs, [0, 50, 150, 350, 750, 1550, 2550]);
});

test("the bounds are options, and a draw of 0 is no pause", async () => {
  const refusals: readonly ErrorCode[] = ["CONNECTION_REFUSED", "CONNECTION_REFUSED", "CONNECTION_REFUSED"];
  const bounded = trial(refusals, { timeoutMs: 60_000, initialDelayMs: 10, maxDelayMs: 15 });
  await bounded.clock.advance(100);
  assert.deepEqual(bounded.startedAtMs, [0, 5, 12.5, 20]);
  const unbounded = trial(refusals, {});
  await unbounded.clock.advance(1_000);
  assert.deepEqual(unbounded.startedAtMs, [0, 50, 150, 350]);
  const eager = trial(refusals, { timeoutMs: 60_000 }, 0);
  await eager.clock.advance(0);
  assert.deepEqual(eager.startedAtMs, [0, 0, 0, 0]);
});

test("the last attempt is made when the time is up, and its error is reported", async () => {
  const refusals: readonly ErrorCode[] = Array.from({ length: 99 }, () => "CONNECTION_REFUSED");
  for (const [timeoutMs, drawn, expected] of [
    [149, 0.5, [0, 50, 149]],
    [150, 0.5, [0, 50, 150]],
    [151, 0.5, [0, 50, 150, 151]],
    [1500, 0.99, [0, 99, 297, 693, 1485, 1500]],
    [40, 0.99, [0, 40]],
    [0, 0.5, [0]],
  ] as const) {
    const { clock, result, startedAtMs } = trial([...refusals, "CONNECTION_RESET"], { timeoutMs }, drawn);
    await clock.advance(10_000);
    await expectError(result, { code: "CONNECTION_REFUSED" });
    assert.deepEqual(startedAtMs, expected);
    assert.equal(clock.pending, 0);
  }
});

test("a server that is there at any moment of the time is found", async () => {
  for (const upAtMs of [10, 700, 1200, 1499]) {
    for (const drawn of [0.01, 0.3, 0.7, 0.99]) {
      const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
      const network = { clock, random: { next: () => drawn } } as unknown as Network;
      const work = async (): Promise<string> => {
        if (clock.now() >= upAtMs) return "there";
        throw new ConnectError("CONNECTION_REFUSED", { op: "connect" });
      };
      const result = pending(withRetry(network, { timeoutMs: 1500 }, new AbortController().signal, work));
      await clock.advance(1500);
      assert.equal(await result, "there", `up at ${upAtMs} ms, drawn ${drawn}`);
    }
  }
});

test("an attempt that is under way when the time is up is the last one", async () => {
  const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
  const network = { clock, random: { next: () => 0 } } as unknown as Network;
  let attempts = 0;
  const work = (): Promise<never> => {
    attempts += 1;
    return new Promise((_resolve, reject) => {
      clock.setTimer(() => reject(new ConnectError("CONNECTION_TIMED_OUT", { op: "connect" })), 3000);
    });
  };
  const result = pending(withRetry(network, { timeoutMs: 1500 }, new AbortController().signal, work));
  await clock.advance(10_000);
  await expectError(result, { code: "CONNECTION_TIMED_OUT" });
  assert.equal(attempts, 1);
});

test("an end in the handshake of TLS is a server that is not up yet; what TLS has said is not", async () => {
  const ended = new ConnectError("TLS_FAILED", {
    op: "connect",
    cause: new ConnectionError("END_OF_STREAM", { op: "x" }),
  });
  assert.equal(mayMend(ended), true);
  assert.equal(mayMend(new ConnectError("TLS_FAILED", { op: "connect" })), false);
});

test("an error that waiting does not mend is reported at once", async () => {
  for (const code of ["CERTIFICATE_EXPIRED", "PERMISSION_DENIED", "ADDRESS_NOT_AVAILABLE"] as const) {
    const { result, startedAtMs } = trial([code], { timeoutMs: 60_000 });
    await expectError(result, { code });
    assert.deepEqual(startedAtMs, [0]);
  }
  const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
  const network = { clock, random: { next: () => 0 } } as unknown as Network;
  const foreign = new TypeError("a mistake");
  for (const error of [foreign, new UsageError("OPTION_INVALID", { op: "connect" })]) {
    const work = (): Promise<never> => Promise.reject(error);
    const failing = withRetry(network, { timeoutMs: 9 }, new AbortController().signal, work);
    assert.equal(await reasonOf(failing), error);
  }
});

test("a signal ends the pause with its reason", async () => {
  const { clock, controller, result, startedAtMs } = trial(["CONNECTION_REFUSED"], { timeoutMs: 60_000 });
  await clock.advance(10);
  const reason = new Error("enough");
  controller.abort(reason);
  assert.equal(await reasonOf(result), reason);
  assert.equal(clock.pending, 0);
  assert.deepEqual(startedAtMs, [0]);
});
