/** What belongs to one connection of a session, and is forgotten with it. */

import { FrameDecoder, Span } from "../framing/frame-decoder.ts";
import { ControlFrames } from "./wire/control-frames.ts";
import { type Framing, framingOf } from "./framing.ts";
import { Keepalive, type KeepaliveVerdict } from "./keepalive.ts";
import type { SessionSettings } from "./settings.ts";
import type { SharedOutput } from "./shared-lane.ts";

/** An acknowledgement is sent alone when so many bytes wait for it, a quarter of what a peer retains by default ... */
const ACK_BYTES = 262_144;
/** ... or so many messages, also a quarter ... */
const ACK_MESSAGES = 4096;
/** ... or when nothing has come for so long, ... */
const ACK_DELAY_MS = 100;
/** ... and one waits at most so long. Otherwise it goes with the next message. Each costs a system call. */
const MAX_ACK_DELAY_MS = 1000;
/** Who sends a long frame hears from this side so often in the time after which it would ask. */
const SIGNS_A_HEARTBEAT = 2;
/** Pings that wait for their pong; a peer that sends more gets fewer pongs. */
const MAX_PONGS = 8;
/** No bound of work: more than anybody reads in one turn, and still a small integer. */
const NO_BOUND = 0x3fff_ffff;
/** The input when there is none. */
export const NO_BYTES: Buffer = Buffer.alloc(0);

/** Where a frame stands that came whole: one object for all connections, valid until the next frame is looked for. */
const whole: Span = new Span();

/** One connection of a session. */
export class Attachment {
  readonly keepalive: Keepalive;
  readonly #framing: Framing;
  /** Keeps the beginning of a frame that came in pieces. Idle connections, whose frames come whole, have none. */
  #decoder: FrameDecoder<Buffer> | undefined;
  /** What is to be written; undefined when that is nothing. */
  #control: ControlFrames | undefined;
  /** When the first message came that is not acknowledged; long ago where there are many, undefined where there is none. */
  #unacknowledgedSince: number | undefined;
  /** Whether the peer has acknowledged something, which tells that it has our first bytes. */
  #confirmed = false;
  /** After a GOAWAY of this side that the session survives: nothing more is received here. */
  deaf = false;
  /** After a GOAWAY of the peer that the session survives: messages wait for the next connection. */
  holding = false;
  /** Bytes that came and are not read: `input[at, end)`. */
  input: Buffer = NO_BYTES;
  at = 0;
  end = 0;
  /** What reading may still cost, in frames; at 0 it stops. */
  work: number = NO_BOUND;
  /** The last round trip of a ping in milliseconds; undefined when none came back. */
  roundTripMs: number | undefined;
  /** When the ping was sent that has not come back; undefined when there is none. */
  #pingedAt: number | undefined;
  /** What is said to many; undefined while nothing was. */
  shared: SharedOutput | undefined;
  #acknowledged = 0;
  #unacknowledgedBytes = 0;
  #pongs = 0;
  /** When the first bytes came since this side has said something; undefined when it has spoken last. */
  #heardSince: number | undefined;

  constructor({ limits, peerLimits }: SessionSettings, now: number) {
    this.#framing = framingOf(limits.maxMessageBytes);
    this.keepalive = new Keepalive(Math.min(limits.heartbeatMs, peerLimits.heartbeatMs), now);
  }

  /** Control frames that are to be written. */
  get control(): ControlFrames {
    return (this.#control ??= new ControlFrames());
  }

  /** When there is something to do. */
  get nextDeadline(): number {
    return Math.min(this.#ackDueAt, this.#signDueAt, this.keepalive.deadline);
  }

  /**
   * When a sign of life must be given: a frame that takes longer than the sender's patience must not look like silence. An
   * acknowledgement, be it of the same number, also tells the sender that its bytes arrive.
   */
  get #signDueAt(): number {
    if (this.#heardSince === undefined || this.#partBytes === 0) return Infinity;
    return this.#heardSince + this.keepalive.heartbeatMs / SIGNS_A_HEARTBEAT;
  }

  /** When an acknowledgement must be sent at the latest. */
  get #ackDueAt(): number {
    const since = this.#unacknowledgedSince;
    if (since === undefined) return Infinity;
    return Math.min(this.keepalive.heardAt + ACK_DELAY_MS, since + MAX_ACK_DELAY_MS);
  }

  /** Bytes of a frame that is not complete, and of what is said to many and waits. */
  get heldBytes(): number {
    return this.#partBytes + (this.shared?.heldBytes ?? 0);
  }
  /** Bytes of a frame that is not complete. */
  get #partBytes(): number {
    return this.#decoder?.heldBytes ?? 0;
  }

  receive(bytes: Uint8Array, start: number, end: number, now: number): void {
    this.keepalive.heard(now);
    this.#heardSince ??= now;
    this.input = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.end = end;
  }

  /** Forgets the bytes that were not read, and answers how many these are. They begin with a frame. */
  takeUnread(): number {
    const unread = this.end - this.at;
    this.at = this.end = 0;
    this.input = NO_BYTES;
    return unread;
  }

  /**
   * Takes the next frame out of the input. It stands in `input`, unless the answer has a `source`; with `from` below 0 there
   * is none yet.
   */
  next(): Span {
    const decoder = this.#decoder;
    if (decoder === undefined) return this.nextWhole();
    this.at = decoder.next(this.input, this.at, this.end);
    return decoder.span;
  }

  /** The same while no frame has come in pieces. A function of its own, so that `next` stays short. */
  nextWhole(): Span {
    const { codec, framer } = this.#framing;
    whole.limit = codec.maxFrameBytes;
    const next = framer.find(this.input, this.at, this.end, whole);
    if (next < 0) {
      this.#decoder = new FrameDecoder(codec.boundary, codec.format);
      return this.next();
    }
    this.at = next;
    return whole;
  }

  /** Gives back what an idle connection does not need. */
  trim(): void {
    if (this.#partBytes === 0) this.#decoder = undefined;
  }

  /** A message came, the `received`th. */
  counted(frameBytes: number, received: number, now: number): void {
    this.#unacknowledgedBytes += frameBytes;
    if (this.#unacknowledgedBytes >= ACK_BYTES || received - this.#acknowledged >= ACK_MESSAGES) {
      this.#unacknowledgedSince = -Infinity;
    } else if (this.#unacknowledgedSince === undefined) this.#unacknowledgedSince = now;
  }

  /** Time has passed. An acknowledgement that is due is said, though it may not be possible to write it now. */
  check(received: number, now: number): KeepaliveVerdict {
    if (Math.min(this.#ackDueAt, this.#signDueAt) <= now) this.acknowledge(received);
    return this.keepalive.check(now, this.#partBytes > 0);
  }

  /** Says what was received. */
  acknowledge(received: number): void {
    this.control.ack(received);
    this.#acknowledged = received;
    this.#unacknowledgedBytes = 0;
    this.#unacknowledgedSince = this.#heardSince = undefined;
  }

  /** The peer has acknowledged something; answers whether it is the first time. */
  confirm(): boolean {
    const first = !this.#confirmed;
    this.#confirmed = true;
    return first;
  }

  ping(now: number): void {
    this.control.ping();
    this.#pingedAt = now;
  }

  /** A ping came back. */
  answered(now: number): void {
    if (this.#pingedAt === undefined) return;
    this.roundTripMs = now - this.#pingedAt;
    this.#pingedAt = undefined;
  }

  /** Asks for an acknowledgement: the answer to a ping brings it, sooner than the peer would send it by itself. */
  askForAck(now: number): void {
    if (this.#pingedAt === undefined) this.ping(now);
  }

  pong(ping: Buffer, start: number): void {
    if (this.#pongs < MAX_PONGS) this.control.pong(ping, start);
    this.#pongs += 1;
  }

  /** Takes the control frames; with an acknowledgement, if one is due or anything else is sent. */
  takeControl(received: number, sending: boolean, now: number, chunks: Uint8Array[]): void {
    const unsaid = received > this.#acknowledged;
    if (unsaid && (sending || this.#control !== undefined || this.#ackDueAt <= now)) this.acknowledge(received);
    this.#pongs = 0;
    if (sending || this.#control !== undefined) this.#heardSince = undefined;
    this.#control?.take(chunks);
    this.#control = undefined;
  }
}
