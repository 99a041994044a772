/**
 * Real asynchronous work of a simulated program: files, cryptography, compression. It takes real time, which the seed does
 * not decide, so virtual time stands still until it is done.
 */

import { type AsyncHook, createHook } from "node:async_hooks";
import { reportLeak } from "../guard/leak-guard.ts";
import { currentScope } from "../guard/scope.ts";

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
/** A timer of the real clock. */
const TIMER = "Timeout";

/** All worlds whose work is watched. */
const watched: Map<object, RealWork> = new Map();

let beginnings: AsyncHook | undefined;
let endings: AsyncHook | undefined;

/** Watches what the programs of one world have under way. */
export class RealWork {
  readonly #world: object;
  readonly #work: Map<number, Work> = new Map();
  /** Kinds of work of which a step was done since the last look, and how many steps. */
  readonly #done: Map<string, number> = new Map();
  #whenQuiet: (() => void) | undefined;

  constructor(world: object) {
    this.#world = world;
    watched.set(world, this);
    if (watched.size > 1) return;
    // Promises are many and none of them is real work; newer runtimes can leave them out.
    const options = { trackPromises: false };
    beginnings = createHook({ ...options, init: onInit }).enable();
    endings = createHook({ ...options, after: onAfter });
  }

  /** Stops watching. */
  stop(): void {
    this.#work.clear();
    watched.delete(this.#world);
    if (watched.size > 0) return;
    beginnings?.disable();
    endings?.disable();
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
    this.#done.set(work.type, (this.#done.get(work.type) ?? 0) + 1);
    if (work.type !== COMPRESSION) this.#work.delete(id);
    const callback = this.#whenQuiet;
    this.#whenQuiet = undefined;
    callback?.();
  }
}

function onInit(id: number, type: string, _trigger: number, resource: object): void {
  if (type === "PROMISE") return;
  if (type !== COMPRESSION && type !== TIMER && !REQUEST.test(type)) return;
  const scope = currentScope();
  if (scope === undefined) return;
  // The guard stops all others: this one was reached by a reference that was taken before.
  if (type === TIMER) reportLeak(scope, "SIM_CLOCK_LEAK", "setTimeout");
  else watched.get(scope.world)?.begun(id, type, resource);
}

function onAfter(id: number): void {
  for (const work of watched.values()) work.done(id);
}

function isBusy({ type, resource }: Work): boolean {
  // While a step is under way, its input hangs on the object.
  if (type === COMPRESSION) return ((resource as { buffer?: unknown }).buffer ?? null) !== null;
  return !JOB.test(type) || (resource as { ondone?: unknown }).ondone !== undefined;
}
