/** The session: numbered messages both ways, over one connection after the other. */

import { ConnectionError, ZocaloError } from "../errors.ts";
import type { Machine } from "../machine.ts";
import { brokenProtocol } from "../peer-error.ts";
import { Attachment, NO_BYTES } from "./attachment.ts";
import { type CloseReason, encodeClose } from "./wire/close-frame.ts";
import { type ControlSink, type GoAway, readControl } from "./wire/control-frames.ts";
import { type Departed, Departure } from "./departure.ts";
import { Exchange } from "./exchange.ts";
import { NUMBERED, SHARED_LANE } from "./wire/frame-types.ts";
import { Gate, type SessionSnapshot } from "./gate.ts";
import { type LossScope, lossesOf, refusedRequests } from "./losses.ts";
import { type SessionEvent, ToldEvents } from "./event.ts";
import { Requests } from "./requests.ts";
import type { ResumePoint, SessionSettings } from "./settings.ts";
import { SESSION_TABLE, type SessionInput, type SessionStateName } from "./state.ts";

/** Most bytes that `output` answers at once: enough for a cheap system call, so few that an answer soon follows. */
const OUTPUT_BYTES = 262_144;
/** What opening a stream costs, and giving up a stream or a call, beside the frame and in frames. */
const STREAM_WORK = 10;
const NO_CHUNKS: readonly Uint8Array[] = [];
/** So long the peer may take to answer a CLOSE, as the linger of a socket (docs/semantics.md, rule A2). */
const ANSWER_MS = 2000;
const ANSWER: CloseReason = { code: "", message: "" };

/** A session of either side. See {@link Machine} for how it is driven. */
export class Session extends Exchange implements Machine<SessionEvent>, ControlSink<SessionEvent> {
  /** Where the session stands. Only `#enter` changes it. */
  state: SessionStateName = "detached";
  /** Messages of the peer that were received. Only the session counts them. */
  override received = 0;
  /** What is to be told before what the peer has sent. */
  #events: ToldEvents | undefined;
  #link: Attachment | undefined;
  #attachments = 0;
  /** When something came last; without a connection, since when. */
  #now: number;
  /** Undefined until a side has left for good. */
  #departure: Departure | undefined;
  #lastWords: readonly Uint8Array[] = NO_CHUNKS;
  /** Acknowledgements are wanted as soon as possible. */
  #hurried = false;

  /** @param kept - What a journal has of it: the session goes on, once it is attached as moved. RangeError when it is damaged. */
  constructor(settings: SessionSettings, now: number, kept?: SessionSnapshot) {
    super(settings, settings.journaled === true ? new Gate(kept) : undefined);
    this.#now = now;
    if (kept === undefined) return;
    this.received = kept.received;
    this.ids = new Requests(settings, kept.nextId);
    this.outgoing.restore(kept.acknowledged, Buffer.concat(kept.frames), now);
  }

  /** The number of the last message of the peer that may be acknowledged. */
  get #acknowledgeable(): number {
    return this.gate === undefined ? this.received : Math.min(this.received, this.gate.in);
  }
  get #leaving(): Departure {
    return (this.#departure ??= new Departure());
  }
  /** Whether it can be continued. Not once requests were refused by a GOAWAY: who did not hear it takes them for held. */
  get resumable(): boolean {
    return SESSION_TABLE[this.state].attach !== undefined && (this.#departure?.refusals ?? 0) === 0;
  }
  /** How this side has ended the session, if the peer has not shown that it knows. */
  get departed(): Departed | undefined {
    return this.state === "ended" ? this.#departure?.departed(this.received) : undefined;
  }
  /** The counters of now. */
  get resumePoint(): ResumePoint {
    const { acknowledged, transmitted } = this.log;
    const place = this.sharedIn?.place;
    const counters = { received: this.#acknowledgeable, acknowledged, sent: transmitted };
    return place === undefined ? counters : { ...counters, place };
  }
  /** What belongs to the connection of now. Whoever drives the session sets how much is read there. */
  get link(): Attachment | undefined {
    return this.#link;
  }

  /**
   * The session has a connection. The one before, if any, is of no use any more: let none of its bytes come here.
   *
   * @param peerReceived - The number of the last message that the peer has received; 0 for a new session.
   * @param moved - Set when the server is another process: the peer may send again up to this number; credit begins anew.
   * @returns false when it is not resumable, or the number lies outside of what was acknowledged and sent (rule D5).
   */
  attach(peerReceived: number, now: number, moved?: number): boolean {
    const log = this.log;
    if (peerReceived < log.acknowledged || peerReceived > log.transmitted || !this.resumable) return false;
    this.#enter("attach");
    const link = new Attachment(this.settings, now);
    this.#link = link;
    log.acknowledge(peerReceived);
    if (moved !== undefined) {
      this.restartLanes(moved);
      this.#tell({ type: "moved" });
    }
    if (this.gate !== undefined) this.gate.skip = this.received - this.#acknowledgeable;
    // Said at once: it tells the peer that its welcome, or the first message behind it, has arrived.
    link.acknowledge(this.#acknowledgeable);
    link.control.credit(0, this.in?.lane.grant() ?? this.settings.limits.windowBytes);
    this.ids?.streams.grantAll(link.control);
    this.beginShared(link, this.#attachments > 0 || moved !== undefined);
    const replayed = this.out?.rewind(peerReceived) ?? 0;
    this.#tell({ type: "attached", resumed: this.#attachments > 0, replayed });
    this.#attachments += 1;
    // It may have been lost with the connection.
    if (this.#departure?.said !== undefined) this.goAway(false, this.#departure.said.retryAfterMs);
    return true;
  }

  /** The connection is lost or was given up. Messages wait for the next one. */
  detach(now: number): void {
    if (this.state === "closing") this.#unanswered();
    if (!this.#enter("detach")) return;
    this.#now = now;
    this.#link = undefined;
  }

  receive(bytes: Uint8Array, start: number, end: number, now: number): void {
    const link = this.#link;
    if (link === undefined || start === end) return;
    this.#now = now;
    link.receive(bytes, start, end, now);
  }

  /** The peer takes bytes that waited: it is there, and what they belong to arrives. */
  moved(now: number): void {
    this.#link?.keepalive.heard(now);
    if (this.out !== undefined) this.out.arrivedAt = now;
  }

  end(now: number): void {
    this.detach(now);
  }
  nextEvent(): SessionEvent | undefined {
    const link = this.#link;
    if (this.#events !== undefined) return this.#told();
    const room = this.out?.room.waits === true ? this.out.takeRoom() : undefined;
    if (room !== undefined || link === undefined) return room;
    const again = this.gate?.takeAgain();
    if (again !== undefined) return this.incoming.message(again.frame, 0, again.frame.length, this.#now, again.number);
    try {
      while (link.at < link.end && link.work > 0) {
        const found = this.#read(link);
        if (found !== undefined) return found;
        if (this.#events !== undefined) break;
        const next = this.out?.room.waits === true ? this.out.takeRoom() : undefined;
        if (next !== undefined) return next;
      }
      if (link.at === link.end) link.input = NO_BYTES;
    } catch (error) {
      if (!(error instanceof ZocaloError)) throw error;
      if (this.state === "closing") this.#unanswered();
      else this.close(error.detail, this.#now, error);
    }
    return this.#told();
  }

  output(now: number): readonly Uint8Array[] {
    const link = this.#link;
    if (link === undefined || this.state === "closing") {
      const words = this.#lastWords;
      this.#lastWords = NO_CHUNKS;
      return words;
    }
    const sending = this.log.hasUnsent && !link.holding;
    this.grantDue(link);
    if (this.out?.takeStarved() === true || (this.#hurried && this.log.count > 0)) link.askForAck(now);
    const chunks: Uint8Array[] = [];
    link.takeControl(this.#acknowledgeable, sending, now, chunks);
    if (!link.holding) link.shared?.take(chunks);
    if (sending) this.outgoing.take(OUTPUT_BYTES, now, chunks);
    return chunks;
  }

  nextDeadline(): number {
    if (this.state === "ended") return Infinity;
    if (this.state === "closing") return this.#leaving.answerBy;
    const link = this.#link;
    const expiry = Math.min(this.out?.nextExpiry ?? Infinity, this.in?.nextExpiry ?? Infinity);
    const connection = link === undefined ? this.#now + this.settings.keptMs : link.nextDeadline;
    return Math.min(expiry, this.out?.staleAt ?? Infinity, connection);
  }

  onDeadline(now: number): void {
    if (now < this.nextDeadline()) return;
    if (this.state === "closing") {
      this.#unanswered();
      return;
    }
    this.out?.expire(now, (id, outcome) => this.#tell({ type: "timedOut", id, outcome }));
    this.in?.expire(now, (id, chargeBytes) => this.#tell({ type: "cancelled", id, chargeBytes }));
    if (this.out !== undefined && now >= this.out.staleAt) {
      const error = new ConnectionError("REPLAY_OVERFLOW", { op: "session" });
      this.close(error.detail, now, error);
    } else if (this.#link !== undefined) this.#checkPeer(this.#link, now);
    else if (now >= this.#now + this.settings.keptMs) {
      const detail = `no connection came within ${this.settings.keptMs} ms`;
      this.lose(new ConnectionError("SESSION_LOST", { op: "session", detail }));
    }
  }

  /**
   * Tells the peer that this side leaves. `survives`: the session goes on, on a connection that the client makes after
   * `retryAfterMs`; nothing more is received on this one. Otherwise no new requests are accepted; those that were are
   * finished, and `close` follows when `pending` is 0.
   */
  goAway(survives: boolean, retryAfterMs: number): void {
    const link = this.#link;
    if (survives ? link === undefined : this.state === "ended" || this.state === "closing") return;
    // Said again, it is the same: what was refused since was not accepted.
    const before = survives ? undefined : this.#departure?.said;
    const say: GoAway = before ?? { survives, retryAfterMs, accepted: this.received };
    // Without a connection it is said on the next one.
    if (!survives) this.#leaving.said = say;
    if (link === undefined || !this.#enter("leave")) return;
    link.deaf = survives;
    link.control.goAway(say);
  }

  /** Asks the peer again and again for an acknowledgement, until there is nothing to acknowledge. */
  hurry(): void {
    this.#hurried = true;
  }

  /**
   * Ends the session with everything that is still to be sent and a CLOSE. In order: the answer of the peer, for which it has
   * `answerMs`, says what has arrived; without a connection, or with an error, the session is over at once. Write the output,
   * and close the connection behind `ended`. What has not arrived is reported.
   */
  close(message: string, now: number, error?: ZocaloError, answerMs: number = ANSWER_MS): void {
    const link = this.#link;
    const answered = link !== undefined && error === undefined;
    if (!this.#enter(answered ? "close" : "end")) return;
    const reason: CloseReason = { code: error?.code ?? "", message };
    if (link !== undefined) {
      const words: Uint8Array[] = [];
      link.control.take(words);
      this.gate?.open();
      if (answered && !link.holding) this.outgoing.take(Infinity, now, words);
      words.push(encodeClose(this.received, reason, this.settings.peerLimits));
      this.#lastWords = words;
      // Nothing is received or gets a number any more: both sides know what the CLOSE says.
      link.deaf = true;
      this.outgoing.seal();
    }
    if (answered || link === undefined) this.#leaving.unanswered = reason;
    if (answered) this.#leaving.answerBy = now + answerMs;
    else this.#report(error, message, this.log.transmitted);
  }

  /** The session cannot go on: the server does not have it any more, or this process gives it up. Nothing is sent. */
  lose(error: ZocaloError): void {
    if (this.#enter("end")) this.#report(error, error.detail, this.log.transmitted);
  }

  /** The journal has kept a snapshot: what it covers may be acknowledged, and leave. */
  kept({ received, sent }: Pick<SessionSnapshot, "received" | "sent">, now: number): void {
    if (this.gate?.keep(received, sent) === true) this.#link?.counted(0, received, now);
  }

  /** Gives back what an idle session does not need. */
  trim(): void {
    this.#link?.trim();
    this.out?.trim();
    this.ids?.trim();
  }

  /** Changes the state; answers whether that is possible. */
  #enter(input: SessionInput): boolean {
    const next = SESSION_TABLE[this.state][input];
    if (next !== undefined) this.state = next;
    return next !== undefined;
  }
  #tell(event: SessionEvent): void {
    (this.#events ??= new ToldEvents()).add(event);
  }
  #told(): SessionEvent | undefined {
    const event = this.#events?.take();
    if (this.#events?.isEmpty === true) this.#events = undefined;
    return event;
  }

  /** Reads one frame. */
  #read(link: Attachment): SessionEvent | undefined {
    const { from: start, to: end, source: bytes = link.input } = link.next();
    if (start < 0) return undefined;
    link.work -= 1;
    if (start === end) throw brokenProtocol("a frame has no type");
    const numbered = ((bytes[start] as number) & NUMBERED) !== 0;
    return numbered ? this.#count(link, bytes, start, end) : readControl(bytes, start, end, this);
  }

  #count(link: Attachment, bytes: Buffer, start: number, end: number): SessionEvent | undefined {
    if (link.deaf) return undefined;
    if (this.gate !== undefined && this.gate.skip > 0) {
      this.gate.skip -= 1;
      return undefined;
    }
    const refused = this.#departure !== undefined && this.#departure.refuses(bytes[start] as number);
    const found = refused
      ? undefined
      : (this.in ?? this.incoming).message(bytes, start, end, this.#now, this.received + 1);
    if (found?.type === "open" || found?.type === "cancelled") link.work -= STREAM_WORK;
    this.received += 1;
    if (this.gate === undefined) link.counted(end - start, this.received, this.#now);
    return found;
  }

  // What control frames say.
  credited(id: number, limitBytes: number): void {
    if (id === SHARED_LANE) {
      this.#link?.shared?.raise(limitBytes);
      return;
    }
    // What a new connection begins with is no news to a session that has sent nothing.
    if (this.ids === undefined && limitBytes <= this.settings.peerLimits.windowBytes) return;
    this.outgoing.credited(id, limitBytes);
  }
  ponged(): void {
    this.#link?.answered(this.#now);
  }
  acked(number: number): SessionEvent | undefined {
    const log = this.log;
    if (number < log.acknowledged || number > log.sent) throw brokenProtocol("it acknowledges what was not sent");
    if (number > log.acknowledged) this.outgoing.acknowledgedAt = this.#now;
    // The same number again, while something is under way, says that a part of it has come.
    else if (log.sent > number) this.outgoing.arrivedAt = this.#now;
    log.acknowledge(number);
    return this.#link?.confirm() === true ? { type: "confirmed" } : undefined;
  }

  leaving(say: GoAway): void {
    const { survives, retryAfterMs, accepted } = say;
    const log = this.log;
    if (accepted > log.sent) throw brokenProtocol("it accepts what was not sent");
    this.#enter("leave");
    if (survives) {
      if (this.#link !== undefined) this.#link.holding = true;
    } else if (this.#leaving.reportedAbove === Infinity) {
      this.#leaving.reportedAbove = accepted;
      const refused = refusedRequests(log, accepted);
      this.outgoing.leave(refused);
      for (const event of refused) this.#tell(event);
    }
    // Behind what was refused: who is told that the peer leaves knows all that did not reach it.
    this.#tell({ type: "goAway", survives, retryAfterMs });
  }

  closed(received: number, reason: CloseReason): void {
    const log = this.log;
    const fits = received >= log.acknowledged && received <= log.sent;
    if (fits) log.acknowledge(received);
    // The peer has said what it received: nothing above that has reached it.
    const reached = fits ? received : log.transmitted;
    const own = this.#departure?.unanswered;
    this.#enter("end");
    if (own !== undefined) {
      this.#leaving.unanswered = undefined;
      this.#report(undefined, own.message, reached);
      return;
    }
    const { code, message } = reason;
    const error =
      code === "" ? undefined : new ConnectionError(code, { op: "session", detail: message, side: "remote" });
    if (error === undefined) this.#lastWords = [encodeClose(this.received, ANSWER, this.settings.peerLimits)];
    this.#report(error, message, reached);
  }

  /** Nobody says any more what has arrived of the last words. */
  #unanswered(): void {
    if (this.#enter("end")) this.#report(undefined, this.#departure?.unanswered?.message ?? "", this.log.transmitted);
  }

  #checkPeer(link: Attachment, now: number): void {
    const verdict = link.check(this.#acknowledgeable, now);
    if (verdict === "ask") {
      link.ping(now);
      this.trim();
    } else if (verdict === "dead") {
      this.#tell({ type: "unresponsive" });
      this.detach(now);
    }
  }

  #report(error: ZocaloError | undefined, message: string, reached: number): void {
    const scope: LossScope = { reached, reportedAbove: this.#departure?.reportedAbove ?? Infinity };
    for (const event of lossesOf(this.log, this.requests, scope)) this.#tell(event);
    this.#tell({ type: "ended", error, message });
    this.#link = undefined;
    this.outgoing.end();
    this.ids?.clear();
  }
}
