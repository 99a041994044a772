/** Starting proxies, and what runs then. */

import { networkOf } from "../api/call-options.ts";
import { PacketWriter } from "./capture.ts";
import { ConnectionError } from "../core/errors.ts";
import { type FaultGuard, guardOf } from "../core/faults/fault.ts";
import { checkOptions, HANDLER, optionInvalid } from "../core/options/check-options.ts";
import type { Network } from "../io/network/network.ts";
import type { CloseReport, GracefulCloseOptions } from "../io/operation/graceful-close.ts";
import { type ProxyFault, refusalOf } from "./fault.ts";
import { FaultBoard } from "./fault-board.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { FineClock } from "./fine-clock.ts";
import { CAPTURE_RULES, planOf, type ProxyPlan, START_RULES } from "./options.ts";
import type * as api from "./public.ts";
import type { FaultProxies as RunningProxies, StartProxyOptions } from "./public.ts";
import { Recording } from "./recording.ts";
import { type ProxyReport, ReportLedger } from "./report.ts";
import { checkSchedule, faultOf, type ProxySchedule, type ScheduledFault } from "./schedule.ts";
import { SchedulePlay } from "./schedule-play.ts";
import { type ProxyListener, ProxyWatch } from "./watch.ts";

/**
 * Starts proxies: programs connect to them instead of to their servers, and faults of the network happen in between.
 *
 * All names, addresses and faults are checked before any socket opens, and when one proxy cannot listen, those before it are closed.
 * Rejects with `OPTION_INVALID`, with `ADDRESS_INVALID` for an address that is not loopback without `expose`, and as `listen` and
 * `bind` do.
 *
 * @example
 * ```ts
 * import { connect, serve } from "zocalo";
 * import { startProxy } from "zocalo/proxy";
 * await using server = await serve("tcp://127.0.0.1:0", async (peer) => {
 *   for await (const bytes of peer) await peer.write(bytes);
 * });
 * await using running = await startProxy({ proxies: [{ name: "echo", upstream: server.localAddress }] });
 * await using call = await connect(running.proxies.get("echo")!.listen);
 * await call.write("hola");
 * console.log(String(await call.readExactly(4))); // hola
 * ```
 */
export async function startProxy(options: StartProxyOptions): Promise<RunningProxies> {
  const op = "startProxy";
  const network = networkOf(op, options);
  const { proxies = [], expose = false, ...checked } = checkOptions({ op }, options, START_RULES);
  const plans = proxies.map((one, index) => planOf(one, expose, op, `proxies[${index}].`));
  const twice = plans.find(({ name }, index) => plans.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw nameTaken(twice.name, op);
  const schedule = checked.schedule && checkSchedule(checked.schedule, plans, op);
  const running = new FaultProxies(network, checked.seed ?? schedule?.seed ?? 1, expose);
  try {
    for (const plan of plans) await running.open(plan);
    if (schedule !== undefined) running.play(schedule);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

function nameTaken(name: string, op: string): Error {
  return optionInvalid({ op }, `there are two proxies with the name ${JSON.stringify(name)}; give each its own`);
}

class FaultProxies implements api.FaultProxies {
  readonly seed: number;
  readonly proxies: Map<string, FaultProxy> = new Map();
  readonly closed: Promise<void>;
  readonly #network: Network;
  readonly #clock: FineClock;
  readonly #expose: boolean;
  readonly #ledger = new ReportLedger();
  readonly #watch = new ProxyWatch();
  readonly #plays = new Set<SchedulePlay>();
  readonly #recordings = new Set<Recording>();
  #closing: Promise<CloseReport> | undefined;
  #isClosed = false;
  #over: () => void = () => undefined;

  constructor(network: Network, seed: number, expose: boolean) {
    this.#network = network;
    this.#clock = new FineClock(network.clock);
    this.seed = seed;
    this.#expose = expose;
    this.closed = new Promise((resolve) => {
      this.#over = resolve;
    });
  }

  get plays(): readonly api.SchedulePlay[] {
    return [...this.#plays];
  }

  async add(definition: api.ProxyDefinition): Promise<api.FaultProxy> {
    const plan = planOf(definition, this.#expose, "add");
    this.#refuseClosed("add");
    if (this.proxies.has(plan.name)) throw nameTaken(plan.name, "add");
    return await this.open(plan);
  }

  /** Opens a proxy that has been checked. Its name is taken from now on. */
  async open(plan: ProxyPlan): Promise<FaultProxy> {
    const parts = { network: this.#network, clock: this.#clock, ledger: this.#ledger, watch: this.#watch };
    const board = new FaultBoard(this.seed, plan.name, (fault, change) => {
      this.#watch.tell({ type: "fault", proxy: plan.name, atMs: this.#network.clock.now(), fault, change });
      // What a proxy has before it is here belongs to its definition.
      if (this.proxies.has(plan.name)) for (const one of this.#recordings) one.told(plan.name, fault, change);
    });
    const proxy = new FaultProxy(plan, { ...parts, board }, this.#expose);
    this.proxies.set(plan.name, proxy);
    try {
      if (plan.enabled) await proxy.open();
    } catch (error) {
      // Its name may be that of another one by now.
      if (this.proxies.get(plan.name) === proxy) this.proxies.delete(plan.name);
      throw error;
    }
    return proxy;
  }

  async remove(name: string): Promise<void> {
    const proxy = this.proxies.get(name);
    if (proxy === undefined) throw optionInvalid({ op: "remove" }, `there is no proxy ${JSON.stringify(name)}`);
    this.proxies.delete(name);
    await proxy.shut();
  }

  inflict(fault: ProxyFault): FaultGuard {
    const proxies = [...this.proxies.values()];
    const refusals = proxies.map(({ upstream }) => refusalOf(fault, upstream, "inflict"));
    if (proxies.length === 0) throw optionInvalid({ op: "inflict" }, "there is no proxy yet; add one first");
    if (!refusals.includes(undefined)) throw refusals[0];
    return inflictIn(proxies, fault);
  }

  play(given: ProxySchedule): api.SchedulePlay {
    const schedule = checkSchedule(given, [...this.proxies.values()], "play");
    this.#refuseClosed("play");
    const play = new SchedulePlay(schedule, this.#network.clock, (fault) => this.#begin(fault));
    this.#plays.add(play);
    void play.ended.then(() => this.#plays.delete(play));
    return play;
  }

  record(): api.ProxyRecording {
    this.#refuseClosed("record");
    const { clock } = this.#network;
    const names = (): readonly string[] => [...this.proxies.keys()];
    const recording: Recording = new Recording(this.seed, clock, names, () => this.#recordings.delete(recording));
    this.#recordings.add(recording);
    for (const { name, added } of this.proxies.values()) {
      for (const fault of added) recording.told(name, fault, "began", recording.beganAtMs);
    }
    return recording;
  }

  watch(listener: ProxyListener): () => void {
    checkOptions({ op: "watch" }, { listener }, { listener: HANDLER });
    return this.#watch.add(listener);
  }

  capture(write: api.WriteCapture, options: api.CaptureOptions = {}): () => void {
    const op = "capture";
    checkOptions({ op }, { write }, { write: HANDLER });
    const { epochMs = 0 } = checkOptions({ op }, options, CAPTURE_RULES);
    const nowMs = this.#network.clock.now();
    const writer = new PacketWriter(write, epochMs - nowMs);
    for (const proxy of this.proxies.values()) {
      for (const { number, client } of proxy.connections) writer.known(proxy, number, client, nowMs);
    }
    return this.#watch.add((event) => writer.told(event));
  }

  report(): ProxyReport {
    return this.#ledger.report(this.seed);
  }

  close(options: GracefulCloseOptions = {}): Promise<CloseReport> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  abort(reason?: unknown): void {
    void this.stop(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Cuts everything at once. */
  async stop(reason?: unknown): Promise<void> {
    this.#isClosed = true;
    for (const play of this.#plays) play.stop();
    await Promise.allSettled(Array.from(this.proxies.values(), (proxy) => proxy.shut(reason)));
    this.#over();
  }

  /** Lets a fault of a schedule begin where it can be: proxies may have come and gone since it was checked. */
  #begin(fault: ScheduledFault): FaultGuard {
    return inflictIn(
      Array.from(this.proxies.values()).filter(({ name }) => name === (fault.proxy ?? name)),
      faultOf(fault),
    );
  }

  #refuseClosed(op: string): void {
    if (this.#isClosed) throw new ConnectionError("CLOSED", { op, detail: "the proxies were closed" });
  }

  async #close(options: GracefulCloseOptions): Promise<CloseReport> {
    this.#isClosed = true;
    const beganMs = this.#network.clock.now();
    const reports = await Promise.all(Array.from(this.proxies.values(), (proxy) => proxy.close(options)));
    for (const play of this.#plays) play.stop();
    this.#over();
    return {
      finished: reports.reduce((sum, { finished }) => sum + finished, 0),
      cut: reports.reduce((sum, { cut }) => sum + cut, 0),
      durationMs: this.#network.clock.now() - beganMs,
    };
  }
}

/** Lets a fault begin in those of the proxies that can have it. */
function inflictIn(proxies: readonly FaultProxy[], fault: ProxyFault): FaultGuard {
  const able = proxies.filter(({ upstream }) => refusalOf(fault, upstream, "inflict") === undefined);
  const guards = able.map((proxy) => proxy.inflict(fault));
  return guardOf(guards.map((guard) => () => guard.heal()));
}
