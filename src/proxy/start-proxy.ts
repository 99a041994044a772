/** Starting proxies, and what runs then. */

import { networkOf } from "../api/call-options.ts";
import { PacketWriter } from "./capture.ts";
import { ConnectionError } from "../core/errors.ts";
import { type FaultGuard, guardOf } from "../core/faults/fault.ts";
import { checkOptions, HANDLER, optionInvalid } from "../core/options/check-options.ts";
import type { Network } from "../io/network/network.ts";
import {
  CLOSE_SERVER_RULES,
  type CloseReport,
  type CloseServerOptions,
  GracefulClose,
  type ServerEnd,
} from "../io/operation/graceful-close.ts";
import { type ProxyFault, refusalOf } from "./fault.ts";
import { FaultBoard } from "./fault-board.ts";
import { FaultProxy, type FaultProxyOwner } from "./fault-proxy.ts";
import { FineClock } from "../io/operation/fine-clock.ts";
import { CAPTURE_RULES, planOf, type ProxyPlan, type ProxyRules, START_RULES } from "./options.ts";
import type * as api from "./public.ts";
import type { FaultProxies as RunningProxies, StartProxyOptions } from "./public.ts";
import { refuseLoop } from "./loop.ts";
import { Recording } from "./recording.ts";
import { type ProxyReport, ReportLedger } from "./report.ts";
import { checkSchedule, faultOf, type ProxySchedule, type ScheduledFault } from "./schedule.ts";
import { peakOf, refuseCrowded, SchedulePlay } from "./schedule-play.ts";
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
  const { proxies = [], expose = false, limits = {}, ...checked } = checkOptions({ op }, options, START_RULES);
  const rules = { expose, maxFaults: limits.maxFaults ?? MOST_FAULTS };
  const plans = proxies.map((one, index) => planOf(one, rules, op, `proxies[${index}].`));
  const twice = plans.find(({ name }, index) => plans.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw nameTaken(twice.name, op);
  for (const plan of plans) refuseLoop(plan, plans, op);
  const schedule = checked.schedule && checkSchedule(checked.schedule, plans, op);
  if (schedule !== undefined) {
    const rooms = plans.map(({ name, faults }) => ({ name, room: rules.maxFaults - faults.length }));
    refuseCrowded(schedule, rooms, op);
  }
  const running = new FaultProxies(network, checked.seed ?? schedule?.seed ?? 1, rules);
  try {
    for (const plan of plans) await running.open(plan);
    if (schedule !== undefined) running.play(schedule);
  } catch (error) {
    await running.close({ timeoutMs: 0 });
    throw error;
  }
  return running;
}

function nameTaken(name: string, op: string): Error {
  return optionInvalid({ op }, `there are two proxies with the name ${JSON.stringify(name)}; give each its own`);
}

/** See `limits.maxFaults`. */
const MOST_FAULTS = 1000;

class FaultProxies implements api.FaultProxies, FaultProxyOwner {
  readonly seed: number;
  readonly proxies: Map<string, FaultProxy> = new Map();
  readonly #network: Network;
  readonly #clock: FineClock;
  readonly rules: ProxyRules;
  readonly #ledger = new ReportLedger();
  readonly #watch = new ProxyWatch();
  readonly #plays = new Set<SchedulePlay>();
  readonly #recordings = new Set<Recording>();
  readonly #closing: GracefulClose<CloseReport>;

  constructor(network: Network, seed: number, rules: ProxyRules) {
    this.#network = network;
    this.#clock = new FineClock(network.clock);
    this.seed = seed;
    this.rules = rules;
    this.#closing = new GracefulClose(
      network.clock,
      () => ({ op: "close" }),
      () => this.#finish(),
      CLOSE_SERVER_RULES,
    );
  }

  get draining(): AbortSignal {
    return this.#closing.draining;
  }
  get closed(): Promise<ServerEnd> {
    return this.#closing.closed;
  }
  get plays(): readonly api.SchedulePlay[] {
    return [...this.#plays];
  }

  async add(definition: api.ProxyDefinition): Promise<api.FaultProxy> {
    const plan = planOf(definition, this.rules, "add");
    this.#refuseClosed("add");
    if (this.proxies.has(plan.name)) throw nameTaken(plan.name, "add");
    refuseLoop(plan, this.proxies.values(), "add");
    return await this.open(plan);
  }

  /** Opens a proxy that has been checked. Its name is taken from now on. */
  async open(plan: ProxyPlan): Promise<FaultProxy> {
    const parts = { network: this.#network, clock: this.#clock, ledger: this.#ledger, watch: this.#watch };
    const board = new FaultBoard(this.seed, plan.name, this.rules.maxFaults, (fault, change) => {
      this.#watch.tell({ type: "fault", proxy: plan.name, atMs: this.#network.clock.now(), fault, change });
      // What a proxy has before it is here belongs to its definition.
      if (this.proxies.has(plan.name)) for (const one of this.#recordings) one.told(plan.name, fault, change);
    });
    for (const { schedule } of this.#plays) board.reserve(peakOf(schedule, plan.name));
    board.refuseFull("add", plan.faults.length);
    const proxy = new FaultProxy(plan, { ...parts, board }, this);
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
    const op = "inflict";
    const proxies = [...this.proxies.values()];
    if (proxies.length === 0) throw optionInvalid({ op }, "there is no proxy yet; add one first");
    const refusals = proxies.map(({ upstream }) => refusalOf(fault, upstream, op));
    if (!refusals.includes(undefined)) throw refusals[0];
    this.#refuseClosed(op);
    const able = proxies.filter((_, index) => refusals[index] === undefined);
    for (const { board } of able) board.refuseFull(op);
    return inflictIn(able, fault, true);
  }

  play(given: ProxySchedule): api.SchedulePlay {
    const schedule = checkSchedule(given, [...this.proxies.values()], "play");
    this.#refuseClosed("play");
    const boards = Array.from(this.proxies.values(), ({ board }) => board);
    refuseCrowded(schedule, boards, "play");
    const begin = (fault: ScheduledFault): FaultGuard => this.#begin(fault);
    const play: SchedulePlay = new SchedulePlay(schedule, this.#network.clock, begin, () => {
      this.#plays.delete(play);
      this.#reserve(schedule, -1);
    });
    this.#plays.add(play);
    this.#reserve(schedule, 1);
    play.look();
    return play;
  }

  /** Takes the places that a schedule needs in each proxy, or gives them back. */
  #reserve(schedule: ProxySchedule, sign: 1 | -1): void {
    for (const { name, board } of this.proxies.values()) board.reserve(sign * peakOf(schedule, name));
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

  close(options?: CloseServerOptions): Promise<CloseReport> {
    return this.#closing.close(options);
  }

  abort(reason?: unknown): void {
    this.#closing.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Lets a fault of a schedule begin where it can be: proxies may have come and gone since it was checked. */
  #begin(fault: ScheduledFault): FaultGuard {
    const own = faultOf(fault);
    const named = Array.from(this.proxies.values()).filter(({ name }) => name === (fault.proxy ?? name));
    const able = named.filter(({ upstream }) => refusalOf(own, upstream, "play") === undefined);
    return inflictIn(able, own, false);
  }

  #refuseClosed(op: string): void {
    if (this.#closing.leaving.aborted) throw new ConnectionError("CLOSED", { op, detail: "the proxies were closed" });
  }

  /** Waits for the connections; those that are left when the time is over are cut. */
  async #finish(): Promise<CloseReport> {
    const late = new AbortController();
    void this.#closing.expired.then(() => late.abort());
    const options = { timeoutMs: Infinity, signal: late.signal };
    const reports = await Promise.all(Array.from(this.proxies.values(), (proxy) => proxy.close(options)));
    for (const play of this.#plays) play.stop();
    return {
      finished: reports.reduce((sum, { finished }) => sum + finished, 0),
      cut: reports.reduce((sum, { cut }) => sum + cut, 0),
      durationMs: this.#closing.durationMs,
    };
  }
}

/** Lets a fault begin in all of the proxies. */
function inflictIn(proxies: readonly FaultProxy[], fault: ProxyFault, takesPlace: boolean): FaultGuard {
  const guards = proxies.map(({ board }) => board.inflict(fault, takesPlace));
  return guardOf(guards.map((guard) => () => guard.heal()));
}
