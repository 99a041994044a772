/** What a simulated program must not touch: the list of the guard, by module. */

import { UsageError } from "../../core/errors.ts";

/** The two kinds of leak: out of the simulated network, or out of virtual time and seeded randomness. */
export type LeakCode = "SIM_LEAK" | "SIM_CLOCK_LEAK";

/** One property that is guarded. */
export interface GuardedCall {
  readonly owner: object;
  readonly name: string;
  /** As a user writes it: `net.connect`. */
  readonly label: string;
  readonly code: LeakCode;
  /** The call answers with a promise, so it rejects instead of throwing. */
  readonly rejects: boolean;
  /** Whether a call with these arguments is harmless; `new Date(0)` is. */
  readonly harmless: ((args: readonly unknown[]) => boolean) | undefined;
}

/** A built-in module as an object with properties; the simulator itself must not import those that reach the network. */
export function builtin(name: string): Record<string, unknown> {
  const load = (process as { getBuiltinModule?: (name: string) => object | undefined }).getBuiltinModule;
  const found = load?.(`node:${name}`);
  if (found !== undefined) return found as Record<string, unknown>;
  const detail = `this runtime does not give node:${name} to the leak guard; simulate on Node 20.19 or newer`;
  throw new UsageError("UNSUPPORTED", { op: "simulate", detail });
}

/** Everything that the guard covers on this runtime. What a runtime does not have is left out. */
export function guardedCalls(): readonly GuardedCall[] {
  return [...networkCalls(), ...processCalls(), ...clockCalls(), ...randomCalls()];
}

function networkCalls(): GuardedCall[] {
  const net = builtin("net");
  const dgram = builtin("dgram");
  return [
    // The prototypes stop whoever took a reference to `connect` or `createServer` before.
    ...guard("SIM_LEAK", "net", net, ["connect", "createConnection"]),
    ...guard("SIM_LEAK", "net.Socket", prototypeOf(net["Socket"]), ["connect"]),
    ...guard("SIM_LEAK", "net.Server", prototypeOf(net["Server"]), ["listen"]),
    ...guard("SIM_LEAK", "tls", builtin("tls"), ["connect"]),
    ...guard("SIM_LEAK", "http", builtin("http"), ["request", "get"]),
    ...guard("SIM_LEAK", "https", builtin("https"), ["request", "get"]),
    ...guard("SIM_LEAK", "http2", builtin("http2"), ["connect"]),
    ...guard("SIM_LEAK", "dgram.Socket", prototypeOf(dgram["Socket"]), ["bind", "send", "connect"]),
    ...dnsCalls(),
    ...guard("SIM_LEAK", "globalThis", globalThis, ["WebSocket", "EventSource", "BroadcastChannel"]),
    ...rejecting(guard("SIM_LEAK", "globalThis", globalThis, ["fetch"])),
  ];
}

function dnsCalls(): GuardedCall[] {
  const dns = builtin("dns");
  const promises = dns["promises"] as Record<string, unknown>;
  const asks = /^(?:lookup|resolve|reverse)/;
  return [
    ...guard("SIM_LEAK", "dns", dns, namesOf(dns, asks)),
    ...rejecting(guard("SIM_LEAK", "dns.promises", promises, namesOf(promises, asks))),
    ...resolverCalls("dns.Resolver", dns["Resolver"], asks, false),
    ...resolverCalls("dns.promises.Resolver", promises["Resolver"], asks, true),
  ];
}

function resolverCalls(label: string, resolver: unknown, asks: RegExp, rejects: boolean): GuardedCall[] {
  const calls: GuardedCall[] = [];
  for (let owner = prototypeOf(resolver); owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object) {
    calls.push(...guard("SIM_LEAK", label, owner, namesOf(owner, asks)));
  }
  return rejects ? rejecting(calls) : calls;
}

function processCalls(): GuardedCall[] {
  const child = builtin("child_process");
  return [
    ...guard("SIM_LEAK", "child_process", child, namesOf(child, /^(?:spawn|exec|fork)/)),
    ...guard("SIM_LEAK", "ChildProcess", prototypeOf(child["ChildProcess"]), ["spawn"]),
    ...guard("SIM_LEAK", "worker_threads", builtin("worker_threads"), ["Worker", "BroadcastChannel"]),
    // A program that ends its process would end the test, which then looks as if it had passed.
    ...guard("SIM_LEAK", "process", process, ["exit", "reallyExit", "abort", "kill"]),
  ];
}

function clockCalls(): GuardedCall[] {
  const timers = ["setTimeout", "setInterval", "setImmediate"];
  const promises = builtin("timers/promises");
  const date = globalThis["Date" as keyof typeof globalThis] as object;
  const dateCalls = guard("SIM_CLOCK_LEAK", "globalThis", globalThis, ["Date"]);
  return [
    ...guard("SIM_CLOCK_LEAK", "globalThis", globalThis, timers),
    ...guard("SIM_CLOCK_LEAK", "timers", builtin("timers"), timers),
    ...rejecting(guard("SIM_CLOCK_LEAK", "timers/promises", promises, ["setTimeout", "setImmediate"])),
    ...guard("SIM_CLOCK_LEAK", "timers/promises", promises, ["setInterval"]),
    ...rejecting(guard("SIM_CLOCK_LEAK", "scheduler", promises["scheduler"], ["wait", "yield"])),
    // A moment that the program gives is no leak: only the present one is.
    ...dateCalls.map((call) => ({ ...call, harmless: (args: readonly unknown[]) => args.length > 0 })),
    ...guard("SIM_CLOCK_LEAK", "Date", date, ["now"]),
    ...guard("SIM_CLOCK_LEAK", "performance", builtin("perf_hooks")["performance"], ["now"]),
    ...guard("SIM_CLOCK_LEAK", "process", process, ["hrtime", "uptime"]),
    ...guard("SIM_CLOCK_LEAK", "process.hrtime", builtin("process")["hrtime"], ["bigint"]),
    // Their messages come in a turn of the real event loop, whichever that is.
    ...guard("SIM_CLOCK_LEAK", "globalThis", globalThis, ["MessageChannel"]),
    ...guard("SIM_CLOCK_LEAK", "worker_threads", builtin("worker_threads"), ["MessageChannel"]),
    ...guard("SIM_CLOCK_LEAK", "Temporal.Now", temporalNow(), ["instant", ...TEMPORAL_ISO]),
    ...guard("SIM_CLOCK_LEAK", "AbortSignal", AbortSignal, ["timeout"]),
  ];
}

const TEMPORAL_ISO: readonly string[] = ["plainDateISO", "plainDateTimeISO", "plainTimeISO", "zonedDateTimeISO"];

function temporalNow(): unknown {
  return (globalThis as { readonly Temporal?: { readonly Now: object } }).Temporal?.Now;
}

function randomCalls(): GuardedCall[] {
  const crypto = builtin("crypto");
  const names = namesOf(crypto, /^(?:random|generate(?:Key|Prime))|^(?:pseudoRandomBytes|prng|rng)$/);
  const { subtle } = crypto["webcrypto"] as { readonly subtle: object };
  return [
    ...guard("SIM_CLOCK_LEAK", "Math", Math, ["random"]),
    ...guard("SIM_CLOCK_LEAK", "crypto", crypto, names),
    ...guard("SIM_CLOCK_LEAK", "crypto", crypto["webcrypto"], ["getRandomValues", "randomUUID", "randomUUIDv7"]),
    ...rejecting(guard("SIM_CLOCK_LEAK", "crypto.subtle", subtle, ["generateKey"])),
    ...["ECDH", "DiffieHellman", "DiffieHellmanGroup"].flatMap((name) =>
      guard("SIM_CLOCK_LEAK", `crypto.${name}`, prototypeOf(crypto[name]), ["generateKeys"]),
    ),
  ];
}

/** The named functions of `object`, each on the object that has it: itself, or one it inherits from. */
function guard(code: LeakCode, label: string, object: unknown, names: readonly string[]): GuardedCall[] {
  return names.flatMap((name) => {
    const owner = ownerOf(object, name);
    return owner === undefined
      ? []
      : [{ owner, name, label: `${label}.${name}`, code, rejects: false, harmless: undefined }];
  });
}

function rejecting(calls: readonly GuardedCall[]): GuardedCall[] {
  return calls.map((call) => ({ ...call, rejects: true }));
}

function ownerOf(object: unknown, name: string): object | undefined {
  for (let owner = object; typeof owner === "object" || typeof owner === "function"; ) {
    if (owner === null) return undefined;
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (property !== undefined) return property.configurable === true || property.writable === true ? owner : undefined;
    owner = Object.getPrototypeOf(owner) as unknown;
  }
  return undefined;
}

function prototypeOf(constructor: unknown): object {
  return (constructor as { readonly prototype: object }).prototype;
}

function namesOf(object: object, pattern: RegExp): string[] {
  return Object.getOwnPropertyNames(object).filter(
    (name) => pattern.test(name) && typeof (object as Record<string, unknown>)[name] === "function",
  );
}
