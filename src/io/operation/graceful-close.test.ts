import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError } from "../../core/errors.ts";
import { nodeNetwork } from "../../node/network.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { CLOSE_SERVER_RULES, GracefulClose } from "./graceful-close.ts";

/** Something with tasks, on a clock that stands still. */
function busy(tasks: number) {
  const clock = new ManualClock(nodeNetwork.clock);
  const state = { tasks, works: 0 };
  const closing: GracefulClose<{ idle: boolean; durationMs: number }> = new GracefulClose(
    clock,
    () => ({ op: "close" }),
    async () => {
      state.works += 1;
      return { idle: await closing.untilIdle(() => state.tasks === 0), durationMs: closing.durationMs };
    },
    CLOSE_SERVER_RULES,
  );
  return { clock, state, closing };
}

test("what is idle closes at once; the end says how, and later calls share the report", async () => {
  const { closing, state, clock } = busy(0);
  assert.equal(closing.draining.aborted, false);
  const first = closing.close(undefined);
  assert.equal(closing.draining.aborted, true);
  assert.equal((closing.draining.reason as ConnectionError).code, "CLOSED");
  assert.deepEqual(await first, { idle: true, durationMs: 0 });
  assert.deepEqual(await closing.closed, { how: "closed" });
  closing.abort("late");
  closing.fail(new ConnectionError("CLOSED", { op: "receive" }));
  assert.equal(closing.close({ timeoutMs: 0 }), first);
  assert.deepEqual([await closing.closed, state.works, clock.pending], [{ how: "closed" }, 1, 0]);
});

test("it waits for what is under way, five seconds by default", async () => {
  const finished = busy(2);
  const report = finished.closing.close({});
  await finished.clock.advance(3000);
  for (const tasks of [1, 0]) {
    finished.state.tasks = tasks;
    finished.closing.look();
  }
  assert.deepEqual(await report, { idle: true, durationMs: 3000 });
  assert.equal(finished.clock.pending, 0);

  const cut = busy(1);
  const late = cut.closing.close(undefined);
  await cut.clock.advance(4999);
  assert.equal(cut.closing.isExpired, false);
  await cut.clock.advance(1);
  assert.deepEqual(await late, { idle: false, durationMs: 5000 });
});

test("a later call shortens the wait by what it names, and never makes it longer", async () => {
  const { clock, closing } = busy(1);
  const first = closing.close({ timeoutMs: 60_000 });
  assert.equal(closing.close(undefined), first);
  await clock.advance(10_000);
  assert.equal(closing.isExpired, false, "the default is none of a later call");
  assert.equal(closing.close({ timeoutMs: 90_000 }), first);
  assert.equal(closing.close({ timeoutMs: 1000 }), first);
  await clock.advance(1000);
  assert.equal((await first).durationMs, 11_000);
  assert.equal(clock.pending, 0);
});

test("a signal, also one that is aborted already, and a time of zero cut at once", async () => {
  for (const early of [true, false]) {
    const { closing } = busy(1);
    const controller = new AbortController();
    if (early) controller.abort();
    const report = closing.close({ signal: controller.signal });
    controller.abort();
    assert.equal((await report).idle, false);
  }
  assert.equal((await busy(1).closing.close({ timeoutMs: 0 })).idle, false);
});

test("abort and fail cut, before and while it closes, and the end says so", async () => {
  for (const before of [true, false]) {
    const aborted = busy(1);
    if (!before) void aborted.closing.close({ timeoutMs: Infinity });
    aborted.closing.abort("enough");
    const { how, error } = await aborted.closing.closed;
    assert.deepEqual([how, error?.code, error?.cause], ["aborted", "CONNECTION_ABORTED", "enough"]);
    assert.equal((await aborted.closing.close(undefined)).idle, false);

    const failed = busy(1);
    if (!before) void failed.closing.close({ timeoutMs: Infinity });
    const cause = new ConnectionError("CONNECTION_RESET", { op: "receive" });
    failed.closing.fail(cause);
    assert.deepEqual(await failed.closing.closed, { how: "failed", error: cause });
  }
});

test("whoever is told that it begins may close it again", async () => {
  const { closing, state } = busy(0);
  const again: Promise<unknown>[] = [];
  closing.draining.addEventListener("abort", () => again.push(closing.close({ timeoutMs: 0 })));
  const first = closing.close(undefined);
  assert.deepEqual([again[0] === first, (await first).idle, state.works], [true, true, 1]);
});

test("wrong options are refused, and it goes on", async () => {
  const { closing } = busy(0);
  for (const options of [{ timeoutMs: -1 }, { timeoutMs: "1" }, { signal: 1 }, { timeout: 1 }, 5]) {
    await assert.rejects(closing.close(options as object), { code: "OPTION_INVALID", op: "close" });
  }
  assert.equal(closing.draining.aborted, false);
});

test("delayMs: it drains at once, works when the delay is over, and has its whole time then", async () => {
  const { clock, closing, state } = busy(1);
  const report = closing.close({ delayMs: 2000, timeoutMs: 3000 });
  assert.deepEqual([closing.draining.aborted, closing.leaving.aborted, state.works], [true, false, 0]);
  await clock.advance(1999);
  assert.deepEqual([closing.leaving.aborted, state.works], [false, 0]);
  await clock.advance(1);
  assert.deepEqual([closing.leaving.aborted, state.works], [true, 1]);
  assert.equal(closing.leaving.reason, closing.draining.reason);
  await clock.advance(2999);
  assert.equal(closing.isExpired, false);
  await clock.advance(1);
  assert.deepEqual(await report, { idle: false, durationMs: 5000 });
  assert.equal(clock.pending, 0);
});

test("a later close shortens the delay, and abort, a signal and a failure end it", async () => {
  const error = new ConnectionError("CLOSED", { op: "receive" });
  for (const [how, passedMs, shorten] of [
    ["closed", 0, (closing) => void closing.close()],
    ["closed", 500, (closing) => void closing.close({ delayMs: 500, timeoutMs: 0 })],
    ["aborted", 0, (closing) => closing.abort("now")],
    ["failed", 0, (closing) => closing.fail(error)],
    ["closed", 0, (closing) => void closing.close({ signal: AbortSignal.abort(), delayMs: 9000 })],
  ] as readonly [string, number, (closing: ReturnType<typeof busy>["closing"]) => void][]) {
    const { clock, closing, state } = busy(0);
    const report = closing.close({ delayMs: 60_000 });
    void closing.close({ delayMs: 90_000 });
    await clock.advance(1000);
    assert.equal(state.works, 0);
    shorten(closing);
    await clock.advance(passedMs);
    assert.equal((await report).durationMs, 1000 + passedMs);
    assert.deepEqual([(await closing.closed).how, state.works, clock.pending], [how, 1, 0]);
  }
});
