/** A recording: which faults began and ended, and when, as a schedule. */

import { FAULT_LIST_FORMAT } from "../core/faults/fault-list.ts";
import type { Clock } from "../io/network/network.ts";
import type { ProxyFault } from "./fault.ts";
import { roundedMs } from "./microseconds.ts";
import type { ProxyRecording } from "./public.ts";
import type { ProxySchedule, ScheduledFault } from "./schedule.ts";

/** More than a person does; a program that toggles a fault for hours must not fill the memory. */
const MOST_FAULTS = 10_000;

/** A fault that was seen. */
interface Noted {
  readonly proxy: string;
  readonly fault: ProxyFault;
  readonly beganAtMs: number;
  endedAtMs?: number;
}

/** Notes the faults of proxies. */
export class Recording implements ProxyRecording {
  readonly beganAtMs: number;
  dropped = 0;
  readonly #seed: number;
  readonly #clock: Clock;
  readonly #names: () => readonly string[];
  readonly #stopped: () => void;
  readonly #noted: Noted[] = [];
  /** Those that have not ended. Each that acts is an object of its own. */
  readonly #acting = new Map<ProxyFault, Noted>();
  #done: ProxySchedule | undefined;

  /** @param names - The names of all proxies that there are now. */
  constructor(seed: number, clock: Clock, names: () => readonly string[], stopped: () => void) {
    this.beganAtMs = clock.now();
    this.#seed = seed;
    this.#clock = clock;
    this.#names = names;
    this.#stopped = stopped;
  }

  get schedule(): ProxySchedule {
    if (this.#done !== undefined) return this.#done;
    const nowMs = this.#clock.now();
    const isAlone = new Set([...this.#names(), ...this.#noted.map(({ proxy }) => proxy)]).size === 1;
    const faults = this.#noted.map(({ proxy, fault, beganAtMs, endedAtMs = nowMs }): ScheduledFault => {
      const atMs = this.#since(beganAtMs);
      const own = isAlone ? fault : { ...fault, proxy };
      return { atMs, lastsMs: roundedMs(this.#since(endedAtMs) - atMs), ...own };
    });
    return {
      format: FAULT_LIST_FORMAT,
      // The simulator wants these.
      simulation: "proxy",
      seed: this.#seed,
      chaosMs: this.#since(nowMs),
      choices: { cutReads: false, permute: false, latency: 0 },
      faults,
    };
  }

  stop(): ProxySchedule {
    this.#done ??= this.schedule;
    this.#stopped();
    return this.#done;
  }

  /** A fault of a proxy has begun or ended. */
  told(proxy: string, fault: ProxyFault, change: "began" | "ended", atMs: number = this.#clock.now()): void {
    if (change === "ended") {
      const noted = this.#acting.get(fault);
      if (noted !== undefined) noted.endedAtMs = atMs;
      this.#acting.delete(fault);
    } else if (this.#noted.length < MOST_FAULTS) {
      const noted: Noted = { proxy, fault, beganAtMs: atMs };
      this.#noted.push(noted);
      this.#acting.set(fault, noted);
    } else this.dropped += 1;
  }

  #since(atMs: number): number {
    return roundedMs(atMs - this.beganAtMs);
  }
}
