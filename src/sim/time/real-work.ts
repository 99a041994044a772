/**
 * Real asynchronous work of a simulated program: files, cryptography, compression. It takes real time, which the seed does
 * not decide, so virtual time stands still until it is done. What is no work, but leads out of the world, is a leak.
 */

import { type AsyncHook, createHook } from "node:async_hooks";
import { builtin, ForWorlds, replaceProperty } from "../guard/builtin.ts";
import { type LeakCode, namesOf } from "../guard/guarded-call.ts";
import { reportLeak } from "../guard/leak-guard.ts";
import { currentScope, outsideScope } from "../guard/scope.ts";

interface Work {
  readonly type: string;
  readonly resource: object;
}

/** Requests to the file system and to the threads of the runtime: FSREQCALLBACK, PBKDF2REQUEST, ... */
const REQUEST = /REQ/;
/** Cryptography, which makes the same object when it works at once. */
const JOB = /REQUEST$/;
/** Compression has one object for all its steps. */
const COMPRESSION = "ZLIB";
/** A callback in the next turn of the event loop. Modules of the runtime have them too, so it is work and no leak. */
const IMMEDIATE = "Immediate";

/**
 * The guard stops whoever leaves the world by a call. These objects show that one was reached by a reference that was taken
 * before, or by a way that no call guards.
 */
const LEAKS: Readonly<Record<string, readonly [LeakCode, string]>> = {
  TCPWRAP: ["SIM_LEAK", "net.Socket.connect"],
  TCPSERVERWRAP: ["SIM_LEAK", "net.Server.listen"],
  TCPCONNECTWRAP: ["SIM_LEAK", "net.Socket.connect"],
  PIPEWRAP: ["SIM_LEAK", "net.Socket.connect"],
  PIPESERVERWRAP: ["SIM_LEAK", "net.Server.listen"],
  PIPECONNECTWRAP: ["SIM_LEAK", "net.Socket.connect"],
  TTYWRAP: ["SIM_LEAK", "process.stdin"],
  UDPWRAP: ["SIM_LEAK", "dgram.createSocket"],
  UDPSENDWRAP: ["SIM_LEAK", "dgram.Socket.send"],
  GETADDRINFOREQWRAP: ["SIM_LEAK", "dns.lookup"],
  GETNAMEINFOREQWRAP: ["SIM_LEAK", "dns.lookupService"],
  QUERYWRAP: ["SIM_LEAK", "dns.resolve"],
  PROCESSWRAP: ["SIM_LEAK", "child_process.spawn"],
  WORKER: ["SIM_LEAK", "worker_threads.Worker"],
  HTTP2STREAM: ["SIM_LEAK", "http2.Session.request"],
  Timeout: ["SIM_CLOCK_LEAK", "setTimeout"],
  MESSAGEPORT: ["SIM_CLOCK_LEAK", "MessageChannel"],
  FSEVENTWRAP: ["SIM_CLOCK_LEAK", "fs.watch"],
  STATWATCHER: ["SIM_CLOCK_LEAK", "fs.watchFile"],
  RANDOMBYTESREQUEST: ["SIM_CLOCK_LEAK", "crypto.randomBytes"],
  RANDOMPRIMEREQUEST: ["SIM_CLOCK_LEAK", "crypto.generatePrime"],
  KEYGENREQUEST: ["SIM_CLOCK_LEAK", "crypto.generateKey"],
  KEYPAIRGENREQUEST: ["SIM_CLOCK_LEAK", "crypto.generateKeyPair"],
};

/** All worlds whose work is watched. */
const watched = new Map<object, RealWork>();

/** Switched on when the first work begins, since it costs each step of anything. */
let endings: AsyncHook | undefined;
const hooks = new ForWorlds(() => {
  // Promises are many and none of them is real work; newer runtimes can leave them out.
  const options = { trackPromises: false };
  const beginnings = createHook({ ...options, init: onInit }).enable();
  endings = createHook({ ...options, after: onAfter });
  return [() => beginnings.disable(), () => endings?.disable(), ...watchPromises()];
});

/** Watches what the programs of one world have under way. */
export class RealWork {
  readonly #world: object;
  readonly #unhook: () => void;
  readonly #work = new Map<number, Work>();
  /** Kinds of work of which a step was done since the last look, and how many steps. */
  readonly #done = new Map<string, number>();
  #promises = 0;
  #whenQuiet: (() => void) | undefined;

  constructor(world: object) {
    this.#world = world;
    watched.set(world, this);
    this.#unhook = hooks.raise();
  }

  /** Stops watching. */
  stop(): void {
    this.#work.clear();
    watched.delete(this.#world);
    this.#unhook();
  }

  /** The kinds of work that are under way, sorted; empty when there is none. */
  pending(): readonly string[] {
    if (this.#work.size === 0) return [];
    const kinds: string[] = [];
    for (const [id, work] of this.#work) {
      if (isBusy(work)) kinds.push(work.type);
      else if (work.type !== COMPRESSION) this.#work.delete(id);
    }
    return kinds.sort();
  }

  /**
   * The work that was done since this was asked last, sorted: `FSREQCALLBACK 2`. The same in every run when it is asked while
   * nothing is pending, however fast the work was: what is pending at one moment of real time is not.
   */
  takeDone(): readonly string[] {
    if (this.#done.size === 0) return [];
    const steps = [...this.#done].map(([type, count]) => `${type} ${count}`).sort();
    this.#done.clear();
    return steps;
  }

  /** Calls `callback` once, when a piece of work is done. */
  whenDone(callback: () => void): void {
    this.#whenQuiet = callback;
  }

  /** Work began. */
  begun(id: number, type: string, resource: object): void {
    this.#work.set(id, { type, resource });
    endings?.enable();
  }

  /** A step of `id` is done. */
  done(id: number): void {
    const work = this.#work.get(id);
    if (work === undefined) return;
    if (work.type !== COMPRESSION) this.#work.delete(id);
    // What was never busy may have been forgotten before: it must not count by chance.
    if (!isWorkInTheBackground(work)) return;
    this.#done.set(work.type, (this.#done.get(work.type) ?? 0) + 1);
    const callback = this.#whenQuiet;
    this.#whenQuiet = undefined;
    // Whoever waits here is the scheduler, which belongs to no program.
    if (callback !== undefined) outsideScope(callback);
  }

  /** Work that shows by its promise alone. */
  begunPromise(type: string, promise: Promise<unknown>): void {
    this.#promises -= 1;
    const id = this.#promises;
    this.begun(id, type, promise);
    const done = (): void => this.done(id);
    promise.then(done, done);
  }
}

function onInit(id: number, type: string, _trigger: number, resource: object): void {
  if (type === "PROMISE") return;
  const leak = LEAKS[type];
  if (leak === undefined && type !== COMPRESSION && type !== IMMEDIATE && !REQUEST.test(type)) return;
  const scope = currentScope();
  if (scope === undefined) return;
  if (leak === undefined) watched.get(scope.world)?.begun(id, type, resource);
  else reportLeak(scope, ...leak);
}

function onAfter(id: number): void {
  for (const work of watched.values()) work.done(id);
}

function isBusy(work: Work): boolean {
  const { type, resource } = work;
  // While a step is under way, its input hangs on the object.
  if (type === COMPRESSION) return ((resource as { buffer?: unknown }).buffer ?? null) !== null;
  if (type === IMMEDIATE) return !isCleared(resource);
  return isWorkInTheBackground(work);
}

/** `clearImmediate` takes the callback away. */
function isCleared(immediate: object): boolean {
  return ((immediate as Readonly<Record<string, unknown>>)["_onImmediate"] ?? null) === null;
}

/** Jobs of cryptography that somebody waits for have a callback; those of `crypto.subtle` show by their promises. */
function isWorkInTheBackground({ type, resource }: Work): boolean {
  return !JOB.test(type) || (resource as { ondone?: unknown }).ondone !== undefined;
}

type AnyFunction = (...args: unknown[]) => unknown;

/** Calls whose work in the background no object shows on every runtime, only the promise that they give. */
function watchPromises(): (() => void)[] {
  const { subtle } = builtin("crypto")["webcrypto"] as { readonly subtle: object };
  const cryptography = Object.getPrototypeOf(subtle) as object;
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: object };
  const replaced = (label: string, owner: object, names: readonly string[]): (() => void)[] =>
    names.map((name) =>
      replaceProperty(owner, name, (read) => ({
        writable: true,
        value: watchedCall(`${label}.${name}`, read(owner) as AnyFunction),
      })),
    );
  return [
    ...replaced("crypto.subtle", cryptography, namesOf(cryptography, /^(?!constructor$)/)),
    ...replaced("WebAssembly", WebAssembly, ["compile", "instantiate"]),
  ];
}

function watchedCall(label: string, original: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const result = Reflect.apply(original, this, args);
    const scope = currentScope();
    if (scope !== undefined && result instanceof Promise) watched.get(scope.world)?.begunPromise(label, result);
    return result;
  };
}
