/** One session over one connection after the other: drives the machine of the core over sockets. */

import { beginArrival, endArrival } from "../../../core/bytes/own-bytes.ts";
import type { ErrorOutcome, ZocaloError } from "../../../core/errors.ts";
import type { SessionEvent } from "../../../core/session/event.ts";
import { Session } from "../../../core/session/session.ts";
import { encodeTakenOver } from "../../../core/session/wire/close-frame.ts";
import { isPeersFault } from "../../contract/error-body.ts";
import type { CodecPlan, MethodPlan } from "../../contract/plan.ts";
import type { OperationContext } from "../../operation/deadline.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import type { InboundConsumer } from "../../stream/inbound.ts";
import { endNow } from "../../stream/linger.ts";
import { endOf, overError, type SessionEnd, type SessionStatus, statusOf } from "../end.ts";
import type { SessionGap, SessionGate } from "../gap.ts";
import { SessionLosses } from "../losses.ts";
import type { Scheduled } from "../schedule.ts";
import type { EndpointOrder, EndpointSettings } from "../settings.ts";
import type { SessionTerms } from "../terms.ts";
import type { SessionAnswers } from "../traffic/answers.ts";
import type { DispatchOwner } from "../traffic/dispatch.ts";
import type { SessionEvents } from "../traffic/events.ts";
import { SessionIntake } from "../traffic/intake.ts";
import { isNews, type SessionOwner } from "../traffic/owner.ts";
import type { OpenStreams } from "../traffic/streams.ts";
import { SessionTraffic } from "../traffic/traffic.ts";
import { type EndingOwner, SessionEnding } from "./ending.ts";
import { type ConnectionPlace, LAST_WORDS_MS, SessionLink } from "./link.ts";

/** Gathered in one turn, so many bytes are written before its end: the peer can begin to work on them. */
const EARLY_BYTES = 61_440;
/** Control frames that every peer sends on a new connection are not more. */
const FIRST_WORDS_BYTES = 64;

/** The server or the client that a session belongs to. */
export type EndpointOwner = SessionOwner<SessionEndpoint>;

/** One session, from its first connection to its end. */
export class SessionEndpoint implements InboundConsumer, Scheduled, DispatchOwner, EndingOwner {
  readonly id: string;
  readonly settings: EndpointSettings;
  readonly owner: EndpointOwner;
  readonly terms: SessionTerms;
  readonly machine: Session;
  /** The object of the program; it may outlive this endpoint at a client. */
  session: object | undefined;
  /** How it ended; undefined while it has not. */
  end: SessionEnd | undefined;
  gate: SessionGate | undefined;
  dueAt: number = Infinity;
  heapIndex = -1;
  readonly #link: SessionLink = new SessionLink();
  #now: number;
  #telling = false;
  #scheduled = false;
  #gatheredBytes = 0;
  #reportedBytes = 0;
  // An idle session has none of these.
  #traffic: SessionTraffic | undefined;
  #intake: SessionIntake | undefined;
  #ending: SessionEnding | undefined;
  #losses: SessionLosses | undefined;

  constructor(settings: EndpointSettings, owner: EndpointOwner, { id, agreement, keptMs, kept }: EndpointOrder) {
    this.id = id;
    this.settings = settings;
    this.owner = owner;
    this.terms = settings.terms.of(settings, agreement, keptMs);
    this.#now = settings.clock.now();
    this.machine = new Session(this.terms.machine, this.#now, kept);
  }

  /** Whether it had a connection until now, as told by `ended`. */
  get wasAttached(): boolean {
    return this.#link.connected;
  }
  /** The connection of now, which may be over; undefined while the session waits for another. */
  get connection(): StreamSocket | undefined {
    return this.#link.connection;
  }
  /** Where that leads, or where the one before it led. */
  get place(): ConnectionPlace | undefined {
    return this.#link.place;
  }

  /** Where the session stands. */
  get status(): SessionStatus {
    if (!this.isOver) return statusOf(this.machine.state);
    return this.#ending?.state === "finished" ? "closed" : "leaving";
  }

  /** Whether this side has closed the session, or it is over. */
  get isOver(): boolean {
    return this.#ending !== undefined && this.#ending.state !== "live";
  }
  get isDelivered(): boolean {
    return this.end !== undefined || (this.machine.unacknowledged === 0 && this.#traffic?.eventsWait !== true);
  }
  get isIdle(): boolean {
    const busy = this.machine.pending > 0 || this.#traffic?.requestsWait === true;
    return (this.end !== undefined || (this.isDelivered && !busy)) && this.#traffic?.isIdle !== false;
  }

  /** Handlers of calls that run now, and events that were dropped. */
  get counts(): { readonly runningCalls: number; readonly droppedEvents: number } {
    const { runningCalls, droppedEvents } = this.#traffic?.counts ?? { runningCalls: 0, droppedEvents: 0 };
    return { runningCalls, droppedEvents: droppedEvents + ((this.gap ?? this.gate?.gap)?.dropped ?? 0) };
  }

  /** Memory that is held for messages. */
  get heldBytes(): number {
    const own = this.machine.retainedBytes + this.terms.heldBytes + (this.#traffic?.heldBytes ?? 0);
    return own + ((this.gap ?? this.gate?.gap)?.heldBytes ?? 0);
  }

  get plan(): CodecPlan {
    return this.terms.plan;
  }
  get ending(): SessionEnding {
    return (this.#ending ??= new SessionEnding(this));
  }
  get traffic(): SessionTraffic {
    return (this.#traffic ??= new SessionTraffic(this));
  }
  get handling(): SessionTraffic | undefined {
    return this.#traffic;
  }
  get calls(): SessionTraffic["calls"] {
    return this.traffic.calls;
  }
  get answers(): SessionAnswers {
    return this.traffic.answers;
  }
  get events(): SessionEvents {
    return this.traffic.events;
  }
  get streams(): OpenStreams {
    return this.traffic.streams;
  }
  get server(): object | undefined {
    return this.settings.plan.role === "server" ? this.owner : undefined;
  }

  problem(error: unknown): void {
    this.owner.problem(this, error);
  }
  now(): number {
    return (this.#now = this.settings.clock.now());
  }
  turnTime(): number {
    return this.#scheduled ? this.#now : this.now();
  }

  get gap(): SessionGap | undefined {
    return this.owner.gapBehind(this);
  }

  placeOf(method: MethodPlan): number {
    if (this.isOver) throw this.overError(method.name, "none");
    return this.terms.placeOf(method);
  }

  context(op: string): OperationContext {
    return this.place?.context(op) ?? { op };
  }

  overError(op: string, outcome: ErrorOutcome): ZocaloError {
    const end = this.gap === undefined ? (this.end ?? this.#ending?.closing) : "followed";
    return overError(end, this.context(op), outcome);
  }

  /**
   * Goes on over a connection whose handshake is done. One that is there already loses its place, and is told
   * so (docs/semantics.md, rule D3).
   *
   * @param rest - What the peer has sent behind the handshake.
   * @param moved - Set when the server is another process than before: what the peer may send again, up to this number.
   */
  connect(connection: StreamSocket, peerReceived: number, rest?: Uint8Array, moved?: number): boolean {
    const now = this.now();
    const link = this.#link;
    if (link.connected) link.close(encodeTakenOver(this.machine.received, this.terms.machine.peerLimits));
    if (!this.machine.attach(peerReceived, now, moved)) return false;
    link.take(connection);
    if (rest !== undefined && rest.length > 0) this.machine.receive(rest, 0, rest.length, now);
    this.pump();
    if (link.connected && link.connection === connection) connection.inbound.attach(this, "session");
    return true;
  }

  /** Gives the connection up; the session waits for another, unless it is over and off the books. */
  disconnect(reset: boolean): StreamSocket | undefined {
    const connection = this.#link.release();
    if (connection === undefined) return undefined;
    this.machine.detach(this.now());
    if (reset) connection.abort();
    else connection.close({ maxLingerMs: LAST_WORDS_MS }).catch(() => undefined);
    this.pump();
    if (this.end !== undefined) return connection;
    this.#link.forget();
    this.#report(true);
    this.owner.detached(this);
    return connection;
  }

  /** Gives the session up, with what was accepted and is not handled: the connection is reset, the peer is told nothing. */
  abort(error: ZocaloError): void {
    this.ending.giveUp();
    this.lose(error);
  }

  /** The session cannot go on. What was accepted is handled. */
  lose(error: ZocaloError): void {
    const connection = this.#link.release();
    this.machine.lose(error);
    connection?.abort(error);
    this.pump();
  }

  stopRequests(): void {
    this.#traffic?.stop();
  }

  /** The time of the last words is over: whoever has them is left in order, the connection of any other is reset. */
  async cutWords(): Promise<void> {
    const connection = this.disconnect(false);
    if (connection !== undefined) await endNow(this.settings.clock, connection);
  }

  drop(): void {
    this.#link.release()?.abort(this.end?.error);
  }

  unsent(method: string): void {
    this.#losses ??= new SessionLosses();
    this.#losses.addUnsent(method);
  }

  finish(unhandled: number): void {
    if (this.end === undefined) return;
    this.end = { ...this.end, unhandled };
    this.owner.finished(this, this.end);
  }

  /** Messages were given to the machine: they leave at the end of this turn, or now if they are many. */
  gathered(bytes: number): void {
    this.#gatheredBytes += bytes;
    if (this.#gatheredBytes >= EARLY_BYTES && this.#link.state !== "writing" && !this.#telling) this.#write();
    this.touch();
  }

  /** The machine has changed: its events, output and deadline are looked at at the end of this turn. */
  touch(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.settings.schedule.atEndOfTurn(this);
  }

  // One way, from top to bottom: bytes or the time come in, the machine takes them, its events go out, then one write.

  received(view: Uint8Array): number {
    const { machine } = this;
    const { link } = machine;
    const now = this.now();
    this.settings.schedule.arrived();
    if (view.length > FIRST_WORDS_BYTES || machine.received > 0) this.#intake ??= new SessionIntake(this, now);
    this.#intake?.open(link, now);
    machine.receive(view, 0, view.length, now);
    beginArrival(view);
    try {
      this.pump();
    } finally {
      endArrival();
    }
    return view.length - (this.#intake?.close(link) ?? 0);
  }

  onDue(): void {
    const now = this.now();
    if (this.end !== undefined) this.settings.schedule.expect(this, this.ending.onDue(now));
    else {
      if (this.#link.hasMoved()) this.machine.moved(now);
      this.#intake?.check(now);
      this.machine.onDeadline(now);
      this.#traffic?.expire(now);
    }
    this.pump();
  }

  onEndOfTurn(): void {
    this.#scheduled = false;
    this.#traffic?.turnEnded();
    this.pump();
  }

  ended(): void {
    this.disconnect(false);
  }
  broken(): void {
    this.disconnect(true);
  }

  /** The machine has changed: its events go out, then its output in one write. Then it waits for the next deadline. */
  pump(): void {
    // Whoever was told of an event has changed the machine again: the pump that tells it goes on with that.
    if (this.#telling) return;
    this.#tellEvents();
    this.#write();
    this.#expectDeadline();
    if (this.terms.machine.journaled === true) this.owner.pumped?.(this);
  }

  #tellEvents(): void {
    const { machine } = this;
    this.#telling = true;
    do {
      for (let event = machine.nextEvent(); event !== undefined; event = machine.nextEvent()) this.#on(event);
      this.#tellLost();
      this.#traffic?.startWaiting();
      // A handler that could start only now may have closed the session.
    } while (machine.state === "ended" && this.end === undefined);
    this.#telling = false;
  }

  #write(): void {
    this.#gatheredBytes = 0;
    const sent = this.#link.write(this.machine, this.#now, this);
    // The last words are with the kernel.
    if (sent && this.machine.state === "closing") this.#link.finish();
    if (sent && this.end !== undefined) this.#link.close();
    this.#ending?.look();
  }

  #expectDeadline(): void {
    const { schedule } = this.settings;
    if (this.end !== undefined) {
      if (!this.#link.connected && this.#ending?.state === "finished") schedule.forget(this);
      return;
    }
    this.#report(false);
    const { nextDeadline = Infinity } = this.#traffic ?? {};
    schedule.expect(this, Math.min(this.machine.nextDeadline(), nextDeadline, this.#intake?.goesOnAt ?? Infinity));
  }

  #on(event: SessionEvent): void {
    switch (event.type) {
      case "event":
        (this.#traffic ?? this.traffic).event(event);
        break;
      case "confirmed":
        this.owner.confirmed(this);
        break;
      case "unresponsive":
        this.disconnect(true);
        break;
      case "attached":
        this.owner.attached(this, event.resumed, event.replayed);
        break;
      case "goAway":
        this.owner.leaving(this, event.survives, event.retryAfterMs);
        this.#tellLost();
        if (!event.survives) this.#traffic?.refuse();
        break;
      case "lost":
        this.#losses ??= new SessionLosses();
        this.#losses.add(event);
        break;
      case "ended":
        this.#over(event.error, event.message);
        break;
      default:
        (this.#traffic ?? this.traffic).on(event);
    }
  }

  #over(error: ZocaloError | undefined, message: string): void {
    this.end = endOf(error, message, this.#ending?.closing !== undefined);
    this.settings.schedule.forget(this);
    this.settings.schedule.expect(this, this.ending.over(this.#now));
    this.#tellLost();
    this.#traffic?.over();
    this.end = { ...this.end, lost: this.#losses?.messages ?? [] };
    const isBroken = isPeersFault(error);
    if (isBroken && this.settings.peerProblems.admit()) this.owner.problem(this, error);
    this.owner.ended(this, this.end);
    // Who breaks the rules must not hold memory until handlers have come to their end.
    if (isBroken) this.ending.giveUp();
  }

  #tellLost(): void {
    this.#losses?.settle(this.terms, this.#traffic, this.gap);
  }

  #report(always: boolean): void {
    const held = this.heldBytes;
    if (!always && !isNews(held, this.#reportedBytes)) return;
    this.#reportedBytes = held;
    this.owner.holds(this, held);
  }
}
