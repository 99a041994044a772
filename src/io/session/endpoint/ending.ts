/** The end of one session: what leaves before it, and what is handled behind it. */

import { ConnectionError } from "../../../core/errors.ts";
import type { StateTable } from "../../../core/state-table.ts";
import { NEVER_MS } from "../../../core/session/wire/control-frames.ts";
import type { StreamSocket } from "../../stream/socket.ts";
import { Deadline } from "../../operation/deadline.ts";
import type { GracefulClose } from "../../operation/graceful-close.ts";
import { endOf, type SessionEnd } from "../end.ts";
import type { SessionPartOwner } from "../traffic/owner.ts";
import { LAST_WORDS_MS } from "./link.ts";

/** So long after the beginning of `close` the peer may take to have what was sent, when what was under way is cut before. */
const DELIVERY_MS = 5000;

/** The time that `close` has. */
export type ClosingTime = Pick<GracefulClose<unknown>, "expired" | "isExpired" | "durationMs">;

/** What the end of a session needs of its owner, the session. */
export interface EndingOwner extends Omit<SessionPartOwner, "answers"> {
  readonly connection: StreamSocket | undefined;
  /** Its handlers; undefined when there was no message. */
  readonly handling: { readonly isIdle: boolean; readonly isLaneFree: boolean; cut(): number } | undefined;
  /** Whether the peer has acknowledged everything, or nothing can be delivered any more. */
  readonly isDelivered: boolean;
  /** Whether nothing is under way besides: no call, no stream, no handler. */
  readonly isIdle: boolean;
  /** Ends the calls and streams that are under way. */
  stopRequests(): void;
  /** Resets the connection. */
  drop(): void;
  /** Gives up the connection, if there is one: in order where nothing is left to send, otherwise by a reset. */
  cutWords(): Promise<void>;
  /** The session is over, and so are its handlers. */
  finish(unhandled: number): void;
  pump(): void;
}

/**
 * - `live`: it is not over, and this side has not closed it.
 * - `closing`: this side has closed it: what was sent arrives, and the peer answers.
 * - `handling`: it is over, and what it has accepted is being handled.
 * - `finished`: that is handled, or given up.
 */
export type EndingState = "live" | "closing" | "handling" | "finished";

/** What can happen: this side closes it, its machine is over, its handlers are. */
export type EndingInput = "close" | "over" | "finish";

export const ENDING_TABLE: StateTable<EndingState, EndingInput> = {
  live: { close: "closing", over: "handling" },
  closing: { over: "handling" },
  handling: { finish: "finished" },
  finished: {},
};

interface Waiter {
  readonly what: "isDelivered" | "isIdle" | "isQuiet";
  readonly resolve: (inTime: boolean) => void;
}

/** How one session comes to its end. */
export class SessionEnding {
  /** Only `#enter` changes it. */
  state: EndingState = "live";
  /** What this side said when it closed the session; undefined where it has not. */
  closing: SessionEnd | undefined;
  readonly #owner: EndingOwner;
  readonly #waiters: Set<Waiter> = new Set();
  #closed: Promise<void> | undefined;
  /** This side gives up what it has accepted. */
  #givenUp = false;
  #wordsBy = Infinity;
  #finishBy = Infinity;

  constructor(owner: EndingOwner) {
    this.#owner = owner;
  }

  /** Ends the session in order: what is under way finishes in `time`, what was sent arrives, and the connection is closed. */
  close(message: string, time: ClosingTime): Promise<void> {
    return (this.#closed ??= this.#close(message, time));
  }

  async #close(message: string, time: ClosingTime): Promise<void> {
    const owner = this.#owner;
    if (!time.isExpired && !owner.isIdle) await this.leave(NEVER_MS, time.expired);
    if (owner.end === undefined) {
      this.#enterClosing(message);
      owner.stopRequests();
      if (!owner.isDelivered) await this.#waitFor("isDelivered", Math.max(0, DELIVERY_MS - time.durationMs));
    }
    await this.shut(message);
  }

  /** Waits until no handler runs or waits; answers whether that was before `expired` resolved. */
  quiet(expired: Promise<unknown>): Promise<boolean> {
    return this.#until("isQuiet", expired);
  }

  /** Waits for the handlers of a session that is over. */
  async handled(expired: Promise<unknown>): Promise<void> {
    await this.#until("isIdle", expired);
  }

  /**
   * Says CLOSE now. Resolves when the connection is closed. When `late` resolves first, the answer is not waited for, and a
   * connection that still has something to send is reset.
   */
  async shut(message: string, late?: Promise<unknown>): Promise<void> {
    const owner = this.#owner;
    const { machine, connection, settings } = owner;
    if (owner.end === undefined) this.#enterClosing(message);
    machine.close(message, settings.clock.now());
    owner.pump();
    await (late === undefined ? connection?.closed : Promise.race([connection?.closed, late]));
    await owner.cutWords();
  }

  /**
   * Takes nothing new from the peer; answers whether all that was under way has finished, also the handlers of a session that
   * is over, before `expired` resolved.
   */
  leave(retryAfterMs: number, expired: Promise<unknown>): Promise<boolean> {
    this.#owner.machine.goAway(false, retryAfterMs);
    return this.#until("isIdle", expired);
  }

  /** Gives up what was accepted and is not handled, as soon as the session is over. */
  giveUp(): void {
    this.#givenUp = true;
    this.look();
  }

  /** The session is over: its connection has some time, and its handlers have. Answers when one of these is up. */
  over(now: number): number {
    this.#enter("over");
    // A CLOSE that was not answered has had its time.
    this.#wordsBy = this.#owner.machine.departed === undefined ? now + LAST_WORDS_MS : now;
    this.#finishBy = now + this.#owner.settings.finishMs;
    return Math.min(this.#wordsBy, this.#finishBy);
  }

  /** Time has passed since the end. Answers when to look again; Infinity for never. */
  onDue(now: number): number {
    // A peer that does not read must not keep its connection.
    if (now >= this.#wordsBy) {
      this.#wordsBy = Infinity;
      this.#owner.drop();
    }
    if (now >= this.#finishBy) this.#late();
    return Math.min(this.#wordsBy, this.#finishBy);
  }

  /** Something has changed: tells who waits. */
  look(): void {
    const owner = this.#owner;
    if (this.state === "handling") {
      // What has not begun is not handled any more.
      if (this.#givenUp) this.#finish(owner.handling?.cut() ?? 0);
      else if (owner.handling?.isLaneFree !== false) this.#finish(0);
    }
    for (const waiter of this.#waiters) {
      if (!this.#is(waiter.what)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(true);
    }
  }

  async #waitFor(what: Waiter["what"], timeoutMs: number): Promise<void> {
    let deadline: Deadline | undefined;
    const expired = new Promise<void>((resolve) => {
      deadline = new Deadline(this.#owner.settings.clock, { timeoutMs }, () => resolve());
    });
    await this.#until(what, expired);
    deadline?.cancel();
  }

  #until(what: Waiter["what"], expired: Promise<unknown>): Promise<boolean> {
    const owner = this.#owner;
    if (owner.end === undefined) owner.machine.hurry();
    owner.touch();
    if (this.#is(what)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter: Waiter = { what, resolve };
      this.#waiters.add(waiter);
      void expired.then(() => {
        if (this.#waiters.delete(waiter)) resolve(false);
      });
    });
  }

  /** Handlers of a session that was given up are waited for no longer. */
  #is(what: Waiter["what"]): boolean {
    const isSo = what === "isQuiet" ? this.#owner.handling?.isIdle !== false : this.#owner[what];
    return isSo || (this.state === "finished" && this.#givenUp);
  }

  /** The time of the handlers is up. */
  #late(): void {
    const { settings, handling } = this.#owner;
    const unhandled = handling?.cut() ?? 0;
    const time = `the handlers of those before them took longer than ${settings.finishMs} ms`;
    const detail = `${unhandled} events were accepted and not handled: the session is over, and ${time}`;
    if (unhandled > 0)
      this.#owner.problem(new ConnectionError("SESSION_LOST", { ...this.#owner.context("session"), detail }));
    this.#finish(unhandled);
  }

  /** Changes the state; answers whether that is possible. */
  #enter(input: EndingInput): boolean {
    const next = ENDING_TABLE[this.state][input];
    if (next !== undefined) this.state = next;
    return next !== undefined;
  }

  #enterClosing(message: string): void {
    if (this.#enter("close")) this.closing = endOf(undefined, message, true);
  }

  #finish(unhandled: number): void {
    if (!this.#enter("finish")) return;
    this.#finishBy = Infinity;
    this.#owner.finish(unhandled);
  }
}
