/** What a simulated program must not touch: the list of the guard, by module. */

import { FramedDatagrams } from "../../io/datagram/framed-datagrams.ts";
import { DatagramSocket } from "../../io/datagram/socket.ts";
import { Listener } from "../../io/listener/listener.ts";
import { StreamSocket } from "../../io/stream/socket.ts";
import { FramedStream } from "../../io/stream/framed-stream.ts";
import { builtin, builtinIfAny } from "./builtin.ts";
import {
  guard,
  type GuardedCall,
  type GuardOptions,
  type Leak,
  namesOf,
  prototypeOf,
  type Use,
} from "./guarded-call.ts";
import { clockCalls } from "./guarded-clocks.ts";

/** Everything that the guard covers on this runtime. What a runtime does not have is left out. */
export function guardedCalls(): readonly GuardedCall[] {
  return [
    ...guard("SIM_LEAK", [...networkCalls(), ...socketCalls(), ...processCalls()]),
    ...guard("SIM_CLOCK_LEAK", [...clockCalls(), ...randomCalls()]),
  ];
}

function networkCalls(): Leak[] {
  const net = builtin("net");
  const dgram = builtin("dgram");
  // To join a group opens a socket that is not bound yet.
  const datagrams = ["bind", "send", "connect", ...namesOf(prototypeOf(dgram["Socket"]) as object, /Membership$/)];
  return [
    // The prototypes stop whoever took a reference to `connect` or `createServer` before.
    ["net", net, ["connect", "createConnection"]],
    ["net.Socket", prototypeOf(net["Socket"]), ["connect"]],
    ["net.Server", prototypeOf(net["Server"]), ["listen"]],
    ["tls", builtin("tls"), ["connect"]],
    ["http", builtin("http"), ["request", "get"]],
    ["https", builtin("https"), ["request", "get"]],
    ["http2", builtin("http2"), ["connect"]],
    ["dgram.Socket", prototypeOf(dgram["Socket"]), datagrams],
    ...dnsCalls(),
    ["inspector", builtinIfAny("inspector"), ["open", "waitForDebugger"]],
    ["globalThis", globalThis, ["WebSocket", "EventSource", "BroadcastChannel"]],
    ["globalThis", globalThis, ["fetch"], { rejects: true }],
  ];
}

function dnsCalls(): Leak[] {
  const dns = builtin("dns");
  const promises = dns["promises"] as Record<string, unknown>;
  const asks = /^(?:lookup|resolve|reverse)/;
  return [
    ["dns", dns, namesOf(dns, asks)],
    ["dns.promises", promises, namesOf(promises, asks), { rejects: true }],
    ...resolverCalls("dns.Resolver", dns["Resolver"], asks, false),
    ...resolverCalls("dns.promises.Resolver", promises["Resolver"], asks, true),
  ];
}

function resolverCalls(label: string, resolver: unknown, asks: RegExp, rejects: boolean): Leak[] {
  const calls: Leak[] = [];
  let owner = prototypeOf(resolver) ?? Object.prototype;
  for (; owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object) {
    calls.push([label, owner, namesOf(owner, asks), { rejects }]);
  }
  return calls;
}

function processCalls(): Leak[] {
  const child = builtin("child_process");
  const workers = builtin("worker_threads");
  return [
    ["child_process", child, namesOf(child, /^(?:spawn|exec|fork)/)],
    ["ChildProcess", prototypeOf(child["ChildProcess"]), ["spawn", "kill"]],
    ["worker_threads", workers, ["Worker", "BroadcastChannel"]],
    ["Worker", prototypeOf(workers["Worker"]), ["postMessage"]],
    ["BroadcastChannel", prototypeOf(workers["BroadcastChannel"]), ["postMessage"]],
    // A program that ends its process would end the test, which then looks as if it had passed.
    ["process", process, ["exit", "reallyExit", "abort", "kill", "send", "_debugProcess"]],
    ["process", process, ["binding", "_linkedBinding"], { harmless: ({ args }) => !reaches(args[0]) }],
  ];
}

/** Whether a binding of the runtime's inside leads to the network, or to other processes. */
function reaches(binding: unknown): boolean {
  return /wrap$|^spawn|^inspector$|^worker$/.test(String(binding));
}

/** Reading, writing and accepting; to close or to abort one is no leak. */
const CALLS = ["read", "readInto", "readExactly", "readUntil", "write", "end", "startTls", "accept"];
const MESSAGE_CALLS = ["receive", "receiveMany", "send", "sendMany", "flush", "onMessages", "onFrames", "onDatagrams"];
const ITERATORS = [Symbol.asyncIterator, "chunks", "messages", "datagrams", "batches", "connections"];

/** Of the runtime, and of this package: a simulated socket has nothing beneath it. */
function socketCalls(): Leak[] {
  const { Socket } = builtin("net") as { Socket: { readonly prototype: object } };
  const own: GuardOptions = { harmless: isOutput };
  return [
    // `write` and `end` are inherited, by streams of all kinds: only sockets are guarded.
    ["net.Socket", Socket.prototype, ["read", "resume"], own],
    ["net.Socket", Socket.prototype, ["write", "end"], { ...own, owner: Socket.prototype }],
    ...kernelOnly("StreamSocket", StreamSocket),
    ...kernelOnly("FramedStream", FramedStream),
    ...kernelOnly("DatagramSocket", DatagramSocket),
    ...kernelOnly("FramedDatagrams", FramedDatagrams),
    ...kernelOnly("Listener", Listener),
  ];
}

/** What a program prints may leave the world. */
function isOutput({ self }: Use): boolean {
  return self === process.stdout || self === process.stderr;
}

function kernelOnly(label: string, { prototype }: { readonly prototype: object }): Leak[] {
  return [
    [label, prototype, [...CALLS, ...MESSAGE_CALLS], { rejects: true, harmless: isSimulated }],
    [label, prototype, ITERATORS, { harmless: isSimulated }],
  ];
}

function isSimulated({ self }: Use): boolean {
  const one = self as Pick<StreamSocket, "interop"> | { readonly socket: Pick<StreamSocket, "interop"> };
  return ("socket" in one ? one.socket : one).interop.native === undefined;
}

/** Everything that draws, and all of cryptography that gives another result each time. */
function randomCalls(): Leak[] {
  const crypto = builtin("crypto");
  const fs = builtin("fs");
  const draws = /^(?:random|generate(?:Key|Prime)|encapsulate)|^(?:pseudoRandomBytes|prng|rng)$/;
  return [
    ["Math", Math, ["random"]],
    ["crypto", crypto, namesOf(crypto, draws)],
    ["crypto", crypto["webcrypto"], ["getRandomValues", "randomUUID", "randomUUIDv7"]],
    ...["ECDH", "DiffieHellman", "DiffieHellmanGroup"].map(
      (name): Leak => [`crypto.${name}`, prototypeOf(crypto[name]), ["generateKeys"]],
    ),
    // A length asks for a new prime number; a prime number is one that the program has.
    [
      "crypto",
      crypto,
      ["createDiffieHellman", "DiffieHellman"],
      { harmless: ({ args }) => typeof args[0] !== "number" },
    ],
    ...signatureCalls(crypto),
    ...subtleCalls(crypto["webcrypto"] as { readonly subtle: object }),
    ["URL", URL, ["createObjectURL"]],
    ["fs", fs, namesOf(fs, /^mkdtemp/)],
    ["fs.promises", fs["promises"], namesOf(fs["promises"] as object, /^mkdtemp/), { rejects: true }],
  ];
}

function signatureCalls(crypto: Record<string, unknown>): Leak[] {
  const { createPrivateKey } = crypto as { createPrivateKey: (key: unknown) => { readonly asymmetricKeyType: string } };
  const { constants } = crypto as { constants: Readonly<Record<string, number>> };
  const { RSA_PKCS1_PADDING: simple, RSA_NO_PADDING: bare } = constants;
  const typeOf = (key: unknown): string => {
    const inner = (key as { readonly key?: unknown }).key ?? key;
    const known = (inner as { readonly asymmetricKeyType?: string }).asymmetricKeyType;
    return known ?? createPrivateKey(key).asymmetricKeyType;
  };
  // RFC 8017 section 8.2 and RFC 8032: the others have a random part.
  const signsAlike = (key: unknown): boolean => {
    try {
      const { padding = simple } = key as { readonly padding?: number };
      const type = typeOf(key);
      return type.startsWith("ed") || (type === "rsa" && padding === simple);
    } catch {
      // It is no key: the call says so.
      return true;
    }
  };
  const inTheRaw = ({ args }: Use): boolean => (args[0] as { readonly padding?: number } | undefined)?.padding === bare;
  return [
    ["crypto", crypto, ["sign"], { harmless: ({ args }) => signsAlike(args[2]) }],
    ["crypto.Sign", prototypeOf(crypto["Sign"]), ["sign"], { harmless: ({ args }) => signsAlike(args[0]) }],
    ["crypto", crypto, ["publicEncrypt"], { harmless: inTheRaw }],
  ];
}

function subtleCalls({ subtle }: { readonly subtle: object }): Leak[] {
  const nameOf = (algorithm: unknown): string =>
    String((algorithm as { readonly name?: unknown } | null | undefined)?.name ?? algorithm);
  const of = (place: number, fits: (name: string) => boolean): GuardOptions => ({
    rejects: true,
    harmless: ({ args }) => fits(nameOf(args[place])),
  });
  const signsAlike = (name: string): boolean => /^(?:hmac|kmac\d+|rsassa-pkcs1-v1_5|ed\d+)$/i.test(name);
  const encryptsAlike = (name: string): boolean => !/^rsa-oaep$/i.test(name);
  const label = "crypto.subtle";
  return [
    [label, subtle, ["generateKey", "encapsulateKey", "encapsulateBits"], { rejects: true }],
    [label, subtle, ["sign"], of(0, signsAlike)],
    [label, subtle, ["encrypt"], of(0, encryptsAlike)],
    [label, subtle, ["wrapKey"], of(3, encryptsAlike)],
  ];
}
