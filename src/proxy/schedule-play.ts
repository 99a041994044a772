/** Playing a schedule: each fault begins and ends when its time has come. */

import type { FaultGuard } from "../core/faults/fault.ts";
import type { Clock, Timer } from "../io/network/network.ts";
import type { SchedulePlay as Playing } from "./public.ts";
import { endMsOf, type ProxySchedule, type ScheduledFault } from "./schedule.ts";

/** A moment of a schedule. */
interface Turn {
  readonly atMs: number;
  readonly fault: ScheduledFault;
  readonly change: "begins" | "ends";
}

/** Lets the faults of a schedule begin and end, by one timer at a time. */
export class SchedulePlay implements Playing {
  readonly schedule: ProxySchedule;
  readonly beganAtMs: number;
  readonly ended: Promise<void>;
  readonly #clock: Clock;
  readonly #begin: (fault: ScheduledFault) => FaultGuard;
  readonly #turns: Turn[];
  readonly #acting = new Map<ScheduledFault, FaultGuard>();
  #over: () => void = () => undefined;
  #timer: Timer | undefined;

  /** Begins at once: faults at 0 act when this returns. */
  constructor(schedule: ProxySchedule, clock: Clock, begin: (fault: ScheduledFault) => FaultGuard) {
    this.schedule = schedule;
    this.beganAtMs = clock.now();
    this.#clock = clock;
    this.#begin = begin;
    this.#turns = turnsOf(schedule);
    this.ended = new Promise((resolve) => {
      this.#over = resolve;
    });
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#turns.length = 0;
    for (const guard of this.#acting.values()) guard.heal();
    this.#acting.clear();
    this.#over();
  }

  /** Does all that is due. */
  #look(): void {
    for (;;) {
      const [turn] = this.#turns;
      if (turn === undefined) return this.stop();
      const inMs = this.beganAtMs + turn.atMs - this.#clock.now();
      if (inMs > 0) {
        this.#timer = this.#clock.setTimer(() => this.#look(), inMs, true);
        return;
      }
      this.#turns.shift();
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
