/** Which faults act now in one proxy, and on which of its connections. */

import { linkPart, type LinkTable } from "../core/faults/conditions.ts";
import { chanceDraw, type Draw } from "../core/faults/draw.ts";
import { type FaultGuard, guardOf, linkChange } from "../core/faults/fault.ts";
import { probabilityThreshold, RandomStream } from "../core/faults/random-stream.ts";
import { optionInvalid } from "../core/options/check-options.ts";
import { connectionRange, type Direction, directionsOf, isStreamFault, type ProxyFault } from "./fault.ts";

/** A fault that acts. */
export interface BoardFault {
  readonly fault: ProxyFault;
  readonly ways: readonly Direction[];
  /** What it changes of a link: made once, since it is asked for with each chunk. */
  readonly link: Partial<LinkTable>;
  /** Its kind, and which one of its kind: the label of its draws. */
  readonly label: string;
  /** Whether its place is free when it ends. */
  readonly hasPlace: boolean;
}

/** One direction of a connection, which needs to know the faults of now. */
interface BoardWatcher {
  /** These have begun, and these have ended. */
  boardChanged(began: readonly BoardFault[], ended: ReadonlySet<BoardFault>): void;
}

const NONE: ReadonlySet<BoardFault> = new Set();

/** The faults of one proxy. */
export class FaultBoard {
  readonly seed: number;
  /** The name of the proxy, which is a part of all labels. */
  readonly name: string;
  readonly #acting = new Map<ProxyFault, BoardFault>();
  readonly #most: number;
  /** Places of faults that act, and of those that schedules will let begin. */
  #taken = 0;
  readonly #count = new Map<string, number>();
  readonly #watchers = new Set<BoardWatcher>();
  readonly #told: (fault: ProxyFault, change: "began" | "ended") => void;

  /** Since the watchers were told. */
  #began = new Set<BoardFault>();
  #ended = new Set<BoardFault>();
  #connections = 0;
  #changes = 0;

  /**
   * @param most - Places for faults.
   * @param told - Hears of each fault that begins or ends.
   */
  constructor(seed: number, name: string, most: number, told: (fault: ProxyFault, change: "began" | "ended") => void) {
    this.seed = seed;
    this.name = name;
    this.#most = most;
    this.#told = told;
  }

  get faults(): readonly BoardFault[] {
    return [...this.#acting.values()];
  }

  /** Another number whenever a fault has begun or ended. */
  get changes(): number {
    return this.#changes;
  }

  /** Places that are free. */
  get room(): number {
    return this.#most - this.#taken;
  }

  /** Takes places for faults of a schedule; gives them back when `count` is below 0. */
  reserve(count: number): void {
    this.#taken += count;
  }

  /** Throws `OPTION_INVALID` when there is no place for so many faults more. */
  refuseFull(op: string, count = 1): void {
    if (count <= this.room) return;
    const detail = `the proxy ${JSON.stringify(this.name)} has room for ${this.room} more faults, not for ${count}`;
    const limit = `limits.maxFaults is ${this.#most}, with those that its schedules will begin`;
    throw optionInvalid({ op }, `${detail}: ${limit}; heal some, or raise the limit`);
  }

  /** The number of the connection that comes now. */
  nextConnection(): number {
    return (this.#connections += 1);
  }

  /** Lets a fault begin that has been checked, and for which there is room. Of one of a schedule the place is taken already. */
  inflict(fault: ProxyFault, hasPlace = true): FaultGuard {
    const own = this.#begin(fault, hasPlace);
    return guardOf([() => this.heal(own)]);
  }

  /** Ends some and lets others begin that have been checked; answers the copies. Nothing changes when there is no place for all. */
  replace(ended: readonly ProxyFault[], begun: readonly ProxyFault[]): readonly ProxyFault[] {
    const acting = [...new Set(ended)].flatMap((fault) => this.#acting.get(fault) ?? []);
    this.refuseFull("replace", begun.length - acting.filter(({ hasPlace }) => hasPlace).length);
    for (const { fault } of acting) this.heal(fault);
    return begun.map((fault) => this.#begin(fault, true));
  }

  #begin(fault: ProxyFault, hasPlace: boolean): ProxyFault {
    if (hasPlace) this.#taken += 1;
    const number = (this.#count.get(fault.kind) ?? 0) + 1;
    this.#count.set(fault.kind, number);
    // A copy, so that each that acts is another object, and none changes from outside.
    const own: BoardFault = {
      fault: structuredClone(fault),
      ways: directionsOf(fault, "inflict"),
      link: isStreamFault(fault) ? {} : linkPart(linkChange(fault) ?? {}, "inflict"),
      label: `${fault.kind}/${number}`,
      hasPlace,
    };
    this.#acting.set(own.fault, own);
    this.#later();
    this.#began.add(own);
    this.#told(own.fault, "began");
    return own.fault;
  }

  /** Ends a fault that acts. */
  heal(fault: ProxyFault): boolean {
    const own = this.#acting.get(fault);
    if (own === undefined) return false;
    this.#acting.delete(fault);
    if (own.hasPlace) this.#taken -= 1;
    this.#later();
    if (!this.#began.delete(own)) this.#ended.add(own);
    this.#told(fault, "ended");
    return true;
  }

  /** Tells `watcher` the faults of now, and from then on which ones have begun and ended, once for each turn of the event loop. */
  watch(watcher: BoardWatcher): void {
    this.#tell();
    this.#watchers.add(watcher);
    watcher.boardChanged(this.faults, NONE);
  }

  unwatch(watcher: BoardWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** The randomness of one use on one connection. */
  stream(connection: number, label: string): RandomStream {
    return new RandomStream(this.seed, `proxy/${this.name}/${connection}/${label}`);
  }

  /** Before a change: the first one has all of this turn told at its end. */
  #later(): void {
    this.#changes += 1;
    if (this.#began.size === 0 && this.#ended.size === 0) queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    const [began, ended] = [[...this.#began], this.#ended];
    if (began.length === 0 && ended.size === 0) return;
    this.#began = new Set();
    this.#ended = new Set();
    for (const watcher of this.#watchers) watcher.boardChanged(began, ended);
  }
}

/** The most draws that are told with each chunk. */
const MOST_CHANCES = 100;

/** The faults that are about one connection. Whether one hits it at all is drawn once. */
export class ConnectionFaults {
  readonly number: number;
  readonly board: FaultBoard;
  /** What was drawn for it, while the faults are the same ones: made when somebody watches. */
  #known: ({ readonly changes: number } & { [D in Direction]?: readonly Draw[] }) | undefined;

  constructor(board: FaultBoard, number: number) {
    this.board = board;
    this.number = number;
  }

  /** Those of `faults` that are about one direction of it. Each may still wait for its trigger. */
  among(faults: readonly BoardFault[], direction: Direction): readonly BoardFault[] {
    return faults.filter((one) => {
      if (!this.#isAbout(one, direction)) return false;
      const draw = this.#chanceOf(one);
      return draw === undefined || draw.drawn < draw.below;
    });
  }

  /** What was drawn once for this connection: whether each fault of a direction with a `chance` hits it. Of many the first 100. */
  chances(direction: Direction): readonly Draw[] {
    const { changes } = this.board;
    if (this.#known?.changes !== changes) this.#known = { changes };
    this.#known[direction] ??= this.board.faults
      .filter((one) => this.#isAbout(one, direction))
      .flatMap((one) => this.#chanceOf(one) ?? [])
      .slice(0, MOST_CHANCES);
    return this.#known[direction];
  }

  #isAbout({ ways, fault: { when } }: BoardFault, direction: Direction): boolean {
    if (!ways.includes(direction)) return false;
    if (when?.connections === undefined) return true;
    const [first, last] = connectionRange(when.connections);
    return this.number >= first && this.number <= last;
  }

  /** The first of its stream: the same in both directions, so that nobody must remember it. */
  #chanceOf({ fault: { kind, when }, label }: BoardFault): (Draw & { readonly below: number }) | undefined {
    if (when?.chance === undefined) return undefined;
    const draw = this.board.stream(this.number, `when/${label}`).uint32();
    return { ...chanceDraw("chance", draw, probabilityThreshold(when.chance)), fault: kind };
  }
}
