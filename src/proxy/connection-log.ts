/** What is known of one connection of a proxy, or of the datagrams of one client: counted always, told to those who watch. */

import type { Address } from "../core/address/address.ts";
import type { Draw } from "../core/faults/draw.ts";
import type { ChunkPlan } from "../core/faults/stream-plan.ts";
import type { Clock } from "../io/network/network.ts";
import type { Direction, ProxyFault } from "./fault.ts";
import type { ConnectionFaults } from "./fault-board.ts";
import { MICROSECONDS } from "./microseconds.ts";
import { FaultCounts } from "./report.ts";
import type { ProxyEvent, ProxyWatch, ReleaseEvent } from "./watch.ts";

/** An event of a connection, without what all have. */
type Told<Event> = Event extends ProxyEvent ? Omit<Event, "proxy" | "number" | "atMs"> : never;

/** What became of a datagram. */
export interface DatagramFate {
  readonly lostTo?: string | undefined;
  readonly leavesAtUs: readonly number[];
  readonly flippedBit?: number | undefined;
  /** Undefined while nobody watches. */
  readonly draws: readonly Draw[] | undefined;
}

/** The log of one connection. */
export class ConnectionLog {
  readonly counts: FaultCounts = new FaultCounts();
  readonly proxy: string;
  readonly number: number;
  readonly openedAtMs: number;
  readonly clock: Clock;
  readonly #watch: ProxyWatch;
  #wasReset = false;

  constructor(proxy: string, number: number, clock: Clock, watch: ProxyWatch) {
    this.proxy = proxy;
    this.number = number;
    this.clock = clock;
    this.openedAtMs = clock.now();
    this.#watch = watch;
  }

  /** Whether anybody watches. */
  get isWatched(): boolean {
    return this.#watch.isOn;
  }

  opened(client: Address, upstream: Address): void {
    this.#tell({ type: "open", client, upstream });
  }

  /** Bytes have come, and it is planned what becomes of them. */
  chunk(
    direction: Direction,
    bytes: Uint8Array,
    acting: readonly ProxyFault[],
    plan: ChunkPlan,
    isHeld: boolean,
    faults: ConnectionFaults,
  ): void {
    const { pieces, outcome, draws } = plan;
    this.counts.chunk(acting, pieces, outcome);
    if (!this.isWatched) return;
    this.#tell({
      type: "chunk",
      direction,
      bytes: Uint8Array.from(bytes),
      faults: kindsOf(acting),
      pieces: pieces.map(({ dueUs, ...piece }) => ({ ...piece, leavesAtMs: dueUs / MICROSECONDS })),
      isHeld,
      outcome,
      draws: [...faults.chances(direction), ...draws],
    });
  }

  /** Bytes have come that nobody will have. */
  lost(direction: Direction, bytes: Uint8Array, fault: "timeout" | "reset", faults: ConnectionFaults): void {
    if (!this.isWatched) return;
    const draws = faults.chances(direction);
    const lost = { faults: [fault], pieces: [], lostTo: fault, isHeld: false, outcome: "goes on", draws } as const;
    this.#tell({ type: "chunk", direction, bytes: Uint8Array.from(bytes), ...lost });
  }

  /** A datagram has come, and this became of it. */
  datagram(direction: Direction, bytes: Uint8Array, acting: readonly ProxyFault[], fate: DatagramFate): void {
    if (!this.isWatched) return;
    const { leavesAtUs, draws = [], ...rest } = fate;
    const leavesAtMs = leavesAtUs.map((us) => us / MICROSECONDS);
    const faults = kindsOf(acting);
    this.#tell({ type: "datagram", direction, bytes: Uint8Array.from(bytes), faults, leavesAtMs, draws, ...rest });
  }

  /** One side has ended; undefined when nobody will hear of it. */
  ended(direction: Direction, dueUs: number | undefined, isHeld: boolean, draws: readonly Draw[]): void {
    const leavesAtMs = dueUs === undefined ? undefined : dueUs / MICROSECONDS;
    this.#tell({ type: "end", direction, leavesAtMs, isHeld, draws });
  }

  /** What is under way leaves from now on. */
  released(direction: Direction, what: ReleaseEvent["what"]): void {
    this.#tell({ type: "release", direction, what });
  }

  /** The connection is reset: by a fault, or by one of the programs. Told once. */
  reset(fault?: string, chances: readonly Draw[] = []): void {
    if (fault !== undefined) this.counts.add(fault);
    const draws = chances.filter((draw) => draw.fault === fault);
    if (!this.#wasReset) this.#tell({ type: "reset", fault, draws });
    this.#wasReset = true;
  }

  closed(): void {
    this.#tell({ type: "close" });
  }

  #tell(event: Told<ProxyEvent>): void {
    if (!this.isWatched) return;
    const { proxy, number } = this;
    this.#watch.tell({ ...event, proxy, number, atMs: this.clock.now() } as ProxyEvent);
  }
}

function kindsOf(acting: readonly ProxyFault[]): readonly string[] {
  return [...new Set(acting.map(({ kind }) => kind))];
}
