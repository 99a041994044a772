/** What a simulated program must not touch: the list of the guard, by module. */

import { builtin, builtinIfAny } from "./builtin.ts";
import { type GuardedCall, guard, namesOf, prototypeOf } from "./guarded-call.ts";
import { clockCalls } from "./guarded-clocks.ts";
import { randomCalls } from "./guarded-randomness.ts";
import { socketCalls } from "./guarded-sockets.ts";

/** Everything that the guard covers on this runtime. What a runtime does not have is left out. */
export function guardedCalls(): readonly GuardedCall[] {
  return [...networkCalls(), ...socketCalls(), ...processCalls(), ...clockCalls(), ...randomCalls()];
}

function networkCalls(): GuardedCall[] {
  const net = builtin("net");
  const dgram = builtin("dgram");
  // To join a group opens a socket that is not bound yet.
  const datagrams = ["bind", "send", "connect", ...namesOf(prototypeOf(dgram["Socket"]) as object, /Membership$/)];
  return [
    // The prototypes stop whoever took a reference to `connect` or `createServer` before.
    ...guard("SIM_LEAK", "net", net, ["connect", "createConnection"]),
    ...guard("SIM_LEAK", "net.Socket", prototypeOf(net["Socket"]), ["connect"]),
    ...guard("SIM_LEAK", "net.Server", prototypeOf(net["Server"]), ["listen"]),
    ...guard("SIM_LEAK", "tls", builtin("tls"), ["connect"]),
    ...guard("SIM_LEAK", "http", builtin("http"), ["request", "get"]),
    ...guard("SIM_LEAK", "https", builtin("https"), ["request", "get"]),
    ...guard("SIM_LEAK", "http2", builtin("http2"), ["connect"]),
    ...guard("SIM_LEAK", "dgram.Socket", prototypeOf(dgram["Socket"]), datagrams),
    ...dnsCalls(),
    ...guard("SIM_LEAK", "inspector", builtinIfAny("inspector"), ["open", "waitForDebugger"]),
    ...guard("SIM_LEAK", "globalThis", globalThis, ["WebSocket", "EventSource", "BroadcastChannel"]),
    ...guard("SIM_LEAK", "globalThis", globalThis, ["fetch"], { rejects: true }),
  ];
}

function dnsCalls(): GuardedCall[] {
  const dns = builtin("dns");
  const promises = dns["promises"] as Record<string, unknown>;
  const asks = /^(?:lookup|resolve|reverse)/;
  return [
    ...guard("SIM_LEAK", "dns", dns, namesOf(dns, asks)),
    ...guard("SIM_LEAK", "dns.promises", promises, namesOf(promises, asks), { rejects: true }),
    ...resolverCalls("dns.Resolver", dns["Resolver"], asks, false),
    ...resolverCalls("dns.promises.Resolver", promises["Resolver"], asks, true),
  ];
}

function resolverCalls(label: string, resolver: unknown, asks: RegExp, rejects: boolean): GuardedCall[] {
  const calls: GuardedCall[] = [];
  let owner = prototypeOf(resolver) ?? Object.prototype;
  for (; owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object) {
    calls.push(...guard("SIM_LEAK", label, owner, namesOf(owner, asks), { rejects }));
  }
  return calls;
}

function processCalls(): GuardedCall[] {
  const child = builtin("child_process");
  const workers = builtin("worker_threads");
  return [
    ...guard("SIM_LEAK", "child_process", child, namesOf(child, /^(?:spawn|exec|fork)/)),
    ...guard("SIM_LEAK", "ChildProcess", prototypeOf(child["ChildProcess"]), ["spawn", "kill"]),
    ...guard("SIM_LEAK", "worker_threads", workers, ["Worker", "BroadcastChannel"]),
    ...guard("SIM_LEAK", "Worker", prototypeOf(workers["Worker"]), ["postMessage"]),
    ...guard("SIM_LEAK", "BroadcastChannel", prototypeOf(workers["BroadcastChannel"]), ["postMessage"]),
    // A program that ends its process would end the test, which then looks as if it had passed.
    ...guard("SIM_LEAK", "process", process, ["exit", "reallyExit", "abort", "kill", "send", "_debugProcess"]),
    ...guard("SIM_LEAK", "process", process, ["binding", "_linkedBinding"], {
      harmless: ({ args }) => !reaches(args[0]),
    }),
  ];
}

/** Whether a binding of the runtime's inside leads to the network, or to other processes. */
function reaches(binding: unknown): boolean {
  return /wrap$|^spawn|^inspector$|^worker$/.test(String(binding));
}
