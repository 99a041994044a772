/** The toxics of one proxy, and the faults that they are. */

import type { ProxyFault } from "../fault.ts";
import type { FaultProxy } from "../public.ts";
import { ApiError } from "./api-error.ts";
import { changedToxic, faultsOf, readToxic, type Toxic } from "./toxics.ts";

interface ActingToxic {
  toxic: Toxic;
  /** As they stand among the faults of the proxy. */
  faults: readonly ProxyFault[];
}

/** Adds, changes and removes toxics; a change takes the faults away and lets the new ones begin. */
export class ToxicBoard {
  readonly #proxy: FaultProxy;
  readonly #toxics = new Map<string, ActingToxic>();

  constructor(proxy: FaultProxy) {
    this.#proxy = proxy;
  }

  /** Those of upstream before those of downstream, each in the order in which they were added. */
  get toxics(): readonly Toxic[] {
    this.#dropEnded();
    const all = Array.from(this.#toxics.values(), ({ toxic }) => toxic);
    return [
      ...all.filter(({ stream }) => stream === "upstream"),
      ...all.filter(({ stream }) => stream === "downstream"),
    ];
  }

  /** @throws ApiError 404. */
  get(name: string): Toxic {
    return this.#acting(name).toxic;
  }

  /** @throws ApiError 400, 409. */
  add(body: Readonly<Record<string, unknown>>): Toxic {
    const toxic = readToxic(body);
    this.#dropEnded();
    if (this.#toxics.has(toxic.name)) throw new ApiError(409, "toxic already exists");
    this.#toxics.set(toxic.name, { toxic, faults: this.#begin(toxic) });
    return toxic;
  }

  /** @throws ApiError 400, 404. */
  change(name: string, body: Readonly<Record<string, unknown>>): Toxic {
    const acting = this.#acting(name);
    const toxic = changedToxic(acting.toxic, body);
    const faults = this.#begin(toxic);
    this.#end(acting.faults);
    acting.toxic = toxic;
    acting.faults = faults;
    return toxic;
  }

  /** @throws ApiError 404. */
  remove(name: string): void {
    this.#end(this.#acting(name).faults);
    this.#toxics.delete(name);
  }

  /** Removes them all. */
  reset(): void {
    for (const { faults } of this.#toxics.values()) this.#end(faults);
    this.#toxics.clear();
  }

  /** Lets the faults begin: all, or none where one is refused. */
  #begin(toxic: Toxic): readonly ProxyFault[] {
    const begun: ProxyFault[] = [];
    try {
      for (const fault of faultsOf(toxic)) {
        const { length } = this.#proxy.faults;
        this.#proxy.inflict(fault);
        begun.push(this.#proxy.faults[length] as ProxyFault);
      }
    } catch (error) {
      this.#end(begun);
      throw error;
    }
    return begun;
  }

  #end(faults: readonly ProxyFault[]): void {
    for (const fault of faults) this.#proxy.heal(fault);
  }

  /** A fault may be ended elsewhere: on the page, or by the program. */
  #dropEnded(): void {
    const acting = new Set(this.#proxy.faults);
    for (const [name, { faults }] of this.#toxics) {
      if (faults.length > 0 && !faults.some((fault) => acting.has(fault))) this.#toxics.delete(name);
    }
  }

  #acting(name: string): ActingToxic {
    this.#dropEnded();
    const acting = this.#toxics.get(name);
    if (acting === undefined) throw new ApiError(404, "toxic not found");
    return acting;
  }
}
