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

/** Adds, changes and removes toxics; a change lets other faults begin in the place of those that were there. */
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
    this.#toxics.set(toxic.name, { toxic, faults: this.#proxy.replace([], faultsOf(toxic)) });
    return toxic;
  }

  /** @throws ApiError 400, 404. */
  change(name: string, body: Readonly<Record<string, unknown>>): Toxic {
    const acting = this.#acting(name);
    const toxic = changedToxic(acting.toxic, body);
    acting.faults = this.#proxy.replace(acting.faults, faultsOf(toxic));
    acting.toxic = toxic;
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
