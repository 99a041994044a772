/** The messages of both directions of a session, whatever carries them. */

import type { Begins } from "./begins.ts";
import { Gate, type SessionSnapshot } from "./gate.ts";
import { HELD } from "../held-bytes.ts";
import { brokenProtocol } from "../peer-error.ts";
import type { Attachment } from "./attachment.ts";
import { eventTold, type SessionEvent } from "./event.ts";
import { exceeded, Incoming } from "./incoming.ts";
import { type BodyPlace, Outgoing, tooLong } from "./outgoing.ts";
import { ReplayLog } from "./replay-log.ts";
import { Requests } from "./requests.ts";
import type { SessionSettings } from "./settings.ts";
import { sharedFrame, SharedInput, SharedOutput, VOLATILE_PLACE } from "./shared-lane.ts";
import { HEAD_BYTES, LENGTH_BYTES, readU16, SHARED_HEAD_BYTES, SHARED_LANE } from "./wire/frame-types.ts";

/** A frame of an event that may be lost, without its length and its body. */
const VOLATILE_BYTES = SHARED_HEAD_BYTES - LENGTH_BYTES;

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
  /** Of a client whose server has a log. */
  protected sharedIn: SharedInput | undefined;

  /** With a journal; undefined without. */
  protected readonly gate: Gate | undefined;

  /** Messages of the peer that were received. */
  abstract received: number;
  /** The connection of now. */
  abstract readonly link: Attachment | undefined;

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
  /** Memory that the session holds for its messages and for the calls of the peer (docs/semantics.md, rule D6). */
  get retainedBytes(): number {
    const calls = (this.ids?.foreignCalls.size ?? 0) * HELD.foreignCall;
    return this.log.pinnedBytes + (this.link?.heldBytes ?? 0) + calls;
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

  /** The same for an event of the log, which has no number. */
  sharedHandled(chargeBytes: number): void {
    this.sharedIn?.use(chargeBytes);
  }

  /** A stream was opened, or a cancelled call dropped: its bytes are free. */
  freed(chargeBytes: number): void {
    this.in?.lane.use(chargeBytes);
  }

  /** An item of a stream was handled. */
  itemHandled(id: number, chargeBytes: number): void {
    this.requests.streams.use(id, chargeBytes);
  }

  pinged(bytes: Buffer, start: number): void {
    this.link?.pong(bytes, start);
  }

  /** Sends a message of the log, as {@link sharedFrame} makes it; false when there is no room, or no connection. */
  say(frame: Uint8Array): boolean {
    return this.link?.shared?.say(frame) === true;
  }

  /** Sends an event that may be lost, to a peer that {@link SessionSettings.moves}; false when there is no room, or no connection. */
  sayVolatile(method: number, { bytes, start, end }: BodyPlace): boolean {
    const { moves, peerLimits } = this.settings;
    const payloadBytes = VOLATILE_BYTES + end - start;
    if (payloadBytes > peerLimits.maxMessageBytes) throw tooLong(payloadBytes, peerLimits.maxMessageBytes);
    const { link } = this;
    if (link === undefined || moves !== true) return false;
    link.shared ??= new SharedOutput(0);
    return link.shared.sayVolatile(sharedFrame(VOLATILE_PLACE, method, bytes.subarray(start, end)));
  }

  /** A message of the log came, or one that may be lost. */
  shared(place: number, bytes: Buffer, start: number, end: number): SessionEvent | undefined {
    if (this.link?.deaf !== false) return undefined;
    if (place === VOLATILE_PLACE) return this.#volatile(bytes, start, end);
    const input = this.#sharedInput();
    const event = eventTold;
    event.number = -place;
    event.chargeBytes = HEAD_BYTES + 8 + end - start;
    if (!input.take(event.chargeBytes)) throw exceeded("more of the log than the credit of its lane");
    if (!input.reach(place)) {
      input.use(event.chargeBytes);
      return undefined;
    }
    event.method = readU16(bytes, start);
    event.bytes = bytes;
    event.start = start + 2;
    event.end = end;
    return event;
  }

  /** It is charged nowhere: what waits for its handler is bounded by the number of its bytes, and dropped. */
  #volatile(bytes: Buffer, start: number, end: number): SessionEvent {
    if (this.settings.moves !== true) throw brokenProtocol("it sends what this side has not agreed to");
    const event = eventTold;
    event.number = VOLATILE_PLACE;
    event.chargeBytes = 0;
    event.method = readU16(bytes, start);
    event.bytes = bytes;
    event.start = start + 2;
    event.end = end;
    return event;
  }

  /** There is nothing in the log for this client up to a place. */
  placed(place: number): void {
    this.#sharedInput().reach(place);
  }

  #sharedInput(): SharedInput {
    const { role, moves, limits } = this.settings;
    if (role === "server" || moves !== true) throw brokenProtocol("it sends what this side has not agreed to");
    return (this.sharedIn ??= new SharedInput(limits.windowBytes));
  }

  /** Begins the lane of the log on a connection. */
  protected beginShared(link: Attachment, resumed: boolean): void {
    const { role, moves, journaled, peerLimits, limits } = this.settings;
    if (journaled === true) link.shared = new SharedOutput(resumed ? 0 : peerLimits.windowBytes);
    else if (role === "client" && moves === true && resumed) {
      this.sharedIn?.restart();
      link.control.credit(SHARED_LANE, this.sharedIn?.grant() ?? limits.windowBytes);
    }
  }

  /** Tells the peer that it may send more, where half a window is free. */
  protected grantDue(link: Attachment): void {
    if (this.in?.lane.due === true) link.control.credit(0, this.in.lane.grant());
    if (this.ids?.streams.due === true) this.ids.streams.grantDue(link.control);
    if (this.sharedIn?.due === true) link.control.credit(SHARED_LANE, this.sharedIn.grant());
  }

  /** The peer, or this side, is another process than before. The peer may send messages again up to `peerSent`. */
  protected restartLanes(peerSent: number): void {
    this.outgoing.restartLane();
    this.incoming.restart(peerSent);
  }

  /** What a journal knows of handlers that begin; undefined without one. */
  get begins(): Begins | undefined {
    return this.gate?.begins;
  }

  /** Whether the handler of a message of the peer may have begun in another process. */
  mayHaveBegun(number: number): boolean {
    return this.gate !== undefined && number <= this.gate.begins.resent;
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
    const unfinished = gate.unfinished(this.requests.foreignCalls.values());
    const progress = gate.progress(this.received, unfinished, all);
    return {
      ...progress,
      ...gate.begun(this.received, unfinished),
      acknowledged,
      sent,
      frames: this.log.frames(),
      nextId: this.requests.nextId,
    };
  }
}
