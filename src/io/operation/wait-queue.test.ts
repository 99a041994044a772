import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { OperationOptions } from "./deadline.ts";
import { Waiter, WaitQueue } from "./wait-queue.ts";

/** A queue of strings, and what became of each that waited. */
class Line {
  readonly clock = new ManualClock({ defer: (callback) => void setImmediate(callback) });
  readonly queue = new WaitQueue<Waiter<string, string>>();
  readonly answers: string[] = [];

  wait(name: string, options?: OperationOptions): Waiter<string, string> {
    const answer = (value: unknown): void => void this.answers.push(`${name}: ${String(value)}`);
    const waiter = new Waiter(name, answer, answer);
    this.queue.addWithin(waiter, this.clock, options, (cause) => {
      waiter.reject(typeof cause === "number" ? `after ${cause}` : cause.reason);
    });
    return waiter;
  }

  /** Those who wait, read in both directions. */
  get waiting(): string {
    const forward: string[] = [];
    const back: string[] = [];
    for (let { first } = this.queue; first !== undefined; first = first.next) forward.push(first.subject);
    for (let { last } = this.queue; last !== undefined; last = last.previous) back.unshift(last.subject);
    assert.deepEqual(back, forward);
    assert.equal(this.queue.size, forward.length);
    return forward.join("");
  }
}

test("the first to come is the first to be taken", () => {
  const line = new Line();
  for (const name of "abc") line.wait(name);
  assert.equal(line.queue.take()?.subject, "a");
  line.wait("d");
  assert.equal(line.waiting, "bcd");
  for (const name of "bcd") assert.equal(line.queue.take()?.subject, name);
  assert.equal(line.queue.take(), undefined);
  assert.equal(line.waiting, "");
});

test("anyone may leave: the first, the last, one between, the only one; who has left is left alone", () => {
  const line = new Line();
  const a = line.wait("a");
  const b = line.wait("b");
  const c = line.wait("c");
  const d = line.wait("d");
  for (const [waiter, left] of [
    [b, "acd"],
    [b, "acd"],
    [a, "cd"],
    [d, "c"],
    [d, "c"],
    [c, ""],
    [c, ""],
  ] as const) {
    line.queue.remove(waiter);
    assert.equal(line.waiting, left);
  }
  line.queue.add(b);
  assert.equal(line.waiting, "b");
});

test("a deadline and a signal end one call each; who was taken is told by neither", async () => {
  const line = new Line();
  const stop = new AbortController();
  const { signal } = stop;
  line.wait("a", { signal, timeoutMs: 5 });
  line.wait("b", { timeoutMs: 5 });
  line.wait("c", { signal });
  line.wait("d", { timeoutMs: 9 });
  line.wait("e", { signal });
  line.wait("f");
  line.queue.take()?.resolve("taken");
  await line.clock.advance(5);
  assert.equal(line.waiting, "cdef");
  stop.abort("enough");
  assert.equal(line.waiting, "df");
  assert.deepEqual(line.answers, ["a: taken", "b: after 5", "c: enough", "e: enough"]);
});

test("all calls with one subject are withdrawn, and nothing watches them any more", () => {
  const line = new Line();
  const { signal } = new AbortController();
  for (const name of "abab") line.wait(name, { signal });
  line.queue.withdraw("b", "done");
  assert.equal(line.waiting, "aa");
  line.queue.withdraw("b", "again");
  assert.equal(getEventListeners(signal, "abort").length, 1);
  line.queue.withdraw("a", "done");
  assert.deepEqual(line.answers, ["b: done", "b: done", "a: done", "a: done"]);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("all calls are rejected in their order, each with its own error", async () => {
  const line = new Line();
  for (const name of "abc") line.wait(name, { timeoutMs: 5 });
  line.queue.rejectAll(({ subject }) => `no ${subject}`);
  await line.clock.advance(5);
  assert.equal(line.waiting, "");
  assert.deepEqual(line.answers, ["a: no a", "b: no b", "c: no c"]);
});
