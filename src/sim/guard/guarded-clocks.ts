/** What a simulated program must not touch because it tells the real time, or waits for it: the list of the guard, by module. */

import { builtin } from "./builtin.ts";
import { type Leak, namesOf, prototypeOf, type Use } from "./guarded-call.ts";

/** Everything that tells the time, and all measures of this process that are others in each run. */
export function clockCalls(): Leak[] {
  return [...timerCalls(), ...dateCalls(), ...performanceCalls(), ...machineCalls(), ...realmCalls()];
}

function timerCalls(): Leak[] {
  const timers = ["setTimeout", "setInterval", "setImmediate"];
  const promises = builtin("timers/promises");
  const fs = builtin("fs");
  return [
    ["globalThis", globalThis, timers],
    ["timers", builtin("timers"), timers],
    ["timers/promises", promises, ["setTimeout", "setImmediate"], { rejects: true }],
    ["timers/promises", promises, ["setInterval"]],
    ["scheduler", promises["scheduler"], ["wait", "yield"], { rejects: true }],
    ["AbortSignal", AbortSignal, ["timeout"]],
    ["Atomics", Atomics, ["wait", "waitAsync"]],
    // Their messages come in a turn of the real event loop, whichever that is.
    ["globalThis", globalThis, ["MessageChannel"]],
    ["worker_threads", builtin("worker_threads"), ["MessageChannel"]],
    // They tell of changes when the system does.
    ["fs", fs, ["watch", "watchFile"]],
    ["fs.promises", fs["promises"], ["watch"]],
  ];
}

const TEMPORAL_ISO: readonly string[] = ["plainDateISO", "plainDateTimeISO", "plainTimeISO", "zonedDateTimeISO"];

function dateCalls(): Leak[] {
  const { Temporal } = globalThis as { readonly Temporal?: { readonly Now: object } };
  const { DateTimeFormat } = Intl;
  const RealDate = globalThis["Date" as keyof typeof globalThis] as object;
  const { File: BufferFile } = builtin("buffer");
  // A moment that the program gives is no leak: only the present one is. As a function `Date` always tells that.
  const given = ({ args, isNew }: Use): boolean => isNew && args.length > 0;
  const formatted = ({ args }: Use): boolean => args[0] !== undefined;
  const modified = ({ args }: Use): boolean => lastModifiedOf(args[2]) !== undefined;
  return [
    ["globalThis", globalThis, ["Date"], { harmless: given }],
    ["Date", RealDate, ["now"]],
    ["Temporal.Now", Temporal?.Now, ["instant", ...TEMPORAL_ISO]],
    ["Intl.DateTimeFormat", DateTimeFormat.prototype, ["formatToParts"], { harmless: formatted }],
    ["Intl.DateTimeFormat", DateTimeFormat.prototype, ["format"], { what: "call what is read", harmless: formatted }],
    ["Event", Event.prototype, ["timeStamp"], { what: "read" }],
    ["globalThis", globalThis, ["File"], { harmless: modified }],
    ...(BufferFile === undefined ? [] : [["buffer", builtin("buffer"), ["File"], { harmless: modified }] as const]),
  ];
}

function lastModifiedOf(options: unknown): unknown {
  return (options as { readonly lastModified?: unknown } | null | undefined)?.lastModified;
}

function performanceCalls(): Leak[] {
  const hooks = builtin("perf_hooks");
  const { performance } = hooks;
  const measures = ["now", "measure", "timerify", "eventLoopUtilization", "toJSON"];
  const started = ({ args }: Use): boolean =>
    (args[1] as { readonly startTime?: unknown } | null | undefined)?.startTime !== undefined;
  return [
    ["performance", performance, measures],
    ["performance", performance, ["mark"], { harmless: started }],
    ["performance", performance, ["timeOrigin", "nodeTiming"], { what: "read" }],
    ["globalThis", globalThis, ["PerformanceMark"], { harmless: started }],
    ["perf_hooks", hooks, ["PerformanceMark"], { harmless: started }],
    ["perf_hooks", hooks, ["monitorEventLoopDelay", "eventLoopUtilization", "timerify"]],
    ["PerformanceObserver", prototypeOf(hooks["PerformanceObserver"]), ["observe"]],
  ];
}

/** `process.pid` is not among them: the runtime reads it itself, for a warning. */
function machineCalls(): Leak[] {
  const os = builtin("os");
  const v8 = builtin("v8");
  const { hrtime, memoryUsage, report } = builtin("process");
  const usage = ["cpuUsage", "threadCpuUsage", "memoryUsage", "resourceUsage", "availableMemory", "constrainedMemory"];
  return [
    ["process", process, ["hrtime", "uptime", ...usage]],
    ["process.hrtime", hrtime, ["bigint"]],
    ["process.memoryUsage", memoryUsage, ["rss"]],
    ["process.report", report, ["getReport", "writeReport"]],
    ["os", os, ["uptime", "freemem", "loadavg", "cpus"]],
    ["v8", v8, namesOf(v8, /^get(?:Cpp)?Heap/)],
  ];
}

/** A realm of its own has a clock and a randomness of its own, which nobody guards. */
function realmCalls(): Leak[] {
  const vm = builtin("vm");
  const runs = ["runInNewContext", "runInContext"];
  return [
    ["vm", vm, ["createContext", ...runs], { harmless: isOfRuntime }],
    ["vm.Script", prototypeOf(vm["Script"]), runs, { harmless: isOfRuntime }],
    ["globalThis", globalThis, ["ShadowRealm"]],
  ];
}

/** Node makes a realm of this name for its Web Streams, when the first one needs it. */
function isOfRuntime({ args }: Use): boolean {
  const options = args.at(-1) as { readonly contextName?: unknown } | null | undefined;
  return options?.contextName === "internal";
}
