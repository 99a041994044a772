/** Playing a schedule: each fault begins and ends when its time has come. */

import type { FaultGuard } from "../core/faults/fault.ts";
import { optionInvalid } from "../core/options/check-options.ts";
import type { Clock, Timer } from "../io/network/network.ts";
import type { SchedulePlay as Playing } from "./public.ts";
import { endMsOf, type ProxySchedule, type ScheduledFault } from "./schedule.ts";

/** A moment of a schedule. */
interface Turn {
  readonly atMs: number;
  readonly fault: ScheduledFault;
  readonly change: "begins" | "ends";
}

/** How many faults of a schedule act at once in the proxy `name`, at most. */
export function peakOf(schedule: ProxySchedule, name: string): number {
  let [acting, most] = [0, 0];
  for (const { fault, change } of turnsOf(schedule)) {
    if ((fault.proxy ?? name) !== name) continue;
    acting += change === "begins" ? 1 : -1;
    most = Math.max(most, acting);
  }
  return most;
}

/** Throws `OPTION_INVALID` when a schedule has more faults at once than one of the proxies has room for. */
export function refuseCrowded(
  schedule: ProxySchedule,
  proxies: Iterable<{ readonly name: string; readonly room: number }>,
  op: string,
): void {
  for (const { name, room } of proxies) {
    const peak = peakOf(schedule, name);
    if (peak <= room) continue;
    const detail = `schedule.faults has ${peak} faults at once for the proxy ${JSON.stringify(name)}`;
    throw optionInvalid({ op }, `${detail}, which has room for ${room} more by limits.maxFaults`);
  }
}

/** Lets the faults of a schedule begin and end, by one timer at a time. */
export class SchedulePlay implements Playing {
  readonly schedule: ProxySchedule;
  readonly beganAtMs: number;
  readonly ended: Promise<void>;
  readonly #clock: Clock;
  readonly #begin: (fault: ScheduledFault) => FaultGuard;
  readonly #turns: readonly Turn[];
  #next = 0;
  #isOver = false;
  #over: () => void = () => undefined;
  readonly #acting = new Map<ScheduledFault, FaultGuard>();
  #timer: Timer | undefined;

  /** @param over - Is called once, when all is healed. */
  constructor(schedule: ProxySchedule, clock: Clock, begin: (fault: ScheduledFault) => FaultGuard, over: () => void) {
    this.schedule = schedule;
    this.beganAtMs = clock.now();
    this.#clock = clock;
    this.#begin = begin;
    this.#turns = turnsOf(schedule);
    this.ended = new Promise((resolve) => {
      this.#over = () => {
        over();
        resolve();
      };
    });
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    for (const guard of this.#acting.values()) guard.heal();
    this.#acting.clear();
    this.#over();
  }

  /** Does all that is due: faults at 0 act when this returns for the first time. */
  look(): void {
    for (;;) {
      const turn = this.#turns[this.#next];
      if (turn === undefined) return this.stop();
      const inMs = this.beganAtMs + turn.atMs - this.#clock.now();
      if (inMs > 0) {
        this.#timer = this.#clock.setTimer(() => this.look(), inMs, true);
        return;
      }
      this.#next += 1;
      if (turn.change === "begins") this.#acting.set(turn.fault, this.#begin(turn.fault));
      else this.#acting.get(turn.fault)?.heal();
    }
  }
}

/** In the order of their time; at one moment what begins comes first, so that a fault which follows another leaves no gap. */
function turnsOf(schedule: ProxySchedule): Turn[] {
  const turns = schedule.faults.flatMap((fault): Turn[] => {
    const endMs = endMsOf(fault, schedule);
    if (endMs < fault.atMs) return [];
    return [
      { atMs: fault.atMs, fault, change: "begins" },
      { atMs: endMs, fault, change: "ends" },
    ];
  });
  const rank = ({ change }: Turn): number => (change === "begins" ? 0 : 1);
  return turns.sort((a, b) => a.atMs - b.atMs || rank(a) - rank(b));
}
