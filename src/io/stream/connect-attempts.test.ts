import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../core/address/address.ts";
import { ConnectError, TimeoutError } from "../../core/errors.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { ConnectAttempts } from "./connect-attempts.ts";

const FIRST = Address.parse("tcp://192.0.2.1:7");
const SECOND = Address.parse("tcp://192.0.2.2:7");
const context = { op: "connect", remote: "tcp://server.example:7" };
const refused = new ConnectError("CONNECTION_REFUSED", { op: "connect" });

function scene() {
  const clock = new ManualClock({ defer: (callback) => setImmediate(callback) });
  const { signal } = new AbortController();
  return { clock, signal, attempts: new ConnectAttempts(clock) };
}

const never = (): Promise<never> => new Promise(() => undefined);

test("what failed is listed in the order of the attempts, with the time since the call", async () => {
  const { clock, signal, attempts } = scene();
  await clock.advance(5);
  await assert.rejects(
    attempts.run(FIRST, signal, () => Promise.reject(refused)),
    refused,
  );
  await clock.advance(5);
  await assert.rejects(
    attempts.run(SECOND, signal, () => Promise.reject(new Error("odd"))),
    { code: "SYSTEM_ERROR", op: "connect" },
  );
  assert.equal(await attempts.run(SECOND, signal, () => Promise.resolve("made")), "made");
  assert.deepEqual(
    attempts.failed.map(({ address, startedAfterMs, error }) => [address, startedAfterMs, error.code]),
    [
      ["tcp://192.0.2.1:7", 5, "CONNECTION_REFUSED"],
      ["tcp://192.0.2.2:7", 10, "SYSTEM_ERROR"],
    ],
  );
  attempts.restart();
  assert.deepEqual(attempts.failed, []);
});

test("an attempt that was given up is none, and its reason passes", async () => {
  const { attempts } = scene();
  const controller = new AbortController();
  const reason = new Error("no more");
  controller.abort(reason);
  await assert.rejects(
    attempts.run(FIRST, controller.signal, () => Promise.reject(reason)),
    reason,
  );
  assert.deepEqual(attempts.failed, []);
});

test("a handshake that fails behind the connection is the failure of that address", async () => {
  const { signal, attempts } = scene();
  await attempts.run(FIRST, signal, () => Promise.resolve("made"));
  const failure = new ConnectError("TLS_FAILED", { op: "connect" });
  attempts.failedLater(failure);
  assert.deepEqual(attempts.failed, [{ address: "tcp://192.0.2.1:7", startedAfterMs: 0, error: failure }]);
});

test("a time-out tells of what was under way, and for how long", async () => {
  const { clock, signal, attempts } = scene();
  await attempts.run(FIRST, signal, () => Promise.reject(refused)).catch(() => undefined);
  void attempts.run(SECOND, signal, never);
  await clock.advance(30);
  await attempts.run(FIRST, signal, () => Promise.resolve("made"));
  await clock.advance(20);
  const error = attempts.timedOut(50, context);
  assert.ok(error instanceof TimeoutError);
  assert.deepEqual([error.code, error.op, error.outcome, error.remote], ["TIMEOUT", "connect", "none", context.remote]);
  assert.deepEqual(
    error.attempts.map(({ error: why }) => why.detail),
    [refused.detail, "no answer within 50 ms", "connected, but the TLS handshake did not finish within 20 ms"],
  );
  assert.match(error.detail, /tried tcp:\/\/192\.0\.2\.1:7 \(CONNECTION_REFUSED\), tcp:\/\/192\.0\.2\.2:7 \(no answer/);
});

test("a time-out before any address was known", () => {
  const error = scene().attempts.timedOut(50, context);
  assert.deepEqual(error.attempts, []);
  assert.match(error.detail, /^not finished within 50 ms; the name service has not answered/);
});
