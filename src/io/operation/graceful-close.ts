/** Closing in order, once for all that serves or has something under way. */

import type { Address } from "../../core/address/address.ts";
import { ConnectionError, type ZocaloError } from "../../core/errors.ts";
import type { Clock, Network } from "../network/network.ts";
import {
  checkOptions,
  FROM_ZERO,
  OPERATION_RULES,
  type OptionRules,
  type RulesOf,
} from "../../core/options/check-options.ts";
import { Deadline, type OperationContext, type OperationOptions } from "./deadline.ts";
import { EndAnnouncement } from "./end-announcement.ts";
import { attempt } from "./handled-rejection.ts";
import { OwnClock } from "./own-clock.ts";

/** The time of `close`, unless the program says otherwise. */
export const DEFAULT_CLOSE_MS = 5000;

/** Options of a `close` that waits for what is under way. Neither makes it reject: what is left is cut then. */
export interface GracefulCloseOptions {
  /**
   * How long what is under way may take, in milliseconds. Default 5000; 0 cuts it at once. A later call that names an earlier
   * end shortens the wait.
   */
  readonly timeoutMs?: number | undefined;
  /** Cuts what is left when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a server's `close`. */
export interface CloseServerOptions extends GracefulCloseOptions {
  /**
   * How long the server goes on as before, new clients included, with only `draining` aborted, in milliseconds: long enough for a load
   * balancer to ask whether it is ready, and to send nobody any more. `timeoutMs` counts from its end. Default 0. A later call without it,
   * or with less, shortens it.
   */
  readonly delayMs?: number | undefined;
}

/** What {@link CloseServerOptions} must look like. */
export const CLOSE_SERVER_RULES: RulesOf<CloseServerOptions> = { ...OPERATION_RULES, delayMs: FROM_ZERO };

/** How a `close` went. */
export interface CloseReport {
  /** What was under way when it began, connections, sessions or calls, and came to its end in time. */
  readonly finished: number;
  /** What was cut because the time was over. */
  readonly cut: number;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}

/** How a server came to its end. */
export interface ServerEnd {
  /** `closed`: `close` was called; `aborted`: `abort` was; `failed`: its socket failed. */
  readonly how: "closed" | "aborted" | "failed";
  /** What went wrong; missing after `closed`. */
  readonly error?: ZocaloError | undefined;
}

/**
 * The end of one object. `close` starts the work of closing, which waits as long as the time allows; `abort` and `fail` start it
 * with no time left. However often they are called, the work is done once.
 */
export class GracefulClose<Report, Options extends CloseServerOptions = CloseServerOptions> {
  /** Resolves when the time is over, or what is left is cut for another reason. */
  readonly expired: Promise<void>;
  isExpired = false;
  readonly #clock: Clock;
  readonly #context: () => OperationContext;
  readonly #work: (options: Options) => Promise<Report>;
  readonly #rules: OptionRules;
  readonly #announcement = new EndAnnouncement<ServerEnd>();
  readonly #deadlines: Deadline[] = [];
  readonly #draining = new AbortController();
  readonly #leaving = new AbortController();
  /** Resolves when the delay is over. */
  readonly #delayed: Promise<void>;
  #endDelay: () => void = () => undefined;
  #end: ServerEnd = { how: "closed" };
  #startedAt = 0;
  #report: Promise<Report> | undefined;
  #isOver = false;
  #expire: () => void = () => undefined;
  #onLook: (() => void) | undefined;

  /** @param work - Closes, given the options of the first call. It never rejects. */
  constructor(
    clock: Clock,
    context: () => OperationContext,
    work: (options: Options) => Promise<Report>,
    rules: OptionRules = OPERATION_RULES,
  ) {
    this.#clock = clock;
    this.#context = context;
    this.#work = work;
    this.#rules = rules;
    this.expired = new Promise((resolve) => {
      this.#expire = resolve;
    });
    this.#delayed = new Promise((resolve) => {
      this.#endDelay = resolve;
    });
  }

  /** Aborts as soon as `close` is called. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }
  /** Aborts when the delay is over and the work of closing begins, for the same reason. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }
  /** Resolves when the work is done. */
  get closed(): Promise<ServerEnd> {
    return this.#announcement.closed;
  }
  /** Milliseconds since closing began. */
  get durationMs(): number {
    return this.#clock.now() - this.#startedAt;
  }
  /** Why what is left was cut; undefined when its time was over. */
  get cause(): ZocaloError | undefined {
    return this.#end.error;
  }

  /** Closes in order. A later call shares the report, and may shorten the wait. */
  close(given: Options = {} as Options): Promise<Report> {
    return attempt(() => this.#close(checkOptions(this.#context(), given, this.#rules)));
  }

  /** Cuts what is under way. */
  abort(cause: unknown): void {
    if (this.#isOver) return;
    const detail = "this program aborted what was under way";
    this.#cut({
      how: "aborted",
      error: new ConnectionError("CONNECTION_ABORTED", { ...this.#context(), detail, cause }),
    });
  }

  /** The socket beneath has failed. */
  fail(error: ZocaloError): void {
    if (!this.#isOver) this.#cut({ how: "failed", error });
  }

  /** Something under way has finished. */
  look(): void {
    this.#onLook?.();
  }

  /** Waits until nothing is under way, as `isIdle` answers at each `look`, or the time is over. Answers what `isIdle` does. */
  async untilIdle(isIdle: () => boolean): Promise<boolean> {
    const idle = new Promise<void>((resolve) => {
      this.#onLook = () => {
        if (isIdle()) resolve();
      };
    });
    this.look();
    await Promise.race([idle, this.expired]);
    this.#onLook = undefined;
    return isIdle();
  }

  #cut(end: ServerEnd): void {
    this.#end = end;
    void this.#close({ timeoutMs: 0 } as Options);
  }

  #close(options: Options): Promise<Report> {
    const { delayMs = 0, signal, timeoutMs = this.#report === undefined ? DEFAULT_CLOSE_MS : undefined } = options;
    if ((timeoutMs === 0 && delayMs === 0) || signal?.aborted === true) this.#onExpired();
    else if (!this.isExpired && !this.#isOver) {
      this.#watch({ signal, timeoutMs: timeoutMs === undefined ? undefined : delayMs + timeoutMs }, () =>
        this.#onExpired(),
      );
      if (delayMs > 0) this.#watch({ timeoutMs: delayMs }, this.#endDelay);
    }
    if (delayMs === 0) this.#endDelay();
    if (this.#report === undefined) {
      let start: (report: Promise<Report>) => void = () => undefined;
      // Whoever is told that it begins may close it again.
      this.#report = new Promise((resolve) => {
        start = resolve;
      });
      start(this.#begin(options));
    }
    return this.#report;
  }

  #watch(options: OperationOptions, onEnd: () => void): void {
    const deadline = Deadline.of(this.#clock, options, onEnd);
    if (deadline !== undefined) this.#deadlines.push(deadline);
  }

  async #begin(options: Options): Promise<Report> {
    this.#startedAt = this.#clock.now();
    const reason = new ConnectionError("CLOSED", this.#context());
    this.#draining.abort(reason);
    if ((options.delayMs ?? 0) > 0) await Promise.race([this.#delayed, this.expired]);
    this.#leaving.abort(reason);
    try {
      return await this.#work(options);
    } finally {
      this.#isOver = true;
      for (const deadline of this.#deadlines.splice(0)) deadline.cancel();
      this.#announcement.tell(this.#end, this.cause);
    }
  }

  #onExpired(): void {
    this.isExpired = true;
    this.#expire();
  }
}

/** A server, or a part of one, that closes in order: `finish` waits for what is under way. */
export abstract class GracefulServer<Report> {
  abstract readonly localAddress: Address;
  protected readonly clock: OwnClock;
  protected readonly closing: GracefulClose<Report>;

  constructor(network: Network) {
    this.clock = new OwnClock(network.clock);
    this.closing = new GracefulClose(
      this.clock,
      () => ({ op: "close", local: this.localAddress.toString() }),
      () => this.finish(),
      CLOSE_SERVER_RULES,
    );
  }

  /** The work of closing; see {@link GracefulClose}. */
  protected abstract finish(): Promise<Report>;

  get draining(): AbortSignal {
    return this.closing.draining;
  }
  get closed(): Promise<ServerEnd> {
    return this.closing.closed;
  }
  close(options?: CloseServerOptions): Promise<Report> {
    return this.closing.close(options);
  }
  abort(reason?: unknown): void {
    this.closing.abort(reason);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
