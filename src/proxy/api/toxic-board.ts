/** The toxics of one proxy, and the faults that they are. */

import type { FaultGuard } from "../../core/faults/fault.ts";
import type { FaultProxy } from "../public.ts";
import { ApiError } from "./api-error.ts";
import { changedToxic, faultsOf, readToxic, type Toxic } from "./toxics.ts";

interface ActingToxic {
  toxic: Toxic;
  guards: readonly FaultGuard[];
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
    if (this.#toxics.has(toxic.name)) throw new ApiError(409, "toxic already exists");
    this.#toxics.set(toxic.name, { toxic, guards: this.#begin(toxic) });
    return toxic;
  }

  /** @throws ApiError 400, 404. */
  change(name: string, body: Readonly<Record<string, unknown>>): Toxic {
    const acting = this.#acting(name);
    const toxic = changedToxic(acting.toxic, body);
    const guards = this.#begin(toxic);
    end(acting.guards);
    acting.toxic = toxic;
    acting.guards = guards;
    return toxic;
  }

  /** @throws ApiError 404. */
  remove(name: string): void {
    end(this.#acting(name).guards);
    this.#toxics.delete(name);
  }

  /** Removes them all. */
  reset(): void {
    for (const { guards } of this.#toxics.values()) end(guards);
    this.#toxics.clear();
  }

  /** Lets the faults begin: all, or none where one is refused. */
  #begin(toxic: Toxic): readonly FaultGuard[] {
    const guards: FaultGuard[] = [];
    try {
      for (const fault of faultsOf(toxic)) guards.push(this.#proxy.inflict(fault));
    } catch (error) {
      end(guards);
      throw error;
    }
    return guards;
  }

  #acting(name: string): ActingToxic {
    const acting = this.#toxics.get(name);
    if (acting === undefined) throw new ApiError(404, "toxic not found");
    return acting;
  }
}

function end(guards: readonly FaultGuard[]): void {
  for (const guard of guards) guard.heal();
}
