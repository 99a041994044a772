/** What happens in one session, while somebody watches it: looked at a few times in a second, so the session itself does nothing for it. */

import type { Clock, Timer } from "../io/network/network.ts";
import { partsOf, type SessionFacade } from "../io/session/endpoint/session.ts";
import { callsOf, streamsOf } from "./session-detail.ts";
import type { RequestRow, Seen, SeenRow, SessionRow } from "./wire.ts";

/** How often a watched session is looked at. What begins and ends between two looks shows in the counters alone. */
const LOOK_MS = 250;
/** The most events that are kept for whoever comes later. */
const KEPT_EVENTS = 256;

/** Something that was seen. */
export interface SeenEvent {
  /** Counts up from 1 while the session is watched. */
  readonly number: number;
  readonly row: SeenRow;
}

/** What one look has found. */
interface Look {
  readonly state: SessionRow["state"];
  readonly remote: string | undefined;
  readonly sent: number;
  readonly acknowledged: number;
  readonly received: number;
  readonly roundTripMs: number | undefined;
  /** The calls and streams that are under way, by what names them. */
  readonly underWay: ReadonlyMap<string, RequestRow>;
}

/** All sessions that are watched. */
export class Watches {
  readonly #clock: Clock;
  readonly #watches: Map<number, Watch> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches a session until the answer is called. Tells what was seen before first. */
  add(id: number, session: SessionFacade, told: (event: SeenEvent) => void): () => void {
    const watch = this.#watches.get(id) ?? new Watch(this.#clock, session);
    this.#watches.set(id, watch);
    watch.add(told);
    return () => {
      if (watch.remove(told)) this.#watches.delete(id);
    };
  }
}

/** One session that is watched. */
class Watch {
  readonly #clock: Clock;
  readonly #session: WeakRef<SessionFacade>;
  readonly #watchers: Set<(event: SeenEvent) => void> = new Set();
  readonly #startedAt: number;
  #events: SeenEvent[] = [];
  #count = 0;
  #last: Look;
  #timer: Timer | undefined;

  constructor(clock: Clock, session: SessionFacade) {
    this.#clock = clock;
    this.#session = new WeakRef(session);
    this.#startedAt = clock.now();
    this.#last = lookAt(session, this.#startedAt);
    this.#expectLook();
  }

  add(told: (event: SeenEvent) => void): void {
    for (const event of this.#events) told(event);
    this.#watchers.add(told);
  }

  /** Answers whether it was the last one. */
  remove(told: (event: SeenEvent) => void): boolean {
    this.#watchers.delete(told);
    if (this.#watchers.size > 0) return false;
    this.#timer?.cancel();
    return true;
  }

  #expectLook(): void {
    this.#timer = this.#clock.setTimer(() => this.#look(), LOOK_MS, true);
  }

  #look(): void {
    const session = this.#session.deref();
    if (session === undefined) return;
    const now = this.#clock.now();
    const look = lookAt(session, now);
    for (const row of differences(this.#last, look)) this.#tell({ atMs: Math.round(now - this.#startedAt), ...row });
    this.#last = look;
    this.#expectLook();
  }

  #tell(row: SeenRow): void {
    this.#count += 1;
    const event: SeenEvent = { number: this.#count, row };
    this.#events.push(event);
    if (this.#events.length > KEPT_EVENTS) this.#events.shift();
    for (const told of this.#watchers) told(event);
  }
}

function lookAt(session: SessionFacade, now: number): Look {
  const { endpoint } = partsOf(session);
  const { remoteAddress, state, stats } = session;
  const underWay = new Map<string, RequestRow>();
  for (const [what, { list }] of [
    ["call", callsOf(endpoint, now)],
    ["stream", streamsOf(endpoint)],
  ] as const) {
    for (const { id, from, method } of list) {
      underWay.set(`${what} ${from} ${id}`, { what, id, from, method });
    }
  }
  return {
    ...endpoint.machine.resumePoint,
    state,
    remote: remoteAddress === undefined ? undefined : String(remoteAddress),
    roundTripMs: stats.roundTripMs,
    underWay,
  };
}

/** What is different now. */
function differences(before: Look, now: Look): readonly Seen[] {
  const found: Seen[] = [];
  if (now.state !== before.state) found.push({ type: "state", state: now.state, before: before.state });
  if (now.remote !== before.remote) found.push({ type: "connection", remote: now.remote });
  for (const [key, row] of now.underWay) if (!before.underWay.has(key)) found.push({ type: "began", ...row });
  for (const type of ["sent", "received", "acknowledged"] as const) {
    // A client that began anew counts from 1.
    const count = now[type] < before[type] ? now[type] : now[type] - before[type];
    if (now[type] !== before[type]) found.push({ type, count, number: now[type] });
  }
  for (const [key, row] of before.underWay) if (!now.underWay.has(key)) found.push({ type: "ended", ...row });
  const { roundTripMs } = now;
  if (roundTripMs !== before.roundTripMs && roundTripMs !== undefined) found.push({ type: "roundTrip", roundTripMs });
  return found;
}
