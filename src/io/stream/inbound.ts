/** The receiving half of a connection: what has arrived, who waits for it, and when to stop the peer. */

import { ByteQueue } from "../../core/bytes/byte-queue.ts";
import { UsageError, type ZocaloError } from "../../core/errors.ts";
import type { StreamPartOwner } from "./owner.ts";
import { OPERATION_RULES, RECEIVE_RULES } from "../../core/options/check-options.ts";
import { expiryReason, type ReceiveOptions, refusedAtOnce } from "../operation/deadline.ts";
import { restated } from "../operation/restated.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";

/** One kind of read: how it takes what it wants from the queue. */
export interface ReadRequest<T> {
  readonly op: string;
  /** What it wants, taken from the queue; undefined when more bytes are needed. May throw: then nothing was taken. */
  take(queue: ByteQueue): T | undefined;
  /** What it gets when the stream has ended and `take` wants more. May throw. */
  finish(queue: ByteQueue): T;
  /**
   * Serves itself from bytes that have just arrived while the queue is empty: the value, and how many were used. Undefined
   * when they do not suffice.
   */
  direct?(view: Uint8Array): { readonly value: T; readonly used: number } | undefined;
  /** How many bytes must be allowed into the queue for this read to be served. */
  readonly needBytes: number;
  /** What it gets when it ends in order before it is served: where there is none, the call takes no `until`. */
  readonly end?: T;
}

/** Takes all bytes of a connection as they arrive, instead of reads: a framed reader. */
export interface InboundConsumer {
  /** Bytes arrived; the view is valid only during the call. Answers how many were used, fewer than all
   * only after `hold` or `detach`; the rest is queued. */
  received(view: Uint8Array): number;
  ended(): void;
  broken(error: ZocaloError): void;
}

/** Where the stream of incoming bytes stands. */
export type InboundState = "open" | "ended" | "failed";

/** The receiving half of a connection. */
export class Inbound {
  state: InboundState = "open";
  bytesReceived = 0;
  error: ZocaloError | undefined;
  readonly #owner: StreamPartOwner;
  #queue: ByteQueue | undefined;
  /** Reads that wait. An idle connection has none. */
  #waiters: WaitQueue<Waiter<unknown, ReadRequest<unknown>>> | undefined;
  #consumer: InboundConsumer | undefined;
  #held = false;
  /** The consumer is being called. Meanwhile it is not called again, and nobody reads: it has not said yet what it used. */
  #feeding = false;
  #paused = false;
  /** Set while what arrives is thrown away: how much still may be, and whom to tell at the end. */
  #discard: { bytes: number; readonly done: (drained: boolean) => void } | undefined;

  constructor(owner: StreamPartOwner) {
    this.#owner = owner;
  }

  /** What has arrived and was not read. An idle connection has none. */
  get queue(): ByteQueue {
    this.#queue ??= new ByteQueue();
    return this.#queue;
  }

  /** Bytes that were read ahead. */
  get queuedBytes(): number {
    return this.#queue === undefined ? 0 : this.#queue.length;
  }

  /** Serves one read: from the queue if it can, else when bytes arrive. */
  read<T>(request: ReadRequest<T>, options: ReceiveOptions | undefined): Promise<T> {
    if (this.#consumer !== undefined) {
      return Promise.reject(new UsageError("READER_TAKEN", this.#owner.context(request.op)));
    }
    const rules = request.end === undefined ? OPERATION_RULES : RECEIVE_RULES;
    const refused = refusedAtOnce(options, () => this.#owner.context(request.op), rules);
    if (refused !== undefined) return Promise.reject(refused.reason);
    if (options?.until?.aborted === true) return Promise.resolve(request.end as T);
    if (!this.#feeding && !this.hasWaiters) {
      try {
        const value = this.#serve(request);
        if (value !== undefined) return Promise.resolve(value);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return this.#wait(request, options);
  }

  /** Ends the waiting reads of one iteration, which all have this request. */
  withdraw(request: ReadRequest<unknown>): void {
    this.#waiters?.withdraw(request, request.end);
    this.#serveWaiters();
    this.#steer();
  }

  /** Gives all bytes, those in the queue first, to `consumer` until `detach`. */
  attach(consumer: InboundConsumer, op: string): void {
    if (this.#consumer !== undefined || this.hasWaiters) throw new UsageError("READER_TAKEN", this.#owner.context(op));
    this.#consumer = consumer;
    this.feedConsumer();
  }

  /** Ends `attach`; `unread` are bytes that the consumer took and did not use. */
  detach(unread: Uint8Array): void {
    this.#consumer = undefined;
    this.#held = false;
    if (unread.length > 0) this.queue.unshift(unread);
    this.#steer();
  }

  /** Puts bytes back in front, as a consumer does that wants them again in another way. */
  putBack(unread: Uint8Array): void {
    this.queue.unshift(unread);
    this.#steer();
  }

  /** Puts bytes back in front for whoever reads next, all together no more than were read. */
  unread(bytes: Uint8Array): void {
    const context = this.#owner.context("unread");
    if (this.#consumer !== undefined || this.#feeding) throw new UsageError("READER_TAKEN", context);
    if (this.hasWaiters) {
      const detail = "a read waits for the next bytes; put bytes back before the next read begins";
      throw new UsageError("READER_TAKEN", { ...context, detail });
    }
    const readBytes = this.bytesReceived - this.queuedBytes;
    if (!(bytes instanceof Uint8Array) || bytes.length > readBytes) {
      const detail = `bytes must be a Buffer or a Uint8Array, of no more bytes than were read (${readBytes})`;
      throw new UsageError("OPTION_INVALID", { ...context, detail });
    }
    this.putBack(bytes);
  }

  /** Stops (true) or restarts the delivery to the consumer; what arrives meanwhile is read ahead. */
  hold(on: boolean): void {
    this.#held = on;
    if (!on) this.feedConsumer();
  }

  /** Offers the queue to the consumer again. */
  feedConsumer(): void {
    if (this.#feeding) return;
    while (this.#consumer !== undefined && !this.#held && this.queuedBytes > 0) {
      // Shown, not taken: a consumer that stops after each message costs no copy of the rest.
      this.queue.skip(this.#feed(this.#consumer, this.queue.peek() as Buffer));
    }
    if (this.#consumer !== undefined && !this.#held && this.queuedBytes === 0) {
      if (this.state === "ended") this.#consumer.ended();
      else if (this.state === "failed") this.#consumer.broken(this.error as ZocaloError);
    }
    // One that was detached by its own handler leaves them the rest.
    this.#serveWaiters();
    this.#steer();
  }

  get hasWaiters(): boolean {
    return this.#waiters?.first !== undefined;
  }

  /** Bytes arrived from the transport; the view is valid only during the call. */
  received(view: Uint8Array): void {
    this.bytesReceived += view.length;
    if (this.#discard !== undefined) {
      this.#discard.bytes -= view.length;
      if (this.#discard.bytes < 0) this.#discard.done(false);
      return;
    }
    if (this.queuedBytes === 0) view = view.subarray(this.#serveDirectly(view));
    if (view.length > 0) this.queue.append(view);
    // Also when the handler of a framed reader did something that ended the connection.
    if (this.#consumer !== undefined && (view.length > 0 || this.state !== "open")) this.feedConsumer();
    this.#serveWaiters();
    this.#steer();
  }

  /** The peer sent FIN. */
  ended(): void {
    if (this.state !== "open") return;
    this.state = "ended";
    this.#discard?.done(true);
    this.#serveWaiters();
    if (this.queuedBytes === 0 && !this.#held && !this.#feeding) this.#consumer?.ended();
  }

  /** The connection is lost. What had arrived stays readable first (docs/semantics.md, rule A1), unless this side gave it up. */
  fail(error: ZocaloError, keepQueue: boolean): void {
    if (this.state === "failed" || (this.state === "ended" && keepQueue)) return;
    this.state = "failed";
    this.error = error;
    if (!keepQueue) this.#queue?.clear();
    this.#discard?.done(false);
    this.#serveWaiters();
    const delivered = this.queuedBytes === 0 && !this.#held && !this.#feeding;
    if (delivered || !keepQueue) this.#consumer?.broken(error);
  }

  /**
   * Throws away what is in the queue and what still comes, at most `maxBytes`. `done` is called, perhaps
   * more than once, with true when the peer has ended, with false when it sent too much or the connection was lost.
   */
  discard(maxBytes: number, done: (drained: boolean) => void): void {
    this.#discard = { bytes: maxBytes, done };
    this.#queue?.clear();
    if (this.state === "open") this.#steer();
    else done(this.state === "ended");
  }

  /** Ends `discard`, as the peer's end would; answers whether there was one. */
  stopDiscarding(): boolean {
    this.#discard?.done(false);
    return this.#discard !== undefined;
  }

  /** Begins again on a new transport, which is not paused. */
  restart(): void {
    this.#paused = false;
  }

  /** Ends all pending reads, and all later ones, with `error`; bytes go on arriving (to be discarded). */
  refuseReads(error: ZocaloError): void {
    this.#waiters?.rejectAll(({ subject }) => restated(error, this.#owner.context(subject.op)));
    this.error = error;
    this.#consumer?.broken(error);
  }

  #serve<T>(request: ReadRequest<T>): T | undefined {
    if (this.queuedBytes > 0 || request.needBytes === 0) {
      const value = request.take(this.queue);
      if (value !== undefined) {
        this.#steer();
        return value;
      }
    }
    if (this.error !== undefined) throw restated(this.error, this.#owner.context(request.op), this.error.outcome);
    if (this.state === "ended") return request.finish(this.queue);
    return undefined;
  }

  #wait<T>(request: ReadRequest<T>, options: ReceiveOptions | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiter = new Waiter<unknown, ReadRequest<unknown>>(request, resolve as (value: unknown) => void, reject);
      this.#waiters ??= new WaitQueue();
      if (options === undefined) this.#waiters.add(waiter);
      else this.#addWithin(this.#waiters, waiter, options);
      this.#steer();
    });
  }

  /** Apart, because a function that makes a closure somewhere pays for it in each call. */
  #addWithin(
    waiters: WaitQueue<Waiter<unknown, ReadRequest<unknown>>>,
    waiter: Waiter<unknown, ReadRequest<unknown>>,
    options: ReceiveOptions,
  ): void {
    const { op, end } = waiter.subject;
    const serveOthers = (): void => {
      this.#serveWaiters();
      this.#steer();
    };
    waiters.addWithin(
      waiter,
      this.#owner.clock,
      options,
      (cause) => {
        waiter.reject(expiryReason(cause, this.#owner.context(op), "none"));
        serveOthers();
      },
      () => {
        waiter.resolve(end);
        serveOthers();
      },
    );
  }

  #feed(consumer: InboundConsumer, view: Uint8Array): number {
    this.#feeding = true;
    try {
      return consumer.received(view);
    } finally {
      this.#feeding = false;
    }
  }

  /** Serves the first in line from bytes that never touch the queue; answers how many bytes were used. */
  #serveDirectly(view: Uint8Array): number {
    if (this.#consumer !== undefined) return this.#held ? 0 : this.#feed(this.#consumer, view);
    const served = this.#waiters?.first?.subject.direct?.(view);
    if (served === undefined) return 0;
    this.#waiters?.take()?.resolve(served.value);
    return served.used;
  }

  #serveWaiters(): void {
    const waiters = this.#waiters;
    if (waiters === undefined) return;
    while (waiters.first !== undefined && !this.#feeding) {
      try {
        const value = this.#serve(waiters.first.subject);
        if (value === undefined) return;
        waiters.take()?.resolve(value);
      } catch (error) {
        waiters.take()?.reject(error);
      }
    }
  }

  /** Stops and restarts the transport so that the queue stays near `maxReadAheadBytes`. */
  #steer(): void {
    if (this.state !== "open") return;
    const need = this.#waiters?.first?.subject.needBytes ?? 0;
    const limit =
      this.#discard === undefined ? Math.max(this.#owner.settings.maxReadAheadBytes, need) : Number.POSITIVE_INFINITY;
    if (!this.#paused && this.queuedBytes >= limit && this.queuedBytes >= need) {
      this.#paused = true;
      this.#owner.transport.pause();
    } else if (this.#paused && (this.queuedBytes <= limit / 2 || this.queuedBytes < need)) {
      this.#paused = false;
      this.#owner.transport.resume();
    }
  }
}
