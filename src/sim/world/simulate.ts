/** Running a program in a simulated world. */

import {
  ANYTHING,
  checkOptions,
  FLAG,
  FUNCTION,
  OBJECT,
  type RulesOf,
  wholeNumber,
} from "../../core/options/check-options.ts";
import { type ErrorCode, TimeoutError, UsageError, ZocaloError } from "../../core/errors.ts";
import { linkTable } from "../../core/faults/conditions.ts";
import { microseconds } from "../../core/faults/latency.ts";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { PACKAGE_VERSION } from "../../core/version.ts";
import { PacketCapture } from "../capture/packet-capture.ts";
import { noteFailure, watchFailures } from "../guard/failure-guard.ts";
import { raiseGuard } from "../guard/leak-guard.ts";
import { currentScope, runInScope, type Scope } from "../guard/scope.ts";
import { tcpSettings } from "../kernel/tcp-settings.ts";
import { Fabric } from "./fabric.ts";
import { describeHosts, failureOf, withSeed } from "./failure.ts";
import { Process } from "../adapter/process.ts";
import { nextRealTurn } from "../time/real-turn.ts";
import { RealWork } from "../time/real-work.ts";
import { Scheduler } from "../time/scheduler.ts";
import { TRACE_VERSION, Trace } from "./trace.ts";
import { SimWorld } from "./world.ts";
import type { SimulateOptions, SimulationReport, World } from "./world-contract.ts";

/** What {@link SimulateOptions} must look like; the links and TCP are looked at where they are made. */
export const SIMULATE_RULES: RulesOf<SimulateOptions> = {
  seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  link: OBJECT,
  tcp: OBJECT,
  explore: FLAG,
  cutReads: FLAG,
  limitMs: ANYTHING,
  livelockEvents: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  trace: FUNCTION,
  capture: FUNCTION,
};

const DAY_MS = 86_400_000;
const DEADLOCK =
  "the program waits, and no event that could wake it is left in this world; no timer is set and no packet is under way";
const LIVELOCK =
  "events happened and virtual time moves by no more than timers of 0 ms; wait for something, or for longer";

/**
 * Runs `main` in a new world, and resolves with a report when `main` has. Everything in the world ends with it: calls that
 * are pending then never settle.
 *
 * Rejects with the error of `main` or of a host's program, whichever comes first, also one that nobody caught or handled; with
 * `SIM_LEAK` and `SIM_CLOCK_LEAK` when a program left the world, even if it caught that error; with `SIM_DEADLOCK` when nothing
 * can happen any more, with `SIM_LIVELOCK` when time stands still for ever, with `SIM_INVARIANT` when a `world.always` does not
 * hold, with `TIMEOUT` after `limitMs`; with `OPTION_INVALID`, and with `UNSUPPORTED` within another world. The `stack` of the
 * error says which seed it was, and when.
 *
 * @example
 * ```ts
 * import { bind } from "zocalo";
 * import { simulate } from "zocalo/sim";
 * const { durationMs } = await simulate({ seed: 42, link: { latency: 25 } }, async (world) => {
 *   const box = await bind("udp://0.0.0.0:5000", { network: world.host("plaza").network });
 *   const friend = await bind("udp://0.0.0.0:0", { network: world.host("friend").network });
 *   await friend.send("hola", "udp://plaza:5000");
 *   console.log(String((await box.receive()).data)); // hola
 * });
 * console.log(durationMs < 100); // true
 * ```
 */
export async function simulate<T>(
  options: SimulateOptions,
  main: (world: World) => Promise<T>,
): Promise<SimulationReport<T>> {
  return await new Run(options).execute(main);
}

/** What an explorer adds to a run. */
export interface RunExtension {
  /** More that decided the run, for the header of its trace. */
  readonly header: Readonly<Record<string, unknown>>;
  /** Called with the world before `main`. */
  prepare(world: SimWorld): void;
}

/** How far a run has come, also when it fails. */
type RunProgress = Omit<SimulationReport<unknown>, "value">;

/** One run of one world. */
export class Run {
  readonly #identity: object = {};
  readonly #trace: Trace;
  readonly #work: RealWork;
  readonly #scheduler: Scheduler;
  readonly #director: Process;
  readonly #world: SimWorld;
  readonly #scope: Scope;
  /** What went wrong beside `main`, the first first. */
  readonly #failures: unknown[] = [];
  #over = false;

  constructor(given: SimulateOptions, extension?: RunExtension) {
    const options = checkOptions({ op: "simulate" }, given, SIMULATE_RULES);
    const { seed = 1, explore = false, cutReads = true, limitMs = DAY_MS, livelockEvents = 1_000_000 } = options;
    if (currentScope() !== undefined) {
      // The time of the outer world would go on while the inner one is at work.
      const detail = "simulate() cannot be called inside a world; call it outside";
      throw new UsageError("UNSUPPORTED", { op: "simulate", detail });
    }
    microseconds(limitMs, "simulate");
    const link = linkTable(options.link ?? {}, undefined, "simulate");
    const tcp = tcpSettings(options.tcp);
    const streams = (label: string): RandomStream => new RandomStream(seed, label);
    const permutation = explore ? streams("explore").uint32() : undefined;
    const derived = { seed, link, tcp, explore, permutation, cutReads, limitMs, livelockEvents, ...extension?.header };
    this.#trace = new Trace({ format: TRACE_VERSION, ...derived }, options.trace, versions());
    this.#work = new RealWork(this.#identity);
    this.#scheduler = new Scheduler({ livelockEvents, limitUs: limitMs * 1000, permutation }, this.#work, {
      deadlock: () => this.#stuck("SIM_DEADLOCK", DEADLOCK),
      livelock: (events) => this.#stuck("SIM_LIVELOCK", `${events} ${LIVELOCK}`),
      tooLong: () => this.#stuck("TIMEOUT", `the program was not done after limitMs (${limitMs}) of virtual time`),
      frozen: (kinds) => this.#frozen(kinds),
    });
    const fabric = new Fabric(this.#scheduler, this.#trace, streams);
    fabric.defaults = link;
    if (options.capture !== undefined) fabric.capture = new PacketCapture(options.capture);
    const failed = (error: unknown): void => this.fail(error);
    this.#scope = {
      place: "world",
      now: () => this.#scheduler.nowUs / 1000,
      seed,
      world: this.#identity,
      leaked: failed,
      unhandled: failed,
    };
    this.#director = new Process(this.#scheduler, this.#scope, streams("world"));
    const shared = { scheduler: this.#scheduler, fabric, trace: this.#trace, streams, tcp, cutReads, seed };
    const told = { world: this.#identity, leaked: failed, programFailed: failed };
    this.#world = new SimWorld({ ...shared, ...told }, this.#director);
    extension?.prepare(this.#world);
  }

  get progress(): RunProgress {
    const { nowUs, events } = this.#scheduler;
    const { coverage } = this.#world.invariants;
    return { seed: this.#world.seed, durationMs: nowUs / 1000, events, digest: this.#trace.digest, coverage };
  }

  /** Ends the run with an error. */
  fail(error: unknown): void {
    this.#failures.push(error);
    noteFailure(error);
    this.#scheduler.fail(error);
  }

  /** Runs `main` to its end. */
  async execute<T>(main: (world: World) => Promise<T>): Promise<SimulationReport<T>> {
    const lower = raiseGuard();
    const unwatch = watchFailures();
    let how = "ended";
    try {
      const value = await this.#runMain(main);
      // The runtime tells of rejections that nobody handles when all microtasks have run, which may be later than that.
      await new Promise<void>((resolve) => nextRealTurn(resolve));
      if (this.#failures.length > 0) throw this.#failures[0];
      await this.#end(how);
      return { value, ...this.progress };
    } catch (error) {
      how = `failed: ${failureOf(error).identity}`;
      throw withSeed(error, this.#world.seed, this.#world.now);
    } finally {
      await this.#end(how);
      // What failed with the run is told now, and is no news.
      await new Promise<void>((resolve) => nextRealTurn(resolve));
      unwatch();
      lower();
      this.#work.stop();
    }
  }

  /**
   * Ends all programs, and the trace: two runs are the same only when they end in the same way, behind as many events. Nothing
   * may continue in the real world, so what is under way ends first, with the guard still up.
   */
  async #end(how: string): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { nowUs, events } = this.#scheduler;
    this.#director.end();
    for (const host of this.#world.hosts) host.end();
    while (this.#work.pending().length > 0) await new Promise<void>((resolve) => this.#work.whenDone(resolve));
    this.#frozen(this.#work.takeDone());
    this.#trace.record(nowUs, "world", `${events} events`, how);
  }

  #frozen(kinds: readonly string[]): void {
    if (kinds.length > 0) this.#trace.record(this.#scheduler.nowUs, "world", kinds.join(" "), "frozen");
  }

  async #runMain<T>(main: (world: World) => Promise<T>): Promise<T> {
    let settled = false;
    // The run is told of leaks before `main` gets to its first await.
    const leaks = this.#scheduler.run(() => settled);
    const running = runInScope(this.#scope, async () => await main(this.#world));
    const done = (): void => {
      settled = true;
    };
    running.then(done, done);
    await leaks;
    return await running;
  }

  #stuck(code: ErrorCode, what: string): ZocaloError {
    const details = { op: "simulate", detail: `${what}.\n${describeHosts(this.#world)}` };
    return code === "TIMEOUT" ? new TimeoutError(code, details) : new ZocaloError(code, details);
  }
}

/** What the run stands on, for the header of its trace. */
function versions(): Readonly<Record<string, unknown>> {
  const { bun, deno, node } = process.versions;
  const runtime = bun !== undefined ? `bun ${bun}` : deno !== undefined ? `deno ${deno}` : `node ${node}`;
  return { zocalo: PACKAGE_VERSION, runtime };
}
