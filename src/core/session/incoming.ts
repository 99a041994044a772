/** What this side receives: the messages of the peer, and its calls that wait for an answer. */

import type { ProtocolError } from "../errors.ts";
import { brokenProtocol, peerError } from "../peer-error.ts";
import type { HandshakeLimits } from "../handshake/limits.ts";
import { ReceiveCredit } from "./credit.ts";
import type { Gate } from "./gate.ts";
import {
  CALL,
  CANCEL,
  END,
  ERROR,
  EVENT,
  ITEM,
  LENGTH_BYTES,
  NO_TIMEOUT,
  OPEN,
  OPENER_RECEIVES,
  OPENER_SENDS,
  RESULT,
  readU16,
} from "./wire/frame-types.ts";
import { answerTold, type Cancelled, callTold, eventTold, itemTold, type SessionEvent } from "./event.ts";
import type { Requests } from "./requests.ts";
import type { SessionSettings } from "./settings.ts";

/** So many calls are looked at in a millisecond, to see whose time is up: a peer must not have all of them looked at each time. */
const LOOKED_AT_A_MS = 100;

/** The receiving half of a session. */
export class Incoming {
  readonly lane: ReceiveCredit;
  readonly #gate: Gate | undefined;
  readonly #limits: HandshakeLimits;
  readonly #requests: Requests;
  /** No call of the peer expires before this; undefined when none does. */
  #expiry: number | undefined;
  /** Nor is any looked at before this. */
  #lookAt = 0;
  /** Up to this number the peer says that it had credit from another process. */
  #before = 0;

  /** @param gate - With a journal; undefined without. */
  constructor({ limits }: SessionSettings, requests: Requests, gate?: Gate) {
    this.#limits = limits;
    this.#gate = gate;
    this.#requests = requests;
    this.lane = new ReceiveCredit(limits.windowBytes);
  }

  /** No call of the peer expires before this. */
  get nextExpiry(): number {
    return this.#expiry === undefined ? Infinity : Math.max(this.#expiry, this.#lookAt);
  }

  /**
   * The message of this number, whose type stands at `start`. Answers what it means to the program; undefined when it means
   * nothing any more.
   *
   * @throws ProtocolError `FRAME_INVALID`, `LIMIT_EXCEEDED`.
   */
  message(bytes: Buffer, start: number, end: number, now: number, number: number): SessionEvent | undefined {
    const type = bytes[start] as number;
    switch (type) {
      case EVENT:
        return this.#readEvent(bytes, start, end, number);
      case CALL:
        return this.#readCall(bytes, start, end, now, number);
      case OPEN:
        return this.#readOpen(bytes, start, end, number);
      case RESULT:
      case ERROR:
        return this.#readAnswer(type, bytes, start, end);
      case ITEM:
        return this.#readItem(bytes, start, end);
      case END:
        return this.#readEnd(this.#id(bytes, start, end));
      case CANCEL:
        return this.#readCancel(this.#id(bytes, start, end));
      default:
        throw brokenProtocol(`a message of type 0x${type.toString(16)} is not known`);
    }
  }

  /** Both sides count their credit anew; messages up to this number had theirs before, within {@link resentBytes}. */
  restart(peerSent: number): void {
    this.lane.restart();
    this.#before = peerSent;
  }

  /** Takes the calls off the list whose time is up, and calls `onExpired` for each. */
  expire(now: number, onExpired: (id: number, chargeBytes: number) => void): void {
    if (now < this.nextExpiry) return;
    const calls = this.#requests.foreignCalls;
    this.#lookAt = now + calls.size / LOOKED_AT_A_MS;
    let expiry = Infinity;
    for (const [id, call] of calls) {
      if (call.deadline <= now) {
        calls.delete(id);
        onExpired(id, call.chargeBytes);
      } else if (call.deadline < expiry) expiry = call.deadline;
    }
    this.#expiry = expiry === Infinity ? undefined : expiry;
  }

  #readEvent(bytes: Buffer, start: number, end: number, number: number): SessionEvent | undefined {
    need(end - start >= 3);
    const event = eventTold;
    event.number = number;
    event.chargeBytes = this.#charge(start, end, number);
    if (this.#gate !== undefined && !this.#begins(this.#gate, number, bytes, start, end)) return undefined;
    event.method = readU16(bytes, start + 1);
    event.bytes = bytes;
    event.start = start + 3;
    event.end = end;
    return event;
  }

  #readCall(bytes: Buffer, start: number, end: number, now: number, number: number): SessionEvent | undefined {
    need(end - start >= 11);
    const chargeBytes = this.#charge(start, end, number);
    const id = this.#newId(bytes, start);
    const remaining = bytes.readUInt32BE(start + 7);
    if (remaining === 0 || this.#gate?.isDone(number) === true) {
      // Sent again after nobody waited for it any more (docs/semantics.md, rule D7): it keeps its number and is not started.
      // Or another process has answered it.
      this.lane.use(chargeBytes);
      return undefined;
    }
    if (this.#requests.foreignCalls.size >= this.#limits.maxCalls)
      throw exceeded(`more than ${this.#limits.maxCalls} calls`);
    const timeoutMs = remaining === NO_TIMEOUT ? Infinity : remaining;
    const deadline = now + timeoutMs;
    this.#requests.addForeignCall(id, { chargeBytes, deadline, number, frame: this.#frame(bytes, start, end) });
    if (deadline < (this.#expiry ?? Infinity)) this.#expiry = deadline;
    const call = callTold;
    call.id = id;
    call.number = number;
    call.method = readU16(bytes, start + 5);
    call.chargeBytes = chargeBytes;
    call.timeoutMs = timeoutMs;
    call.bytes = bytes;
    call.start = start + 11;
    call.end = end;
    return call;
  }

  /** Whether an event is to be handled: not when another process has done that. */
  #begins(gate: Gate, number: number, bytes: Buffer, start: number, end: number): boolean {
    const isDone = gate.isDone(number);
    if (isDone) this.lane.use(LENGTH_BYTES + end - start);
    else gate.begin({ number, frame: Buffer.from(bytes.subarray(start, end)) });
    return !isDone;
  }

  /** A frame that a journal may have to keep. */
  #frame(bytes: Buffer, start: number, end: number): Buffer | undefined {
    return this.#gate === undefined ? undefined : Buffer.from(bytes.subarray(start, end));
  }

  #readOpen(bytes: Buffer, start: number, end: number, number: number): SessionEvent | undefined {
    need(end - start >= 8);
    const chargeBytes = this.#charge(start, end, number);
    const id = this.#newId(bytes, start);
    if (number <= this.#before) {
      // Streams do not move: whoever has opened it there has given it up.
      this.lane.use(chargeBytes);
      return undefined;
    }
    if (this.#requests.streams.foreign >= this.#limits.maxStreams)
      throw exceeded(`more than ${this.#limits.maxStreams} streams`);
    const directions = bytes[start + 7] as number;
    const peerSends = (directions & OPENER_SENDS) !== 0;
    const peerReceives = (directions & OPENER_RECEIVES) !== 0;
    if (!peerSends && !peerReceives) throw brokenProtocol("a stream has no direction");
    const method = readU16(bytes, start + 5);
    this.#requests.openStream({ id, own: false, sending: peerReceives, receiving: peerSends, number: 0, method });
    return { type: "open", number, id, method, chargeBytes, peerSends, peerReceives, bytes, start: start + 8, end };
  }

  #readAnswer(type: number, bytes: Buffer, start: number, end: number): SessionEvent | undefined {
    const id = this.#id(bytes, start, end);
    const requests = this.#requests;
    if (!(type === ERROR ? requests.drop(id) : requests.calls.delete(id))) return undefined;
    const answer = answerTold;
    answer.type = type === RESULT ? "result" : "error";
    answer.id = id;
    answer.bytes = bytes;
    answer.start = start + 5;
    answer.end = end;
    return answer;
  }

  #readItem(bytes: Buffer, start: number, end: number): SessionEvent | undefined {
    const id = this.#id(bytes, start, end);
    const stream = this.#requests.streams.get(id);
    // Sent before the peer knew that the stream was given up.
    if (stream === undefined) return undefined;
    if (!stream.receiving) throw brokenProtocol("an item came in a direction that has ended");
    const item = itemTold;
    item.chargeBytes = LENGTH_BYTES + end - start;
    if (!stream.receiveCredit.take(item.chargeBytes)) throw exceeded("more items than the credit of the stream");
    item.id = id;
    item.bytes = bytes;
    item.start = start + 5;
    item.end = end;
    return item;
  }

  #readEnd(id: number): SessionEvent | undefined {
    const stream = this.#requests.streams.get(id);
    if (stream === undefined) return undefined;
    if (!stream.receiving) throw brokenProtocol("the items of a stream ended twice");
    stream.receiving = false;
    this.#requests.streams.dropEnded(stream);
    return { type: "itemsEnded", id };
  }

  #readCancel(id: number): SessionEvent | undefined {
    const chargeBytes = this.#requests.takeForeignCall(id);
    if (chargeBytes === undefined && !this.#requests.streams.drop(id)) return undefined;
    return { type: "cancelled", id, chargeBytes: chargeBytes ?? 0 } satisfies Cancelled;
  }

  /** Charges a request to the lane. */
  #charge(start: number, end: number, number: number): number {
    const chargeBytes = LENGTH_BYTES + end - start;
    const { lane } = this;
    const isAllowed = number <= this.#before ? lane.takeAgain(chargeBytes) : lane.take(chargeBytes);
    if (!isAllowed) throw exceeded("more requests than the credit of the session");
    return chargeBytes;
  }

  #id(bytes: Buffer, start: number, end: number): number {
    need(end - start >= 5);
    return bytes.readUInt32BE(start + 1);
  }

  #newId(bytes: Buffer, start: number): number {
    const id = bytes.readUInt32BE(start + 1);
    if (!this.#requests.isFree(id)) throw brokenProtocol(`the id ${id} is in use, or not one of the peer's`);
    return id;
  }
}

function need(enough: boolean): void {
  if (!enough) throw brokenProtocol("a message is too short for its type");
}

export function exceeded(what: string): ProtocolError {
  return peerError("LIMIT_EXCEEDED", { op: "receive", detail: `the peer sent ${what} allows` });
}
