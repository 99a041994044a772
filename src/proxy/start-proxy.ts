/** Starting proxies, and what runs then. */

import { networkOf } from "../api/call-options.ts";
import type { Address } from "../core/address/address.ts";
import { ConnectionError } from "../core/errors.ts";
import { type FaultGuard, guardOf } from "../core/faults/fault.ts";
import { checkOptions, HANDLER, optionInvalid } from "../core/options/check-options.ts";
import type { Network } from "../io/network/network.ts";
import type { CloseReport, GracefulCloseOptions } from "../io/operation/graceful-close.ts";
import { openDatagramDoor } from "./datagram-proxy.ts";
import type { DoorParts, ProxyDoor } from "./door.ts";
import { checkProxyFault, type ProxyFault, refusalOf } from "./fault.ts";
import { FaultBoard } from "./fault-board.ts";
import { changed, planOf, type ProxyPlan, START_RULES } from "./options.ts";
import type * as api from "./public.ts";
import type { FaultProxies as RunningProxies, StartProxyOptions } from "./public.ts";
import { type ProxyBytes, type ProxyReport, ReportLedger } from "./report.ts";
import { checkSchedule, faultOf, type ProxySchedule, type ScheduledFault } from "./schedule.ts";
import { SchedulePlay } from "./schedule-play.ts";
import { openStreamDoor } from "./stream-proxy.ts";
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
  readonly #expose: boolean;
  readonly #ledger = new ReportLedger();
  readonly #watch = new ProxyWatch();
  readonly #plays = new Set<SchedulePlay>();
  #closing: Promise<CloseReport> | undefined;
  #isClosed = false;
  #over: () => void = () => undefined;

  constructor(network: Network, seed: number, expose: boolean) {
    this.#network = network;
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
    const parts = { network: this.#network, ledger: this.#ledger, watch: this.#watch };
    const board = new FaultBoard(this.seed, plan.name, (fault, change) => {
      this.#watch.tell({ type: "fault", proxy: plan.name, atMs: this.#network.clock.now(), fault, change });
    });
    const proxy = new FaultProxy(plan, { ...parts, board }, this.#expose);
    this.proxies.set(plan.name, proxy);
    try {
      if (plan.enabled) await proxy.open();
    } catch (error) {
      this.proxies.delete(plan.name);
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

  watch(listener: ProxyListener): () => void {
    checkOptions({ op: "watch" }, { listener }, { listener: HANDLER });
    return this.#watch.add(listener);
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

class FaultProxy implements api.FaultProxy {
  readonly #parts: DoorParts;
  readonly #expose: boolean;
  #plan: ProxyPlan;
  #door: ProxyDoor | undefined;
  #changing: Promise<void> = Promise.resolve();

  constructor(plan: ProxyPlan, parts: DoorParts, expose: boolean) {
    this.#plan = plan;
    this.#parts = parts;
    this.#expose = expose;
    for (const fault of plan.faults) parts.board.inflict(fault);
  }

  get name(): string {
    return this.#plan.name;
  }
  get listen(): Address {
    return this.#plan.listen;
  }
  get upstream(): Address {
    return this.#plan.upstream;
  }
  get enabled(): boolean {
    return this.#door !== undefined;
  }
  get faults(): readonly ProxyFault[] {
    return this.#parts.board.faults.map(({ fault }) => fault);
  }
  get connections(): readonly api.ProxiedConnection[] {
    return this.#door?.connections ?? [];
  }

  get bytes(): ProxyBytes {
    return this.#parts.ledger.bytesOf(this.name);
  }

  inflict(fault: ProxyFault): FaultGuard {
    checkProxyFault(fault, this.upstream, "inflict");
    return this.#parts.board.inflict(fault);
  }

  heal(fault: ProxyFault): boolean {
    return this.#parts.board.heal(fault);
  }

  /** One change after the other. */
  change(change: api.ProxyChange): Promise<void> {
    const made = this.#changing.then(() => this.#change(change));
    this.#changing = made.catch(() => undefined);
    return made;
  }

  async open(): Promise<void> {
    const { listen, upstream } = this.#plan;
    const open = upstream.transport === "udp" ? openDatagramDoor : openStreamDoor;
    this.#door = await open(listen, upstream, this.#parts);
    // The port stays the same when it is disabled for a while.
    this.#plan = { ...this.#plan, listen: this.#door.localAddress };
  }

  async close(options: GracefulCloseOptions): Promise<{ readonly finished: number; readonly cut: number }> {
    await this.#changing;
    return (await this.#takeDoor()?.close(options)) ?? { finished: 0, cut: 0 };
  }

  async shut(reason?: unknown): Promise<void> {
    await this.#takeDoor()?.abort(reason);
  }

  #takeDoor(): ProxyDoor | undefined {
    const door = this.#door;
    this.#door = undefined;
    return door;
  }

  async #change(change: api.ProxyChange): Promise<void> {
    const next = changed(this.#plan, change, this.#expose, "change");
    const same = next.listen.equals(this.listen) && next.upstream.equals(this.upstream);
    if (same && next.enabled === this.enabled) return;
    await this.shut(new Error("the proxy was changed"));
    this.#plan = next;
    if (next.enabled) await this.open();
  }
}
