import assert from "node:assert/strict";
import { test } from "node:test";
import { addLatency, drawLatencyUs, type LatencyTable, latencyTable } from "./latency.ts";
import { RandomStream } from "./random-stream.ts";

test("latencies lie where their distribution says", () => {
  const mean = (latency: Parameters<typeof latencyTable>[0]): number => {
    const table = latencyTable(latency, "test");
    const stream = new RandomStream(5, "latency");
    let sum = 0;
    for (let count = 0; count < 20_000; count += 1) {
      const value = drawLatencyUs(table, stream);
      assert.ok(Number.isInteger(value) && value >= 0);
      sum += value;
    }
    return sum / 20_000;
  };
  const both = (...latencies: Parameters<typeof latencyTable>[0][]): number => {
    const [one, ...others] = latencies.map((latency) => latencyTable(latency, "test"));
    const stream = new RandomStream(5, "latency");
    return drawLatencyUs(others.reduce(addLatency, one as LatencyTable), stream);
  };
  assert.equal(both(1, 2, 3.5), 6500);
  const still = { kind: "uniform", fromMs: 4, toMs: 4 } as const;
  assert.equal(both(still, 1), 5000);
  assert.equal(both(1, still, still, 2), 11_000);
  const near = (value: number, expected: number): void =>
    assert.ok(Math.abs(value - expected) < expected / 20, `${value}, expected ${expected}`);
  assert.equal(mean(1.5), 1500);
  near(mean({ kind: "uniform", fromMs: 10, toMs: 30 }), 20_000);
  near(mean({ kind: "normal", meanMs: 50, deviationMs: 5 }), 50_000);
  near(mean({ kind: "exponential", baseMs: 10, meanMs: 10 }), 20_000);
  assert.ok(mean({ kind: "heavy-tail", baseMs: 10, scaleMs: 10 }) > 20_000);
  // More deviation than mean is no mistake: what would be negative has no delay.
  assert.ok(mean({ kind: "normal", meanMs: 10, deviationMs: 50 }) > 20_000);
  for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 1e300, "abc", null, undefined] as number[]) {
    assert.throws(() => latencyTable(wrong, "test"), { code: "OPTION_INVALID", message: /latency must be/ });
    const within = { kind: "uniform", fromMs: 0, toMs: wrong } as const;
    assert.throws(() => latencyTable(within, "test", "fault.latency"), { message: /fault.latency.toMs must/ });
  }
  const turned = { kind: "uniform", fromMs: 30, toMs: 10 } as const;
  const message = /latency.toMs \(10\) must not be below latency.fromMs \(30\)/;
  assert.throws(() => latencyTable(turned, "test"), { code: "OPTION_INVALID", message });
});
