import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectError, type ErrorCode, UsageError } from "../core/errors.ts";
import { expectError, reasonOf } from "../testing/expect-error.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { pending } from "../testing/stream-check.ts";
import type { Network } from "./network.ts";
import { type RetryOptions, withRetry } from "./retry.ts";

/** Work that fails with `codes`, one after the other, and then succeeds. */
function trial(codes: readonly ErrorCode[], options: RetryOptions | undefined, drawn = 0.5) {
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
  const bounded = trial(refusals, { timeoutMs: 60_000, firstDelayMs: 10, maxDelayMs: 15 });
  await bounded.clock.advance(100);
  assert.deepEqual(bounded.startedAtMs, [0, 5, 12.5, 20]);
  const eager = trial(refusals, { timeoutMs: 60_000 }, 0);
  await eager.clock.advance(0);
  assert.deepEqual(eager.startedAtMs, [0, 0, 0, 0]);
});

test("reports the last error when the time is over, and waits for no attempt that would come too late", async () => {
  const { clock, result, startedAtMs } = trial(["CONNECTION_RESET", "CONNECTION_REFUSED"], { timeoutMs: 149 });
  await clock.advance(1000);
  await expectError(result, { code: "CONNECTION_REFUSED" });
  assert.deepEqual(startedAtMs, [0, 50]);
  assert.equal(clock.pending, 0);
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
