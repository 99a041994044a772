/** Connections that wait for `accept`, and calls that wait for a connection: never both at a time. */

import { ConnectionError } from "../../core/errors.ts";
import { HELD } from "../../core/held-bytes.ts";
import type { Clock } from "../network/network.ts";
import {
  expiryReason,
  type OperationContext,
  type OperationOptions,
  type ReceiveOptions,
  receiveRefused,
  refusedAtOnce,
} from "../operation/deadline.ts";
import { DONE, Iteration } from "../operation/iteration.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";
import type * as api from "../stream/public.ts";
import type { StreamSocket } from "../stream/socket.ts";

const DEFAULT_MAX_WAITING = 128;

/** The error of a listener that this program has closed. */
export function closedError(context: OperationContext): ConnectionError {
  return new ConnectionError("CLOSED", { ...context, detail: "this program closed the listener" });
}

/** The connections of one listener that nobody has taken. */
export class AcceptQueue<Socket extends StreamSocket> {
  readonly #clock: Clock;
  readonly #context: () => OperationContext;
  readonly #maxWaiting: number;
  #sockets: Socket[] = [];
  readonly #waiters = new WaitQueue<Waiter<api.StreamSocket | null, object | undefined>>();
  #closed = false;

  constructor(clock: Clock, context: () => OperationContext, maxWaiting: number = DEFAULT_MAX_WAITING) {
    this.#clock = clock;
    this.#context = context;
    this.#maxWaiting = maxWaiting;
  }

  get waiting(): number {
    return this.#sockets.length;
  }
  /** Memory that those who wait pin: some thousands of bytes for each, and what was read ahead. */
  get heldBytes(): number {
    return this.#sockets.reduce((bytes, { inbound }) => bytes + HELD.connection + inbound.queuedBytes, 0);
  }
  get isFull(): boolean {
    return this.#waiters.size === 0 && this.#sockets.length >= this.#maxWaiting;
  }

  push(socket: Socket): void {
    const waiter = this.#waiters.take();
    if (waiter === undefined) this.#sockets.push(socket);
    else waiter.resolve(socket);
  }

  accept(options: OperationOptions | undefined): Promise<api.StreamSocket> {
    const refused = refusedAtOnce(options, this.#context);
    if (refused !== undefined) return Promise.reject(refused.reason);
    const ready = this.#sockets.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#closed) return Promise.reject(closedError(this.#context()));
    return this.#wait(undefined, options) as Promise<api.StreamSocket>;
  }

  connections(options: ReceiveOptions | undefined): AsyncIterableIterator<api.StreamSocket> {
    const loop = {};
    return new Iteration(
      () => this.#next(loop, options),
      () => this.#waiters.withdraw(loop, null),
    );
  }

  /** Resets the connections and ends the calls. */
  close(): void {
    this.#closed = true;
    for (let waiter = this.#waiters.take(); waiter !== undefined; waiter = this.#waiters.take()) {
      if (waiter.subject === undefined) waiter.reject(closedError(this.#context()));
      else waiter.resolve(null);
    }
    for (const socket of this.#sockets.splice(0)) socket.abort(closedError(this.#context()));
  }

  /** One step of a loop. */
  async #next(loop: object, options: ReceiveOptions | undefined): Promise<IteratorResult<api.StreamSocket, undefined>> {
    const refused = receiveRefused(options, this.#context);
    if (refused !== undefined) throw refused.reason;
    if (this.#closed || options?.until?.aborted === true) return DONE;
    const socket = this.#sockets.shift() ?? (await this.#wait(loop, options));
    return socket === null ? DONE : { done: false, value: socket };
  }

  /** Waits for a connection; null when `loop`, whose step it is, comes to its end. */
  #wait(loop: object | undefined, options: ReceiveOptions | undefined): Promise<api.StreamSocket | null> {
    return new Promise((resolve, reject) => {
      const late = (cause: number | AbortSignal): void => reject(expiryReason(cause, this.#context()));
      this.#waiters.addWithin(new Waiter(loop, resolve, reject), this.#clock, options, late, () => resolve(null));
    });
  }
}
