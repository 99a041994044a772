/** How much of what a peer sends is read, and when. */

import type { Attachment } from "../../../core/session/attachment.ts";
import type { Session } from "../../../core/session/session.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import type { Scheduled } from "../schedule.ts";
import type { EndpointSettings } from "../settings.ts";

/** What a peer may cost in one turn of the event loop, in frames: those of 64 KiB, and fewer when they are dear. */
const TURN_WORK = 10_000;

/** What the intake needs of its owner, the session. */
export interface IntakeOwner extends Scheduled {
  readonly settings: EndpointSettings;
  readonly machine: Session;
  /** The last connection, and whether it is in use. */
  readonly connection: StreamSocket | undefined;
  readonly wasAttached: boolean;
}

/**
 * Takes what a peer sends in portions. Every frame counts, whatever it says, and one that is dear to handle counts as many: so
 * a peer makes this side do no more than `maxMessagesPerSecond` allows, and lets its neighbours have their turn.
 */
export class SessionIntake {
  readonly #owner: IntakeOwner;
  readonly #rate: MessageRate | undefined;
  #allowed = 0;

  constructor(owner: IntakeOwner, now: number) {
    this.#owner = owner;
    const { maxMessagesPerSecond } = owner.settings;
    if (maxMessagesPerSecond < Infinity) this.#rate = new MessageRate(maxMessagesPerSecond, now);
  }

  /** When reading goes on after the rate has stopped it; Infinity while it has not. */
  get goesOnAt(): number {
    return this.#rate?.goesOnAt ?? Infinity;
  }

  /** Says how much may be read now. */
  open(link: Attachment | undefined, now: number): void {
    this.#allowed = Math.min(TURN_WORK, this.#rate?.room(now) ?? TURN_WORK);
    if (link !== undefined) link.work = this.#allowed;
  }

  /** What came was read, as far as it was allowed. Answers how many bytes were not; they come again later. */
  close(link: Attachment | undefined): number {
    const { machine } = this.#owner;
    if (link === undefined) return 0;
    this.#rate?.spend(this.#allowed - link.work);
    const unread = link === machine.link ? link.takeUnread() : 0;
    if (unread > 0) this.#pause();
    return unread;
  }

  /** Time has passed: goes on reading if the rate allows it again. */
  check(now: number): void {
    const { machine, connection } = this.#owner;
    if (this.#rate?.stopped !== true) return;
    // The peer was not read on purpose, so its silence says nothing.
    machine.link?.keepalive.heard(now);
    if (this.#rate.room(now) > 0) this.#goOn(connection);
  }

  /** Stops reading, until the rate allows it again or others have had their turn. */
  #pause(): void {
    const { settings } = this.#owner;
    const connection = this.#owner.connection as StreamSocket;
    connection.inbound.hold(true);
    if (this.#rate?.stopped === true) settings.schedule.expect(this.#owner, this.#rate.goesOnAt);
    else settings.clock.defer(() => this.#goOn(connection));
  }

  #goOn(connection: StreamSocket | undefined): void {
    const owner = this.#owner;
    if (owner.wasAttached && owner.connection === connection) connection?.inbound.hold(false);
  }
}

/** Counts work against a rate. A peer that is too fast is read more slowly; nothing is lost, and it is not punished. */
class MessageRate {
  readonly #perSecond: number;
  /** As much may be caused at once after a second of silence; one message in any case. */
  readonly #capacity: number;
  #tokens: number;
  #at: number;
  /** Reading has stopped. */
  stopped = false;

  /** @param perSecond - Work a second, in messages. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#capacity = Math.max(1, perSecond);
    this.#tokens = this.#capacity;
    this.#at = now;
  }

  /** When reading may go on; Infinity while it has not stopped. */
  get goesOnAt(): number {
    if (!this.stopped) return Infinity;
    return this.#at + (Math.max(0, 1 - this.#tokens) / this.#perSecond) * 1000;
  }

  /** How much may be caused at `now`, in whole messages; at 0, reading stops until `goesOnAt`. */
  room(now: number): number {
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000);
    this.#at = now;
    this.stopped = this.#tokens < 1;
    return Math.max(0, Math.floor(this.#tokens));
  }

  /** Counts work that was caused. More than a second's work is not owed: a single message may be dear. */
  spend(work: number): void {
    this.#tokens = Math.max(-this.#capacity, this.#tokens - work);
    this.stopped = this.#tokens < 1;
  }
}
