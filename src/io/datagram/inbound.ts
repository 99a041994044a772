/** The receiving half of a datagram socket: what has arrived, who waits for it, and what gives way when it is too much. */

import { ConnectionError, type ErrorOutcome, UsageError, type ZocaloError } from "../../core/errors.ts";
import type { Datagram } from "../network/datagrams.ts";
import { OPERATION_RULES, RECEIVE_RULES } from "../../core/options/check-options.ts";
import { expiryReason, type ReceiveOptions, refusedAtOnce } from "../operation/deadline.ts";
import { publish } from "../operation/diagnostics.ts";
import { restated } from "../operation/restated.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";
import type { DatagramPartOwner } from "./owner.ts";
import { DatagramQueue, type Taking } from "./queue.ts";
import type { ReceiveQueueLimits } from "./settings.ts";

/**
 * What the datagrams of a queue may pin beside their payload: enough for as many as may wait by default, and not for millions
 * of empty ones.
 */
export const BESIDE_PAYLOAD_BYTES = 2_097_152;

/** The receiving half of a datagram socket. */
export class DatagramInbound {
  readonly queue: DatagramQueue = new DatagramQueue();
  received = 0;
  bytesReceived = 0;
  dropped = 0;
  bytesDropped = 0;
  readonly #owner: DatagramPartOwner;
  readonly #limits: ReceiveQueueLimits;
  readonly #waiters = new WaitQueue<Waiter<unknown, Taking<unknown>>>();
  /** Reported by the network, for the next call. */
  #error: ZocaloError | undefined;
  /** Under `strict`: datagrams dropped behind what is in the queue, and not told yet. */
  #lost = 0;
  #overflowing = false;
  #paused = false;
  #over: { readonly error: ZocaloError; readonly closed: boolean } | undefined;

  constructor(owner: DatagramPartOwner, limits: ReceiveQueueLimits) {
    this.#owner = owner;
    this.#limits = limits;
  }

  /** Serves one call: from the queue if it can, else when datagrams arrive. */
  receive<T>(taking: Taking<T>, options?: ReceiveOptions): Promise<T> {
    const rules = taking.end === undefined ? OPERATION_RULES : RECEIVE_RULES;
    const refused = refusedAtOnce(options, () => this.#owner.context(taking.op), rules);
    if (refused !== undefined) return Promise.reject(refused.reason);
    if (options?.until?.aborted === true) return Promise.resolve(taking.end as T);
    const error = this.takeError();
    if (error !== undefined) return Promise.reject(restated(error, this.#owner.context(taking.op)));
    if (this.queue.length > 0) {
      try {
        const value = taking.take(this.queue);
        this.#steer();
        if (value !== undefined) return Promise.resolve(value);
      } catch (wrong) {
        return Promise.reject(wrong);
      }
    }
    if (this.#over !== undefined) {
      return new Promise((resolve, reject) => this.#refuse(new Waiter(taking, resolve, reject)));
    }
    if (this.#lost > 0) return Promise.reject(this.#takeLoss(taking.op));
    return this.#wait(taking, options);
  }

  /** Most payload that may wait. */
  get maxBytes(): number {
    return this.#limits.maxBytes;
  }

  /** Puts back what a call had taken and does not need, before what waits. */
  putBack(datagrams: readonly Datagram[]): void {
    if (this.#over === undefined) this.queue.unshift(datagrams);
  }

  /** Ends the waiting calls of one iteration. */
  withdraw(taking: Taking<unknown>): void {
    this.#waiters.withdraw(taking, taking.end);
  }

  /** Datagrams arrived. Those who wait come first; then the queue's limits apply. */
  arrived(batch: readonly Datagram[]): void {
    if (this.#over !== undefined) return;
    for (const datagram of batch) {
      this.received += 1;
      this.bytesReceived += datagram.data.length;
      if (this.#lost > 0) this.#drop(datagram);
      else this.queue.push(datagram);
    }
    while (this.#waiters.first !== undefined && this.queue.length > 0) {
      try {
        const value = this.#waiters.first.subject.take(this.queue);
        if (value !== undefined) this.#waiters.take()?.resolve(value);
      } catch (wrong) {
        this.#waiters.take()?.reject(wrong);
      }
    }
    if (this.#full()) this.#overflow();
    else this.#overflowing = false;
  }

  /** The network reported an error, and the datagram socket goes on: the first who waits gets it, else the next call. */
  report(error: ZocaloError): void {
    const waiter = this.#waiters.take();
    if (waiter === undefined) this.#error ??= error;
    else waiter.reject(restated(error, this.#owner.context(waiter.subject.op)));
  }

  /** Takes the error that the next call has to report. */
  takeError(): ZocaloError | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  /** Nothing comes any more. `closed` says that this program wanted it: iterations then end. */
  over(error: ZocaloError, closed: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = { error, closed };
    this.#error = undefined;
    this.queue.clear();
    for (let waiter = this.#waiters.take(); waiter !== undefined; waiter = this.#waiters.take()) this.#refuse(waiter);
  }

  #wait<T>(taking: Taking<T>, options: ReceiveOptions | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiter = new Waiter<unknown, Taking<unknown>>(taking, resolve as (value: unknown) => void, reject);
      const late = (cause: number | AbortSignal): void => {
        reject(expiryReason(cause, this.#owner.context(taking.op), "none"));
      };
      this.#waiters.addWithin(waiter, this.#owner.clock, options, late, () => resolve(taking.end as T));
    });
  }

  /** The answer of a datagram socket that is over. */
  #refuse<T>({ subject, resolve, reject }: Waiter<T, Taking<T>>): void {
    const { error, closed } = this.#over as { error: ZocaloError; closed: boolean };
    if (closed && subject.isLoop === true) resolve(subject.end as T);
    else reject(restated(error, this.#owner.context(subject.op)));
  }

  #full(): boolean {
    const { maxDatagrams, maxBytes } = this.#limits;
    const { length, bytes, heldBytes } = this.queue;
    return length > maxDatagrams || bytes > maxBytes || heldBytes > maxBytes + BESIDE_PAYLOAD_BYTES;
  }

  #overflow(): void {
    const { policy } = this.#limits;
    if (policy === "block") {
      if (this.#paused) return;
      this.#paused = true;
      this.#owner.transport.pause();
      return;
    }
    const before = this.dropped;
    // One is always kept: a limit smaller than a datagram must not stop everything.
    while (this.queue.length > 1 && this.#full()) {
      this.#drop(policy === "drop-oldest" ? this.queue.shift() : this.queue.pop());
    }
    if (policy === "strict") this.#lost += this.dropped - before;
    this.#tellOverflow(before);
  }

  #drop(datagram: Datagram): void {
    this.dropped += 1;
    this.bytesDropped += datagram.data.length;
    if (this.#lost > 0) this.#lost += 1;
  }

  /** Once for each time that the reader falls behind, not once for each datagram. */
  #tellOverflow(before: number): void {
    if (this.#overflowing || this.dropped === before) return;
    this.#overflowing = true;
    const { local, remote } = this.#owner.context("receive");
    publish("refusal", () => ({ kind: "datagram", local, remote, reason: "receive-queue" }));
  }

  #takeLoss(op: string): ZocaloError {
    const why = "because the receive queue was full; receive faster, or raise its limits";
    const detail = `${this.#lost} datagrams were dropped here, ${why}`;
    this.#lost = 0;
    return new UsageError("QUEUE_FULL", { ...this.#owner.context(op), detail });
  }

  /** Lets the network deliver again when half of the queue is free. */
  #steer(): void {
    if (!this.#paused) return;
    const { maxDatagrams, maxBytes } = this.#limits;
    const { length, bytes, heldBytes } = this.queue;
    const isFull = heldBytes > (maxBytes + BESIDE_PAYLOAD_BYTES) / 2;
    if (length > maxDatagrams / 2 || bytes > maxBytes / 2 || isFull) return;
    this.#paused = false;
    this.#owner.transport.resume();
  }
}

/** The error of a datagram socket that this program has closed. */
export function datagramSocketClosed(owner: DatagramPartOwner, op: string, outcome?: ErrorOutcome): ConnectionError {
  const detail = "this program closed the datagram socket";
  return new ConnectionError("CLOSED", { ...owner.context(op), detail, outcome });
}
