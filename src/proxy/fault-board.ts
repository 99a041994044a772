/** Which faults act now in one proxy, and on which of its connections. */

import { type FaultGuard, guardOf } from "../core/faults/fault.ts";
import { probabilityThreshold, RandomStream } from "../core/faults/random-stream.ts";
import { connectionRange, type Direction, directionsOf, type ProxyFault } from "./fault.ts";

/** A fault that acts. */
export interface BoardFault {
  readonly fault: ProxyFault;
  readonly ways: readonly Direction[];
  /** Its kind, and which one of its kind: the label of its draws. */
  readonly label: string;
}

/** One direction of a connection, which needs to know the faults of now. */
interface BoardWatcher {
  boardChanged(): void;
}

/** The faults of one proxy. */
export class FaultBoard {
  readonly seed: number;
  /** The name of the proxy, which is a part of all labels. */
  readonly name: string;
  readonly #acting = new Set<BoardFault>();
  readonly #count = new Map<string, number>();
  readonly #watchers = new Set<BoardWatcher>();
  readonly #told: (fault: ProxyFault, change: "began" | "ended") => void;
  #connections = 0;

  /** @param told - Hears of each fault that begins or ends. */
  constructor(seed: number, name: string, told: (fault: ProxyFault, change: "began" | "ended") => void) {
    this.seed = seed;
    this.name = name;
    this.#told = told;
  }

  get faults(): readonly BoardFault[] {
    return [...this.#acting];
  }

  /** The number of the connection that comes now. */
  nextConnection(): number {
    return (this.#connections += 1);
  }

  /** Lets a fault begin that has been checked. */
  inflict(fault: ProxyFault): FaultGuard {
    const number = (this.#count.get(fault.kind) ?? 0) + 1;
    this.#count.set(fault.kind, number);
    // A copy, so that each that acts is another object, and none changes from outside.
    const own = { fault: { ...fault }, ways: directionsOf(fault, "inflict"), label: `${fault.kind}/${number}` };
    this.#acting.add(own);
    this.#changed(own.fault, "began");
    return guardOf([() => this.heal(own.fault)]);
  }

  /** Ends a fault that acts. */
  heal(fault: ProxyFault): boolean {
    const own = this.faults.find((one) => one.fault === fault);
    if (own === undefined) return false;
    this.#acting.delete(own);
    this.#changed(fault, "ended");
    return true;
  }

  /** Tells `watcher` whenever a fault begins or ends. */
  watch(watcher: BoardWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: BoardWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** The randomness of one use on one connection. */
  stream(connection: number, label: string): RandomStream {
    return new RandomStream(this.seed, `proxy/${this.name}/${connection}/${label}`);
  }

  #changed(fault: ProxyFault, change: "began" | "ended"): void {
    this.#told(fault, change);
    for (const watcher of this.#watchers) watcher.boardChanged();
  }
}

/** The faults that are about one connection. Whether one hits it at all is drawn once. */
export class ConnectionFaults {
  readonly number: number;
  readonly board: FaultBoard;

  constructor(board: FaultBoard, number: number) {
    this.board = board;
    this.number = number;
  }

  /** Those of one direction, in the order in which they began. Each may still wait for its trigger. */
  of(direction: Direction): readonly BoardFault[] {
    return this.board.faults.filter((one) => one.ways.includes(direction) && this.#isHit(one));
  }

  #isHit(one: BoardFault): boolean {
    const { connections, chance } = one.fault.when ?? {};
    if (connections !== undefined) {
      const [first, last] = connectionRange(connections);
      if (this.number < first || this.number > last) return false;
    }
    if (chance === undefined) return true;
    // The first of its stream: the same whenever it is drawn, so that nobody must remember it.
    return this.board.stream(this.number, `when/${one.label}`).chance(probabilityThreshold(chance));
  }
}
