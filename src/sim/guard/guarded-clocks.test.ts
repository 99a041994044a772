import assert from "node:assert/strict";
import { File as BufferFile } from "node:buffer";
import fs from "node:fs";
import os from "node:os";
import perfHooks, { PerformanceObserver } from "node:perf_hooks";
import { test } from "node:test";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import v8 from "node:v8";
import vm from "node:vm";
import { allowed, testLeaks } from "../../../test/sim/guarded-scene.ts";

const shared = new Int32Array(new SharedArrayBuffer(4));

testLeaks("SIM_CLOCK_LEAK", {
  setTimeout: () => setTimeout(() => undefined, 1),
  setInterval: () => setInterval(() => undefined, 1),
  setImmediate: () => setImmediate(() => undefined),
  "timers.setTimeout": () => timers.setTimeout(() => undefined, 1),
  "timers/promises": () => timersPromises.setTimeout(1),
  "new Date()": () => new Date(),
  "Date()": () => Date(),
  "Date.now": () => Date.now(),
  "the class of a date": () => new (new Date(0).constructor as DateConstructor)(),
  "the time of an event": () => new Event("x").timeStamp,
  "a format without a date": () => new Intl.DateTimeFormat("en").format(),
  "the parts of a format without a date": () => new Intl.DateTimeFormat("en").formatToParts(undefined),
  "the date of a file": () => new BufferFile([], "x").lastModified,
  "performance.now": () => performance.now(),
  "performance.mark": () => performance.mark("x"),
  "performance.measure": () => performance.measure("x"),
  "performance.timeOrigin": () => performance.timeOrigin,
  "performance.nodeTiming": () => performance.nodeTiming,
  "performance.toJSON": (): unknown => performance.toJSON(),
  "performance.eventLoopUtilization": () => performance.eventLoopUtilization(),
  PerformanceMark: () =>
    new (perfHooks as unknown as { PerformanceMark: new (name: string) => object }).PerformanceMark("x"),
  PerformanceObserver: () => new PerformanceObserver(() => undefined).observe({ entryTypes: ["gc"] }),
  monitorEventLoopDelay: () => perfHooks.monitorEventLoopDelay(),
  "vm.runInNewContext": (): unknown => vm.runInNewContext("Date.now()"),
  "vm.createContext": () => vm.createContext(),
  "a script in a new context": (): unknown => new vm.Script("Math.random()").runInNewContext(),
  "Atomics.wait": () => Atomics.wait(shared, 0, 0, 1),
  "Atomics.waitAsync": () => (Atomics as unknown as { waitAsync: typeof Atomics.wait }).waitAsync(shared, 0, 0, 1),
  "os.uptime": () => os.uptime(),
  "os.freemem": () => os.freemem(),
  "os.loadavg": () => os.loadavg(),
  "os.cpus": () => os.cpus(),
  "process.uptime": () => process.uptime(),
  "process.cpuUsage": () => process.cpuUsage(),
  "process.memoryUsage": () => process.memoryUsage(),
  "process.memoryUsage.rss": () => process.memoryUsage.rss(),
  "process.resourceUsage": () => process.resourceUsage(),
  "process.report.getReport": () => process.report?.getReport(),
  "v8.getHeapStatistics": () => v8.getHeapStatistics(),
  "fs.watch": () => fs.watch("."),
  "fs.watchFile": () => fs.watchFile(".", () => undefined),
  "process.hrtime": () => process.hrtime(),
  "process.hrtime.bigint": () => process.hrtime.bigint(),
  "AbortSignal.timeout": () => AbortSignal.timeout(1000),
  MessageChannel: () => new MessageChannel(),
});

test("a moment that the program gives is none of the clock", async () => {
  await allowed(() => {
    assert.equal(new Date(0).toISOString(), "1970-01-01T00:00:00.000Z");
    assert.ok(new Date(5) instanceof Date);
    assert.equal(Date.parse("1970-01-01T00:00:00Z"), 0);
    assert.equal(new Date(0).constructor, Date);
    const format = new Intl.DateTimeFormat("en", { timeZone: "UTC" });
    assert.equal(format.format(0), "1/1/1970");
    const [first, second] = [0, 0].map(() => Reflect.get(format, "format"));
    assert.equal(first, second);
    assert.equal(format.formatToParts(0).length, 5);
    assert.equal(new BufferFile([], "x", { lastModified: 5 }).lastModified, 5);
    assert.equal(performance.mark("x", { startTime: 5 }).startTime, 5);
    assert.equal(vm.runInThisContext("1 + 1"), 2);
    clearTimeout(undefined);
  });
});

test("what the runtime does for itself is no leak", async () => {
  await allowed(async () => {
    const { readable, writable } = new TransformStream<string, string>();
    const writer = writable.getWriter();
    const reader = readable.getReader();
    void writer.write("hola");
    assert.equal((await reader.read()).value, "hola");
    reader.releaseLock();
    writer.releaseLock();
    await assert.rejects(reader.read());
    assert.deepEqual(structuredClone({ a: 1 }), { a: 1 });
  });
});
