/** Clients of a cluster in groups, and what each has heard of whom. */

import { setTimeout } from "node:timers/promises";
import type { Member, MemberOwner, Said } from "./plaza.ts";
import { Tally } from "./tally.ts";

/** One of so many messages is timed. */
const TIMED = 7;
/** The messages of each such moment are sent together. */
const TICK_MS = 5;
/** When nothing has come for so long, nothing more is waited for. */
const QUIET_MS = 10_000;
/** So many clients connect at a time. */
const OPENING = 50;

/** Who talks, and how much. */
export interface CrowdPlan {
  readonly members: number;
  readonly groupSize: number;
  /** How many messages each member says. */
  readonly turns: number;
  /** Each so manieth message is a call, whose answer is how many of them there were. */
  readonly callEvery: number;
}

/** Opens a client in a group. */
type OpenMember = (group: string, owner: MemberOwner) => Promise<Member>;

/** What became of it all. */
export interface CrowdReport {
  /** Messages that were to be heard, each by each member of its group. */
  readonly wanted: number;
  readonly lost: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  readonly calls: number;
  /** Calls whose answer was another count, and those that were not answered. */
  readonly wrong: number;
  /** What a program was told has failed. */
  readonly failed: number;
  /** How often a member went on with its session, and how often it had a new one. */
  readonly continued: number;
  readonly fresh: number;
  /** How long members were away, sorted. */
  readonly awayMs: readonly number[];
  /** How long messages took to be heard, sorted, some of all. */
  readonly heardMs: Float64Array;
}

/** One client and what it has heard: a tally for each member of its group. */
class Listener implements MemberOwner {
  readonly tallies: ReadonlyMap<number, Tally>;
  readonly awayMs: number[] = [];
  continued = 0;
  fresh = 0;
  heardOf = 0;
  answered = 0;
  right = 0;
  failed = 0;
  calls = 0;
  #awaySince: number | undefined;
  readonly #heardMs: number[];

  constructor(plan: CrowdPlan, index: number, heardMs: number[]) {
    const first = index - (index % plan.groupSize);
    const group = Array.from({ length: Math.min(plan.groupSize, plan.members - first) }, (_, member) => first + member);
    this.tallies = new Map(group.map((member) => [member, new Tally(plan.turns)]));
    this.#heardMs = heardMs;
  }

  heard({ from, number, atMs }: Said): void {
    this.heardOf += 1;
    this.tallies.get(from)?.add(String(number));
    if ((from + number) % TIMED === 0) this.#heardMs.push(performance.now() - atMs);
  }

  away(): void {
    this.#awaySince ??= performance.now();
  }

  back(fresh: boolean): void {
    if (fresh) this.fresh += 1;
    else this.continued += 1;
    if (this.#awaySince !== undefined) this.awayMs.push(performance.now() - this.#awaySince);
    this.#awaySince = undefined;
  }

  /** Notes what became of the call with this number. */
  asked(answer: Promise<number>): void {
    const nth = (this.calls += 1);
    answer.then(
      (count) => {
        this.answered += 1;
        if (count === nth) this.right += 1;
      },
      () => (this.failed += 1),
    );
  }
}

/** Clients that talk. */
export class Crowd {
  readonly #plan: CrowdPlan;
  readonly #listeners: readonly Listener[];
  readonly #members: readonly Member[];
  readonly #heardMs: number[];

  private constructor(plan: CrowdPlan, listeners: readonly Listener[], members: readonly Member[], heardMs: number[]) {
    this.#plan = plan;
    this.#listeners = listeners;
    this.#members = members;
    this.#heardMs = heardMs;
  }

  /** Opens all. Groups of one crowd have names of their own. */
  static async open(plan: CrowdPlan, open: OpenMember): Promise<Crowd> {
    const heardMs: number[] = [];
    const listeners = Array.from({ length: plan.members }, (_, index) => new Listener(plan, index, heardMs));
    const members: Member[] = [];
    const crowd = `${performance.now()}`;
    while (members.length < plan.members) {
      const some = listeners.slice(members.length, members.length + OPENING).map((listener, index) => {
        const group = `${crowd}/${Math.floor((members.length + index) / plan.groupSize)}`;
        return open(group, listener);
      });
      members.push(...(await Promise.all(some)));
    }
    return new Crowd(plan, listeners, members, heardMs);
  }

  /** All members say what they have to, `rate` messages a second together. */
  async talk(rate: number): Promise<void> {
    const total = this.#plan.turns * this.#members.length;
    const sinceMs = performance.now();
    for (let sent = 0; sent < total; await setTimeout(TICK_MS)) {
      const due = Math.min(total, Math.floor(((performance.now() - sinceMs) * rate) / 1000));
      for (; sent < due; sent += 1)
        this.#speak(sent % this.#members.length, 1 + Math.floor(sent / this.#members.length));
    }
  }

  #speak(from: number, number: number): void {
    const said: Said = { from, number, atMs: performance.now() };
    const member = this.#members[from] as Member;
    const listener = this.#listeners[from] as Listener;
    if (number % this.#plan.callEvery === 0) listener.asked(member.count(said));
    else void member.say(said)?.catch(() => (listener.failed += 1));
  }

  /** Waits until all is heard and answered, or nothing comes any more. */
  async heardAll(): Promise<void> {
    let before = -1;
    let sinceMs = performance.now();
    for (;;) {
      const missing = this.#sum(({ calls, answered, failed }) => calls - answered - failed);
      const heard = this.#sum(({ heardOf }) => heardOf);
      // Looking at each tally takes long where there are thousands of members.
      if (missing <= 0 && heard >= this.#wanted && this.report().lost === 0) break;
      const now = heard - missing;
      if (now !== before) sinceMs = performance.now();
      else if (performance.now() - sinceMs > QUIET_MS) break;
      before = now;
      await setTimeout(50);
    }
    // What would be heard a second time stands before this.
    await Promise.all(this.#members.map((member) => member.settle().catch(() => undefined)));
  }

  report(): CrowdReport {
    const tallies = this.#listeners.flatMap((listener) =>
      [...listener.tallies.values()].map((tally) => tally.report()),
    );
    const sum = (pick: (tally: (typeof tallies)[number]) => number): number =>
      tallies.reduce((total, tally) => total + pick(tally), 0);
    return {
      wanted: this.#wanted,
      lost: sum(({ lost }) => lost),
      doubled: sum(({ twice }) => twice),
      outOfOrder: sum(({ outOfOrder }) => outOfOrder),
      calls: this.#sum(({ calls }) => calls),
      wrong: this.#sum(({ calls, right }) => calls - right),
      failed: this.#sum(({ failed }) => failed),
      continued: this.#sum(({ continued }) => continued),
      fresh: this.#sum(({ fresh }) => fresh),
      awayMs: this.#listeners.flatMap(({ awayMs }) => awayMs).sort((a, b) => a - b),
      heardMs: Float64Array.from(this.#heardMs).sort(),
    };
  }

  get #wanted(): number {
    return this.#sum(({ tallies }) => tallies.size) * this.#plan.turns;
  }

  #sum(pick: (listener: Listener) => number): number {
    return this.#listeners.reduce((total, listener) => total + pick(listener), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#members.map((member) => member.close()));
  }
}
