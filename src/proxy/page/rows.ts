/** What is there, as rows for the page. */

import type { ProxyFault } from "../fault.ts";
import type { FaultProxies } from "../public.ts";
import type { Recorder } from "./recorder.ts";
import type { PulseMessage, StateMessage } from "./wire.ts";

/** Makes rows. Each fault keeps its number for as long as it acts. */
export class Rows {
  readonly #running: FaultProxies;
  readonly #recorder: Recorder;
  readonly #ids = new WeakMap<ProxyFault, number>();
  #lastId = 0;

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

  state(): StateMessage {
    const { seed, plays } = this.#running;
    const proxies = Array.from(this.#running.proxies.values(), (proxy) => {
      const { name, listen, upstream, enabled, faults } = proxy;
      return {
        name,
        listen: String(listen),
        upstream: String(upstream),
        datagrams: upstream.transport === "udp",
        enabled,
        faults: faults.map((fault) => ({ id: this.idOf(fault), fault: { ...fault } })),
      };
    });
    const played = plays.map(({ beganAtMs, schedule }) => ({ beganAtMs, schedule }));
    return { type: "state", seed, proxies, plays: played, recording: this.#recorder.row() };
  }

  pulse(nowMs: number): Omit<PulseMessage, "connections" | "more"> {
    const bytes = Array.from(this.#running.proxies.values(), ({ name, bytes: { toServer, toClient } }) => {
      return [name, [toServer, toClient] as const] as const;
    });
    return { type: "pulse", nowMs, bytes: Object.fromEntries(bytes) };
  }
}
