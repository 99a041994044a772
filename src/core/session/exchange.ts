/** The messages of both directions of a session, whatever carries them. */

import { Gate, type SessionSnapshot } from "./gate.ts";
import { Incoming } from "./incoming.ts";
import { type BodyPlace, Outgoing } from "./outgoing.ts";
import { ReplayLog } from "./replay-log.ts";
import { Requests } from "./requests.ts";
import type { SessionSettings } from "./settings.ts";

/** How much of its window a side has used. */
export interface LaneCredit {
  /** The window of the peer. */
  readonly windowBytes: number;
  /** What this side may still send. */
  readonly freeBytes: number;
  /** What came from the peer and is not handled. */
  readonly waitingBytes: number;
}

/** What a program asks of a session. The two halves, and what is under way, are made with the first message. */
export abstract class Exchange {
  protected readonly settings: SessionSettings;
  protected out: Outgoing | undefined;
  protected in: Incoming | undefined;
  protected ids: Requests | undefined;

  /** With a journal; undefined without. */
  protected readonly gate: Gate | undefined;

  /** Messages of the peer that were received. */
  abstract received: number;

  constructor(settings: SessionSettings, gate: Gate | undefined) {
    this.settings = settings;
    this.gate = gate;
  }

  protected get outgoing(): Outgoing {
    return (this.out ??= new Outgoing(this.settings, this.requests, this.gate));
  }
  protected get incoming(): Incoming {
    return (this.in ??= new Incoming(this.settings, this.requests, this.gate));
  }
  /** What is under way, by its id. */
  protected get requests(): Requests {
    return (this.ids ??= new Requests(this.settings));
  }
  protected get log(): ReplayLog {
    return this.out === undefined ? ReplayLog.none : this.out.log;
  }
  /** What is under way, by its id, for whoever looks; undefined while nothing was. */
  get underWay(): Requests | undefined {
    return this.ids;
  }
  /** What is sent and not acknowledged, for whoever looks. */
  get unacknowledgedLog(): ReplayLog {
    return this.log;
  }
  /** Credit of both sides in bytes: what this side may send, and what waits here to be handled. */
  get laneCredit(): LaneCredit {
    const { windowBytes } = this.settings.peerLimits;
    const { sent, limit } = this.out?.lane ?? { sent: 0, limit: windowBytes };
    return { windowBytes, freeBytes: Math.max(0, limit - sent), waitingBytes: this.in?.lane.heldBytes ?? 0 };
  }
  /** Messages of this side that the peer has not acknowledged. */
  get unacknowledged(): number {
    return this.log.count;
  }
  /** Whether the replay buffer takes another message. Without room, start nothing that the peer asks for. */
  get hasRoom(): boolean {
    return this.out?.hasRoom !== false;
  }
  /** When a part of a message has arrived at the peer, as far as it has shown; long ago when it has not. */
  get arrivedAt(): number {
    return this.out?.arrivedAt ?? -Infinity;
  }
  /** Calls of either side that are not answered, and open streams. */
  get pending(): number {
    return this.ids?.pending ?? 0;
  }
  /** Sends an event. Answers false when there is no room: try again after `writable`. */
  sendEvent(method: number, body: BodyPlace, now: number): boolean {
    return (this.out ?? this.outgoing).event(method, body, now);
  }

  /** Sends a call; answers its id. Answers 0 when there is no room: try again after `writable`. */
  call(method: number, body: BodyPlace, timeoutMs: number, now: number): number {
    return (this.out ?? this.outgoing).call(method, body, timeoutMs, now);
  }

  /** Opens a stream; answers its id. Answers 0 when there is no room: try again after `writable`. */
  openStream(method: number, body: BodyPlace, directions: { sends: boolean; receives: boolean }, now: number): number {
    return this.outgoing.open(method, body, directions, now);
  }

  /** Sends an item. Answers false when there is no room: try again after `streamWritable`. */
  sendItem(id: number, body: BodyPlace, now: number): boolean {
    return this.outgoing.item(id, body, now);
  }

  /** Ends the items of this side of a stream. */
  endStream(id: number, now: number): void {
    this.outgoing.endItems(id, now);
  }

  /** Answers a call of the peer. False when nobody waits for it any more. */
  respond(id: number, body: BodyPlace, now: number): boolean {
    const chargeBytes = this.requests.takeForeignCall(this.outgoing.fitting(id, body));
    if (chargeBytes === undefined) return false;
    this.in?.lane.use(chargeBytes);
    this.outgoing.respond(id, body, now);
    return true;
  }

  /** Ends a call of the peer, or a stream, with an error: the UTF-8 of `{"code", "message", "data"}`. */
  fail(id: number, body: BodyPlace, now: number): boolean {
    const chargeBytes = this.requests.takeForeignCall(this.outgoing.fitting(id, body));
    if (chargeBytes !== undefined) this.in?.lane.use(chargeBytes);
    else if (!this.requests.streams.drop(id)) return false;
    this.outgoing.fail(id, body, now);
    return true;
  }

  /** Gives up a call of this side, or a stream of either side. False when it is over already. */
  cancel(id: number, now: number): boolean {
    return this.outgoing.cancel(id, now);
  }

  /** The oldest event that was not handled is: its bytes are free for the next one. */
  eventHandled(chargeBytes: number): void {
    this.gate?.handled();
    this.in?.lane.use(chargeBytes);
  }

  /** A stream was opened, or a cancelled call dropped: its bytes are free. */
  freed(chargeBytes: number): void {
    this.in?.lane.use(chargeBytes);
  }

  /** An item of a stream was handled. */
  itemHandled(id: number, chargeBytes: number): void {
    this.requests.streams.use(id, chargeBytes);
  }

  /** The peer, or this side, is another process than before. The peer may send messages again up to `peerSent`. */
  protected restartLanes(peerSent: number): void {
    if (this.gate !== undefined) this.gate.sentAgain = peerSent;
    this.outgoing.restartLane();
    this.incoming.restart(peerSent);
  }

  /** Whether the handler of a message of the peer may have begun in another process. */
  mayHaveBegun(number: number): boolean {
    return this.gate !== undefined && number <= this.gate.sentAgain;
  }

  /** What waits for a journal: something that was said, or only something that came. */
  get unkept(): "said" | "received" | "nothing" {
    if (this.gate === undefined) return "nothing";
    if (this.log.last > this.gate.out) return "said";
    return this.received > this.gate.in ? "received" : "nothing";
  }

  /**
   * What a journal must keep now: up to the first request that is not finished; or, `all`, what is received, with the requests that
   * are not finished.
   */
  snapshot(all: boolean): SessionSnapshot {
    const { acknowledged, last: sent } = this.log;
    const gate = this.gate ?? new Gate();
    const progress = gate.progress(this.received, gate.unfinished(this.requests.foreignCalls.values()), all);
    return { ...progress, acknowledged, sent, frames: this.log.frames(), nextId: this.requests.nextId };
  }
}
