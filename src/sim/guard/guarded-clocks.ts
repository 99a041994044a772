/** What a simulated program must not touch because it tells the real time, or waits for it: the list of the guard, by module. */

import { builtin } from "./builtin.ts";
import { type GuardedCall, guard, namesOf, prototypeOf, type Use } from "./guarded-call.ts";

/** Everything that tells the time, and all measures of this process that are others in each run. */
export function clockCalls(): GuardedCall[] {
  return [...timerCalls(), ...dateCalls(), ...performanceCalls(), ...machineCalls(), ...realmCalls()];
}

function timerCalls(): GuardedCall[] {
  const timers = ["setTimeout", "setInterval", "setImmediate"];
  const promises = builtin("timers/promises");
  const fs = builtin("fs");
  return [
    ...guard("SIM_CLOCK_LEAK", "globalThis", globalThis, timers),
    ...guard("SIM_CLOCK_LEAK", "timers", builtin("timers"), timers),
    ...guard("SIM_CLOCK_LEAK", "timers/promises", promises, ["setTimeout", "setImmediate"], { rejects: true }),
    ...guard("SIM_CLOCK_LEAK", "timers/promises", promises, ["setInterval"]),
    ...guard("SIM_CLOCK_LEAK", "scheduler", promises["scheduler"], ["wait", "yield"], { rejects: true }),
    ...guard("SIM_CLOCK_LEAK", "AbortSignal", AbortSignal, ["timeout"]),
    ...guard("SIM_CLOCK_LEAK", "Atomics", Atomics, ["wait", "waitAsync"]),
    // Their messages come in a turn of the real event loop, whichever that is.
    ...guard("SIM_CLOCK_LEAK", "globalThis", globalThis, ["MessageChannel"]),
    ...guard("SIM_CLOCK_LEAK", "worker_threads", builtin("worker_threads"), ["MessageChannel"]),
    // They tell of changes when the system does.
    ...guard("SIM_CLOCK_LEAK", "fs", fs, ["watch", "watchFile"]),
    ...guard("SIM_CLOCK_LEAK", "fs.promises", fs["promises"], ["watch"]),
  ];
}

const TEMPORAL_ISO: readonly string[] = ["plainDateISO", "plainDateTimeISO", "plainTimeISO", "zonedDateTimeISO"];

function dateCalls(): GuardedCall[] {
  const { Temporal } = globalThis as { readonly Temporal?: { readonly Now: object } };
  const { DateTimeFormat } = Intl;
  const RealDate = globalThis["Date" as keyof typeof globalThis] as object;
  const { File: BufferFile } = builtin("buffer");
  // A moment that the program gives is no leak: only the present one is. As a function `Date` always tells that.
  const given = ({ args, isNew }: Use): boolean => isNew && args.length > 0;
  const formatted = ({ args }: Use): boolean => args[0] !== undefined;
  const modified = ({ args }: Use): boolean => lastModifiedOf(args[2]) !== undefined;
  return [
    ...guard("SIM_CLOCK_LEAK", "globalThis", globalThis, ["Date"], { harmless: given }),
    ...guard("SIM_CLOCK_LEAK", "Date", RealDate, ["now"]),
    ...guard("SIM_CLOCK_LEAK", "Temporal.Now", Temporal?.Now, ["instant", ...TEMPORAL_ISO]),
    ...guard("SIM_CLOCK_LEAK", "Intl.DateTimeFormat", DateTimeFormat.prototype, ["formatToParts"], {
      harmless: formatted,
    }),
    ...guard("SIM_CLOCK_LEAK", "Intl.DateTimeFormat", DateTimeFormat.prototype, ["format"], {
      what: "call what is read",
      harmless: formatted,
    }),
    ...guard("SIM_CLOCK_LEAK", "Event", Event.prototype, ["timeStamp"], { what: "read" }),
    ...guard("SIM_CLOCK_LEAK", "globalThis", globalThis, ["File"], { harmless: modified }),
    ...(BufferFile === undefined
      ? []
      : guard("SIM_CLOCK_LEAK", "buffer", builtin("buffer"), ["File"], { harmless: modified })),
  ];
}

function lastModifiedOf(options: unknown): unknown {
  return (options as { readonly lastModified?: unknown } | null | undefined)?.lastModified;
}

function performanceCalls(): GuardedCall[] {
  const hooks = builtin("perf_hooks");
  const { performance } = hooks;
  const measures = ["now", "measure", "timerify", "eventLoopUtilization", "toJSON"];
  const started = ({ args }: Use): boolean =>
    (args[1] as { readonly startTime?: unknown } | null | undefined)?.startTime !== undefined;
  return [
    ...guard("SIM_CLOCK_LEAK", "performance", performance, measures),
    ...guard("SIM_CLOCK_LEAK", "performance", performance, ["mark"], { harmless: started }),
    ...guard("SIM_CLOCK_LEAK", "performance", performance, ["timeOrigin", "nodeTiming"], { what: "read" }),
    ...guard("SIM_CLOCK_LEAK", "globalThis", globalThis, ["PerformanceMark"], { harmless: started }),
    ...guard("SIM_CLOCK_LEAK", "perf_hooks", hooks, ["PerformanceMark"], { harmless: started }),
    ...guard("SIM_CLOCK_LEAK", "perf_hooks", hooks, ["monitorEventLoopDelay", "eventLoopUtilization", "timerify"]),
    ...guard("SIM_CLOCK_LEAK", "PerformanceObserver", prototypeOf(hooks["PerformanceObserver"]), ["observe"]),
  ];
}

/** `process.pid` is not among them: the runtime reads it itself, for a warning. */
function machineCalls(): GuardedCall[] {
  const os = builtin("os");
  const v8 = builtin("v8");
  const { hrtime, memoryUsage, report } = builtin("process");
  const usage = ["cpuUsage", "threadCpuUsage", "memoryUsage", "resourceUsage", "availableMemory", "constrainedMemory"];
  return [
    ...guard("SIM_CLOCK_LEAK", "process", process, ["hrtime", "uptime", ...usage]),
    ...guard("SIM_CLOCK_LEAK", "process.hrtime", hrtime, ["bigint"]),
    ...guard("SIM_CLOCK_LEAK", "process.memoryUsage", memoryUsage, ["rss"]),
    ...guard("SIM_CLOCK_LEAK", "process.report", report, ["getReport", "writeReport"]),
    ...guard("SIM_CLOCK_LEAK", "os", os, ["uptime", "freemem", "loadavg", "cpus"]),
    ...guard("SIM_CLOCK_LEAK", "v8", v8, namesOf(v8, /^get(?:Cpp)?Heap/)),
  ];
}

/** A realm of its own has a clock and a randomness of its own, which nobody guards. */
function realmCalls(): GuardedCall[] {
  const vm = builtin("vm");
  const runs = ["runInNewContext", "runInContext"];
  return [
    ...guard("SIM_CLOCK_LEAK", "vm", vm, ["createContext", ...runs], { harmless: isOfRuntime }),
    ...guard("SIM_CLOCK_LEAK", "vm.Script", prototypeOf(vm["Script"]), runs, { harmless: isOfRuntime }),
    ...guard("SIM_CLOCK_LEAK", "globalThis", globalThis, ["ShadowRealm"]),
  ];
}

/** Node makes a realm of this name for its Web Streams, when the first one needs it. */
function isOfRuntime({ args }: Use): boolean {
  const options = args.at(-1) as { readonly contextName?: unknown } | null | undefined;
  return options?.contextName === "internal";
}
