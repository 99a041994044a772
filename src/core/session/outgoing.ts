/** What this side sends: messages with numbers, and the calls that wait for an answer. */

import { copyBytes } from "../bytes/byte-range.ts";
import { ConnectionError, UsageError } from "../errors.ts";
import { resentBytes, SendCredit } from "./credit.ts";
import { isRequest } from "./departure.ts";
import {
  CALL,
  CALL_TIMEOUT_AT,
  CANCEL,
  END,
  ERROR,
  EVENT,
  HEAD_BYTES,
  ITEM,
  LENGTH_BYTES,
  NO_TIMEOUT,
  OPEN,
  OPENER_RECEIVES,
  OPENER_SENDS,
  RESULT,
  writeU16,
} from "./wire/frame-types.ts";
import type { Gate } from "./gate.ts";
import { ReplayLog } from "./replay-log.ts";
import { NO_CREDIT, REQUESTS, RoomQueue, TOO_MANY_CALLS, TOO_MANY_STREAMS } from "./room-queue.ts";
import type { Lost, SessionEvent } from "./event.ts";
import type { ReplayBounds, SessionSettings } from "./settings.ts";
import type { OwnCall, Requests } from "./requests.ts";

/** A body to be sent: `bytes[start, end)`. It is copied. */
export interface BodyPlace {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const MAX_TIMEOUT_MS = NO_TIMEOUT - 1;

/**
 * The sending half of a session. Methods that answer 0 or false were not taken for lack of room: try after `writable`. What
 * an idle session does not need is made when it is first used; until then all sessions share one that is empty.
 */
export class Outgoing {
  /** Only this class replaces it. */
  log: ReplayLog = ReplayLog.none;
  readonly lane: SendCredit;
  readonly #gate: Gate | undefined;
  /** When the peer has acknowledged something last, and when a part of a message has arrived there. */
  acknowledgedAt: number = -Infinity;
  arrivedAt: number = -Infinity;
  /** Who waits for room. */
  readonly room: RoomQueue = new RoomQueue();
  /** What still gets a number: requests too; or only what belongs to earlier ones, as the peer leaves; or nothing. */
  #takes: "requests" | "answers" | "nothing" = "requests";
  readonly #settings: SessionSettings;
  readonly #bounds: ReplayBounds;
  readonly #requests: Requests;
  #starved = false;
  /**
   * Requests wait while so much is not acknowledged: what the replay buffer holds, and what another process that goes on with the
   * session takes again.
   */
  readonly #mostBytes: number;
  /** No call expires before this; undefined when none does. */
  #expiry: number | undefined;
  /** Calls with a deadline that are not handed to the connection of now, in the order of their numbers. */
  #timed: OwnCall[] | undefined;

  /** @param gate - With a journal; undefined without. */
  constructor(settings: SessionSettings, requests: Requests, gate?: Gate) {
    this.#requests = requests;
    this.#gate = gate;
    this.#settings = settings;
    this.#bounds = settings.replay;
    const { windowBytes } = settings.peerLimits;
    this.lane = new SendCredit(windowBytes);
    const againBytes = settings.moves === true ? resentBytes(windowBytes) + windowBytes : Infinity;
    this.#mostBytes = Math.min(againBytes, settings.replay.maxBytes);
  }

  /** When what is not acknowledged has stood still for too long. */
  get staleAt(): number {
    return Math.max(this.log.oldestAt, this.acknowledgedAt, this.arrivedAt) + this.#bounds.maxAgeMs;
  }

  /** No call expires before this. */
  get nextExpiry(): number {
    return this.#expiry ?? Infinity;
  }

  /** Whether the replay buffer takes another message. */
  get hasRoom(): boolean {
    return this.log.count < this.#bounds.maxMessages && this.log.retainedBytes < this.#bounds.maxBytes;
  }

  /** Whether the peer takes a request: now, and from another process that has to be sent it again. */
  get #isOpen(): boolean {
    return this.lane.open && this.log.retainedBytes < this.#mostBytes;
  }

  /** Whether something was not taken since the last call because the replay buffer is full: an acknowledgement would help. */
  takeStarved(): boolean {
    const starved = this.#starved;
    this.#starved = false;
    return starved;
  }

  /** Sends an event. */
  event(method: number, body: BodyPlace, now: number): boolean {
    if (!this.#admits()) return false;
    const at = this.#append(EVENT, 2, body, now);
    writeU16(this.log.frameBytes, method, at);
    return true;
  }

  /** Sends a call; answers its id, or 0. */
  call(method: number, body: BodyPlace, timeoutMs: number, now: number): number {
    if (!this.#admits()) return 0;
    if (this.#requests.calls.size >= this.#settings.peerLimits.maxCalls) return this.room.refuse(TOO_MANY_CALLS);
    const at = this.#append(CALL, 10, body, now);
    const id = this.#requests.takeId();
    const { frameBytes, last } = this.log;
    frameBytes.writeUInt32BE(id, at);
    writeU16(frameBytes, method, at + 4);
    frameBytes.writeUInt32BE(wireTimeout(timeoutMs), at + 6);
    const pending: OwnCall = { id, number: last, method, deadline: now + timeoutMs };
    this.#requests.addCall(pending);
    if (timeoutMs < Infinity) {
      this.#timed ??= [];
      this.#timed.push(pending);
      if (pending.deadline < this.nextExpiry) this.#expiry = pending.deadline;
    }
    return id;
  }

  /** Opens a stream; answers its id, or 0. */
  open(method: number, body: BodyPlace, directions: { sends: boolean; receives: boolean }, now: number): number {
    if (!this.#admits()) return 0;
    if (this.#requests.streams.own >= this.#settings.peerLimits.maxStreams) return this.room.refuse(TOO_MANY_STREAMS);
    const at = this.#append(OPEN, 7, body, now);
    const id = this.#requests.takeId();
    const { sends, receives } = directions;
    const { frameBytes, last } = this.log;
    frameBytes.writeUInt32BE(id, at);
    writeU16(frameBytes, method, at + 4);
    frameBytes[at + 6] = (sends ? OPENER_SENDS : 0) | (receives ? OPENER_RECEIVES : 0);
    this.#requests.openStream({ id, own: true, sending: sends, receiving: receives, number: last, method });
    return id;
  }

  /** Sends an item of a stream. */
  item(id: number, body: BodyPlace, now: number): boolean {
    const stream = this.#requests.streams.get(id);
    if (stream?.sending !== true || this.#takes === "nothing") throw unsent("the stream takes no items; it has ended");
    if (!stream.sendCredit.open) {
      stream.blocked = true;
      return false;
    }
    if (!this.hasRoom) return this.#starve(id);
    this.#writeId(ITEM, id, body, now);
    stream.sendCredit.sent += HEAD_BYTES + 4 + body.end - body.start;
    return true;
  }

  /** Ends the items of this side. */
  endItems(id: number, now: number): void {
    const stream = this.#requests.streams.get(id);
    if (stream?.sending !== true) return;
    stream.sending = false;
    this.#writeId(END, id, NOTHING, now);
    this.#requests.streams.dropEnded(stream);
  }

  /** Sends the answer to a call of the peer. Never waits for room: the peer's calls are bounded. */
  respond(id: number, body: BodyPlace, now: number): void {
    this.#writeId(RESULT, id, body, now);
  }

  /** The id of an answer that the peer takes. @throws UsageError `FRAME_TOO_LONG`, before the call is settled. */
  fitting(id: number, { start, end }: BodyPlace): number {
    const { maxMessageBytes } = this.#settings.peerLimits;
    if (end - start + 5 > maxMessageBytes) throw tooLong(end - start + 5, maxMessageBytes);
    return id;
  }

  /** Ends a call of the peer, or a stream, with an error. */
  fail(id: number, body: BodyPlace, now: number): void {
    this.#writeId(ERROR, id, body, now);
  }

  /** Gives up a call of this side or a stream. What was not acknowledged is sent again, if at all, as cancelled. */
  cancel(id: number, now: number): boolean {
    const pending = this.#requests.calls.get(id);
    if (pending !== undefined) this.#giveUp(pending);
    else if (!this.#requests.streams.drop(id)) return false;
    this.#writeId(CANCEL, id, NOTHING, now);
    return true;
  }

  /** Cancels the calls whose time is up, and calls `onExpired` for each. */
  expire(now: number, onExpired: (id: number, outcome: Lost["outcome"]) => void): void {
    if (now < this.nextExpiry) return;
    this.#expiry = undefined;
    for (const pending of this.#requests.calls.values()) {
      if (pending.deadline > now) {
        if (pending.deadline < this.nextExpiry) this.#expiry = pending.deadline;
        continue;
      }
      this.cancel(pending.id, now);
      onExpired(pending.id, pending.number > this.log.transmitted ? "not-sent" : "unknown");
    }
  }

  /** Begins again behind `number` on a new connection. Answers how many messages are sent again. */
  rewind(number: number): number {
    const timed = [...this.#requests.calls.values()].filter((call) => call.number > number && call.deadline < Infinity);
    this.#timed = timed.length === 0 ? undefined : timed;
    return this.log.rewind(number);
  }

  /**
   * Takes what is to be written now, at most about `maxBytes`. Remaining milliseconds are computed here (docs/semantics.md,
   * rule D7).
   */
  take(maxBytes: number, now: number, chunks: Uint8Array[]): void {
    if (!this.log.hasUnsent) return;
    const reach = this.log.reach(maxBytes);
    if (this.#timed !== undefined) this.#tellTimeLeft(this.#timed, reach, now);
    this.log.take(reach, chunks);
  }

  /** Goes on with frames that were kept of another process. */
  restore(acknowledged: number, frames: Buffer, now: number): void {
    this.log = ReplayLog.restored(acknowledged, frames, now);
    this.log.gate = this.#gate;
  }

  /** Both sides count their credit anew: what is sent again had its credit before, within {@link resentBytes}. */
  restartLane(): void {
    const { acknowledged, transmitted, last } = this.log;
    const { windowBytes } = this.#settings.peerLimits;
    let freeBytes = resentBytes(windowBytes);
    let sent = 0;
    for (let number = acknowledged + 1; number <= last; number += 1) {
      const { bytes, at } = this.log.frame(number);
      if (!isRequest(bytes[at + LENGTH_BYTES] as number)) continue;
      const frameBytes = LENGTH_BYTES + bytes.readUInt32BE(at);
      if (number <= transmitted && freeBytes > 0) freeBytes -= frameBytes;
      else sent += frameBytes;
    }
    this.lane.restart(windowBytes, sent);
  }

  /** Gives back what an idle session does not need. */
  trim(): void {
    this.log.trim();
  }

  #tellTimeLeft(timed: OwnCall[], reach: number, now: number): void {
    let due = 0;
    for (const pending of timed) {
      if (pending.number > reach) break;
      due += 1;
      if (pending.number > this.log.acknowledged && this.#requests.calls.has(pending.id)) {
        this.#setTimeout(pending.number, wireTimeout(pending.deadline - now));
      }
    }
    if (due === timed.length) this.#timed = undefined;
    else if (due > 0) timed.splice(0, due);
  }

  /** The peer allows more in a stream, or in the lane, whose id is 0. */
  credited(id: number, limitBytes: number): void {
    const stream = this.#requests.streams.get(id);
    if (id === REQUESTS) this.lane.raise(limitBytes);
    else if (stream?.sendCredit.raise(limitBytes) === true && stream.blocked) {
      stream.blocked = false;
      this.room.enqueue(id);
    }
  }

  /**
   * The next of those who wait and for whom there is room now; undefined when there is none. Tell them one after the other:
   * the first ones may use the room up, and what one frame of the peer gives room for must not cost a walk over all who wait.
   */
  takeRoom(): SessionEvent | undefined {
    const { maxCalls, maxStreams } = this.#settings.peerLimits;
    this.room.over(
      (this.#isOpen ? NO_CREDIT : 0) |
        (this.#requests.calls.size < maxCalls ? TOO_MANY_CALLS : 0) |
        (this.#requests.streams.own < maxStreams ? TOO_MANY_STREAMS : 0),
    );
    while (this.hasRoom && this.#takes !== "nothing") {
      const id = this.room.take();
      if (id === undefined) return undefined;
      if (id === REQUESTS) return { type: "writable" };
      if (this.#requests.streams.get(id) !== undefined) return { type: "streamWritable", id };
    }
    return undefined;
  }

  /** The peer leaves, and does not accept these requests: takes no more of them, and forgets their calls and streams. */
  leave(refused: readonly Lost[]): void {
    if (this.#takes === "requests") this.#takes = "answers";
    for (const { id } of refused) this.#requests.drop(id);
  }

  /** A CLOSE was said: nothing gets a number any more. */
  seal(): void {
    this.#takes = "nothing";
  }

  /** The session is over: nobody waits. */
  end(): void {
    this.seal();
    this.room.clear();
  }

  #admits(): boolean {
    const isFull = this.log.count >= this.#bounds.maxMessages;
    return (!isFull && this.#isOpen && this.#takes === "requests") || this.#refuse();
  }
  #refuse(): false {
    if (this.#takes !== "requests") throw unsent("the peer is leaving, or the session is over; nothing was sent");
    if (!this.hasRoom) return this.#starve(REQUESTS);
    this.room.refuse(NO_CREDIT);
    return false;
  }

  /** The replay buffer is full. */
  #starve(id: number): false {
    this.#starved = true;
    this.room.enqueue(id);
    return false;
  }

  /** An expired or cancelled call that is sent again keeps its number and is not started (rule D7). */
  #giveUp(pending: OwnCall): void {
    this.#requests.calls.delete(pending.id);
    if (pending.number > this.log.acknowledged) this.#setTimeout(pending.number, 0);
  }

  #setTimeout(number: number, timeoutMs: number): void {
    const { bytes, at } = this.log.frame(number);
    bytes.writeUInt32BE(timeoutMs, at + CALL_TIMEOUT_AT);
  }

  #writeId(type: number, id: number, body: BodyPlace, now: number): void {
    if (this.#takes === "nothing") return;
    const at = this.#append(type, 4, body, now);
    this.log.frameBytes.writeUInt32BE(id, at);
  }

  /** Writes a frame but for the fields in front of its body; answers where these begin. */
  #append(type: number, fieldBytes: number, body: BodyPlace, now: number): number {
    const { bytes, start, end } = body;
    const payloadBytes = fieldBytes + end - start;
    const { maxMessageBytes } = this.#settings.peerLimits;
    if (payloadBytes + 1 > maxMessageBytes) throw tooLong(payloadBytes + 1, maxMessageBytes);
    if (this.log === ReplayLog.none) {
      this.log = new ReplayLog();
      this.log.gate = this.#gate;
    }
    const at = this.log.append(type, payloadBytes, now) + HEAD_BYTES;
    copyBytes(bytes, start, end, this.log.frameBytes, at + fieldBytes);
    if (type === EVENT || type === CALL || type === OPEN) this.lane.sent += HEAD_BYTES + payloadBytes;
    return at;
  }
}

/** A body of no bytes. */
export const NOTHING: BodyPlace = { bytes: new Uint8Array(0), start: 0, end: 0 };

function wireTimeout(timeoutMs: number): number {
  if (timeoutMs === Infinity) return NO_TIMEOUT;
  return Math.max(1, Math.min(MAX_TIMEOUT_MS, Math.ceil(timeoutMs)));
}

function unsent(detail: string): ConnectionError {
  return new ConnectionError("SESSION_LOST", { op: "send", detail, side: "system", outcome: "none" });
}

export function tooLong(bytes: number, limitBytes: number): UsageError {
  const detail = `a message of ${bytes} bytes is longer than the ${limitBytes} that the peer receives; send it as a stream`;
  return new UsageError("FRAME_TOO_LONG", { op: "send", detail, side: "local", outcome: "none" });
}
