/** What is there, as rows for the page. */

import type { ProxyFault } from "../fault.ts";
import type { FaultProxies, FaultProxy, SchedulePlay } from "../public.ts";
import type { Recorder } from "./recorder.ts";
import type { PlayRow, ProxyRow, PulseMessage, StateMessage } from "./wire.ts";

/** Makes rows, and makes them anew only where something has changed. Each fault keeps its number for as long as it acts. */
export class Rows {
  readonly #running: FaultProxies;
  readonly #recorder: Recorder;
  readonly #ids = new WeakMap<ProxyFault, number>();
  #lastId = 0;
  #proxies = new WeakMap<FaultProxy, ProxyRow>();
  readonly #plays = new WeakMap<SchedulePlay, PlayRow>();
  #state: StateMessage | undefined;

  constructor(running: FaultProxies, recorder: Recorder) {
    this.#running = running;
    this.#recorder = recorder;
  }

  idOf(fault: ProxyFault): number {
    const known = this.#ids.get(fault);
    if (known !== undefined) return known;
    this.#ids.set(fault, (this.#lastId += 1));
    return this.#lastId;
  }

  /** What is there: the same object as long as nothing has changed. Faults change when `faultsChanged` says so. */
  state(): StateMessage {
    const { seed } = this.#running;
    const proxies = Array.from(this.#running.proxies.values(), (proxy) => this.#proxyRow(proxy));
    const plays = this.#running.plays.map((play) => this.#playRow(play));
    const { row: recording } = this.#recorder;
    const before = this.#state;
    if (before?.recording === recording && areSame(before.proxies, proxies) && areSame(before.plays, plays)) {
      return before;
    }
    this.#state = { type: "state", seed, proxies, plays, recording };
    return this.#state;
  }

  /** A fault has begun or ended. @param name - In which proxy; in any of them where it is left out. */
  faultsChanged(name?: string): void {
    const proxy = name === undefined ? undefined : this.#running.proxies.get(name);
    if (proxy !== undefined) this.#proxies.delete(proxy);
    else this.#proxies = new WeakMap();
  }

  pulse(nowMs: number): Omit<PulseMessage, "connections" | "more"> {
    const bytes = Array.from(this.#running.proxies.values(), ({ name, bytes: { toServer, toClient } }) => {
      return [name, [toServer, toClient] as const] as const;
    });
    return { type: "pulse", nowMs, bytes: Object.fromEntries(bytes), captured: this.#recorder.captured };
  }

  #proxyRow(proxy: FaultProxy): ProxyRow {
    const { name, enabled, upstream } = proxy;
    const [listen, target] = [String(proxy.listen), String(upstream)];
    const known = this.#proxies.get(proxy);
    if (known?.enabled === enabled && known.listen === listen && known.upstream === target) return known;
    const faults = proxy.faults.map((fault) => ({ id: this.idOf(fault), fault: { ...fault } }));
    const row = { name, listen, upstream: target, datagrams: upstream.transport === "udp", enabled, faults };
    this.#proxies.set(proxy, row);
    return row;
  }

  #playRow(play: SchedulePlay): PlayRow {
    const known = this.#plays.get(play);
    if (known !== undefined) return known;
    const { beganAtMs, schedule } = play;
    const row = { beganAtMs, schedule };
    this.#plays.set(play, row);
    return row;
  }
}

function areSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}
