/** The sending half of a framed connection: gathers messages and hands them over together. */

import type { BlockPool } from "../../core/bytes/block-pool.ts";
import { ByteWriter } from "../../core/bytes/byte-writer.ts";
import { UsageError } from "../../core/errors.ts";
import type { Codec } from "../../core/framing/codec.ts";
import { HELD, memoryOf } from "../../core/held-bytes.ts";
import { checkOptions, ITERABLE } from "../../core/options/check-options.ts";
import { codecFailure } from "../operation/restated.ts";
import { expiryReason, type OperationOptions, type Refusal, refusedAtOnce } from "../operation/deadline.ts";
import { withOneDeadline } from "../operation/within.ts";
import { FULFILLED, handled, rejectedQuietly } from "../operation/handled-rejection.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";
import type { StreamPartOwner } from "./owner.ts";
import type { Outbound } from "./outbound.ts";

/**
 * When a batch is handed over within a turn: a little less than a block of 64 KiB, so that usual messages end in the same
 * block and the batch is one piece of memory.
 */
const BATCH_BYTES = 61_440;
/** What may wait for the kernel before senders wait too. */
const BACKLOG_BYTES = 65_536;
/** What one `sendMany` may send before others have their turn, although the kernel takes everything at once. */
const TURN_BYTES = 1_048_576;
/** Sends that may wait without being awaited. */
const MAX_WAITING_SENDS = 65_536;

class WaitingSend<In> extends Waiter<void> {
  readonly message: In;
  /** What it pins in memory: the message, its promise and what ends it early. */
  readonly heldBytes: number;

  constructor(message: In, heldBytes: number, resolve: () => void, reject: (reason: unknown) => void) {
    super(undefined, resolve, reject);
    this.message = message;
    this.heldBytes = heldBytes;
  }
}

/** The sending half of a framed connection. */
export class FramedOutbound<In> {
  readonly #owner: StreamPartOwner;
  readonly #outbound: Outbound;
  readonly #codec: Codec<In, unknown>;
  readonly #writer: ByteWriter;
  #scheduled = false;
  /** Bytes handed over that the kernel has not taken. */
  #handedBytes = 0;
  #sentBytes = 0;
  #lastWrite: Promise<void> = FULFILLED;
  readonly #waiting: WaitQueue<WaitingSend<In>> = new WaitQueue();
  #waitingBytes = 0;
  readonly #endOfTurn: () => void = () => {
    this.#scheduled = false;
    this.handOver();
  };

  constructor(owner: StreamPartOwner, outbound: Outbound, codec: Codec<In, unknown>, pool: BlockPool) {
    this.#writer = new ByteWriter(pool);
    this.#owner = owner;
    this.#outbound = outbound;
    this.#codec = codec;
    // What an earlier framed writer still has comes first.
    outbound.gatherer?.handOverAll();
    outbound.gatherer = this;
  }

  /** Memory of the messages that wait for room. */
  get heldBytes(): number {
    return this.#waitingBytes;
  }

  /** Bytes that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#handedBytes + this.#writer.length;
  }

  /** Sends one message; see `FramedStream.send`. */
  send(message: In, options: OperationOptions | undefined): Promise<void> {
    if (options !== undefined) {
      const refused = this.#refused(options);
      if (refused !== undefined) return Promise.reject(refused.reason);
    }
    if (this.#outbound.state !== "open") return rejectedQuietly(this.#outbound.whyNot("send"));
    if (this.#handedBytes > BACKLOG_BYTES || this.#waiting.size > 0) return this.#wait(message, options);
    return this.#encode(message, options !== undefined);
  }

  /** Sends many; waits where `send` would. The time is that of the whole call. */
  async sendMany(messages: Iterable<In>, options: OperationOptions | undefined): Promise<void> {
    if (options === undefined) {
      await this.#sendAll(messages, options);
      return;
    }
    const context = this.#owner.context("sendMany");
    await withOneDeadline(this.#owner.clock, options, context, "unknown", (each) => this.#sendAll(messages, each));
  }

  async #sendAll(messages: Iterable<In>, options: OperationOptions | undefined): Promise<void> {
    if (Array.isArray(messages)) {
      await this.#sendList(messages as readonly In[], options);
      return;
    }
    checkOptions(this.#owner.context("sendMany"), { messages }, { messages: ITERABLE });
    // Taken one at a time, as there is room for them: there may be no end of them.
    let pauseAt = this.#sentBytes + TURN_BYTES;
    for (const message of messages) {
      const sent = this.send(message, options);
      if (sent !== FULFILLED) await sent;
      if (this.#sentBytes < pauseAt) continue;
      await this.#turn();
      pauseAt = this.#sentBytes + TURN_BYTES;
    }
  }

  /** By index: an iterator costs a quarter of what sending a small message costs. */
  async #sendList(messages: readonly In[], options: OperationOptions | undefined): Promise<void> {
    let next = 0;
    while (next < messages.length) {
      const pauseAt = this.#sentBytes + TURN_BYTES;
      let sent = FULFILLED;
      // Waiting for what is done already would cost more than sending it.
      for (; sent === FULFILLED && next < messages.length && this.#sentBytes < pauseAt; next += 1) {
        sent = this.send(messages[next] as In, options);
      }
      if (sent !== FULFILLED) await sent;
      if (this.#sentBytes >= pauseAt) await this.#turn();
    }
  }

  /** Lets others have their turn. */
  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => this.#owner.clock.defer(resolve));
  }

  /** Apart, because a function that makes a closure somewhere pays for it in each call. */
  #refused(options: OperationOptions): Refusal {
    return refusedAtOnce(options, () => this.#owner.context("send"));
  }

  /** Hands over what was gathered; resolves when the kernel has everything sent so far. */
  async flush(): Promise<void> {
    while (this.#waiting.size > 0 || this.#writer.length > 0) {
      this.handOver();
      await this.#lastWrite;
    }
    await this.#lastWrite;
  }

  /** Hands over what was gathered, now. */
  handOver(copy = false): void {
    if (this.#writer.length === 0) return;
    const written = this.#writer.take();
    const { chunks, length } = written;
    this.#sentBytes += length;
    const taken = this.#outbound.writeGathered(copy ? chunks.map((chunk) => Buffer.from(chunk)) : chunks, length);
    if (this.#outbound.state === "open" && !this.#outbound.busy) {
      written.release();
      this.#lastWrite = FULFILLED;
      return;
    }
    this.#handedBytes += length;
    const settled = (): void => {
      written.release();
      this.#handedBytes -= length;
      this.#sendWaiting();
    };
    this.#lastWrite = taken.then(settled);
    this.#lastWrite.catch((error: unknown) => this.#fail(error));
  }

  /**
   * Hands over what was gathered and what waits for room, before the end of the stream or before others send. They are at
   * most 65,536 messages, which are in memory already.
   */
  handOverAll(): void {
    while (this.#waiting.size > 0) this.#sendNext();
    this.handOver();
  }

  /** Apart, as `#refused` is. */
  #unsendable(error: unknown): unknown {
    return codecFailure(error, this.#owner.context("send"));
  }

  /** Puts one message into the batch. */
  #encode(message: In, cancellable: boolean): Promise<void> {
    const writer = this.#writer;
    const { referencedBytes } = writer;
    try {
      this.#codec.encode(message, writer);
    } catch (error) {
      return Promise.reject(this.#unsendable(error));
    }
    if (writer.referencedBytes !== referencedBytes) {
      // A large message is not copied, so it must wait for the kernel; unless its sender may be gone before.
      this.handOver(cancellable);
      return cancellable ? FULFILLED : this.#lastWrite;
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#owner.clock.defer(this.#endOfTurn);
    }
    if (writer.length >= BATCH_BYTES) this.handOver();
    return FULFILLED;
  }

  #wait(message: In, options: OperationOptions | undefined): Promise<void> {
    const heldBytes = memoryOf(message) + HELD.framedSend + (options === undefined ? 0 : HELD.deadline);
    const problem = this.#overflow(heldBytes);
    if (problem !== undefined) {
      const detail = `${problem}; await each send`;
      return rejectedQuietly(new UsageError("QUEUE_FULL", { ...this.#owner.context("send"), detail, outcome: "none" }));
    }
    this.handOver();
    const sent = new Promise<void>((resolve, refuse) => {
      const reject = (reason: unknown): void => {
        void handled(sent);
        refuse(reason);
      };
      this.#waiting.addWithin(
        new WaitingSend(message, heldBytes, resolve, reject),
        this.#owner.clock,
        options,
        (cause) => {
          this.#waitingBytes -= heldBytes;
          reject(expiryReason(cause, this.#owner.context("send"), "none"));
        },
      );
      this.#waitingBytes += heldBytes;
    });
    return sent;
  }

  /** Why no more may wait: a peer that does not read must not fill the memory of a handler that does not wait. */
  #overflow(heldBytes: number): string | undefined {
    const { maxWriteQueueBytes } = this.#owner.settings;
    if (this.#waiting.size >= MAX_WAITING_SENDS) return `${MAX_WAITING_SENDS} messages wait already`;
    if (this.#waiting.size === 0 || this.#waitingBytes + heldBytes <= maxWriteQueueBytes) return undefined;
    return `more than limits.maxWriteQueueBytes (${maxWriteQueueBytes}) would wait`;
  }

  /** The kernel has taken something: as many of those who wait as there is room for. */
  #sendWaiting(): void {
    while (this.#waiting.size > 0 && this.#handedBytes <= BACKLOG_BYTES) this.#sendNext();
  }

  #sendNext(): void {
    const { message, heldBytes, deadline, resolve, reject } = this.#waiting.take() as WaitingSend<In>;
    this.#waitingBytes -= heldBytes;
    this.#encode(message, deadline !== undefined).then(resolve, reject);
  }

  #fail(error: unknown): void {
    this.#waitingBytes = 0;
    this.#waiting.rejectAll(() => error);
  }
}
