/** The receiving half of a framed connection: decodes what arrives for whoever asks, and no more than that. */

import type { BlockPool } from "../../core/bytes/block-pool.ts";
import { ConnectionError, UsageError, type ZocaloError } from "../../core/errors.ts";
import type { Decoder } from "../../core/framing/codec.ts";
import { codecFailure } from "../operation/restated.ts";
import type { ConnectionHost } from "./host.ts";
import { expiryReason, type OperationOptions, refusedAtOnce } from "../operation/deadline.ts";
import type { Inbound, InboundConsumer } from "./inbound.ts";
import { DONE } from "../operation/iteration.ts";
import { AWAITED_MESSAGE, TURN_MESSAGES } from "../operation/turn-budget.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";

/** A call, with the iteration whose step it is. */
type Receiver<T> = Waiter<T, object | undefined>;

/** A handler that takes everything: how it decodes bytes, and whom to tell at the end. */
interface Push {
  readonly decode: (bytes: Uint8Array, start: number, end: number) => number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

const NOTHING: unique symbol = Symbol("nothing");
const NO_BYTES: Buffer = Buffer.alloc(0);

/** What is decoded ahead of whoever reads batches: few enough that it all stays in the processor's cache. */
const BATCH_MESSAGES = 256;

/** The receiving half of a framed connection. */
export class FramedInbound<Out> implements InboundConsumer {
  readonly #host: ConnectionHost;
  readonly #inbound: Inbound;
  readonly #decoder: Decoder<Out>;
  readonly #pool: BlockPool;
  /** One arrival, being decoded on demand: the bytes from `at` to `end`. Nothing else arrives before it is used up. */
  #piece: Buffer = NO_BYTES;
  #at = 0;
  #end = 0;
  /** The message that was just decoded. */
  #one: Out | typeof NOTHING = NOTHING;
  readonly #receivers: WaitQueue<Receiver<Out | null>> = new WaitQueue();
  #batchReceiver: Receiver<IteratorResult<readonly Out[], undefined>> | undefined;
  #push: Push | undefined;
  #decoding = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #detached = false;
  #paused = false;
  /** Nothing is decoded until others have had their turn. */
  #turnIsOver = false;
  /** The messages that were just decoded. */
  #batch: Out[] | undefined;
  #batched = 0;
  readonly #keepMany: (message: Out) => void = (message) => {
    (this.#batch as Out[])[this.#batched] = this.#decoder.inPlace === true ? message : this.#decoder.own(message);
    this.#batched += 1;
    if (this.#batched === BATCH_MESSAGES) this.#decoder.stop();
  };
  readonly #nextTurn: () => void = () => {
    this.#turnIsOver = false;
    this.#beginTurn();
    if (this.#push === undefined) this.#serve();
    else if (!this.#paused) this.#inbound.hold(false);
  };
  readonly #keepOne: (message: Out) => void = (message) => {
    this.#one = this.#decoder.own(message);
    this.#decoder.stop();
  };

  constructor(host: ConnectionHost, inbound: Inbound, decoder: Decoder<Out>, pool: BlockPool) {
    this.#host = host;
    this.#inbound = inbound;
    this.#decoder = decoder;
    this.#pool = pool;
    this.#beginTurn();
    inbound.attach(this, "framed");
  }

  /** The next message; null at the end. */
  receive(options?: OperationOptions): Promise<Out | null> {
    const refused = refusedAtOnce(options, () => this.#host.context("receive"));
    if (refused !== undefined) return Promise.reject(refused.reason);
    const problem = this.#refusal("receive", false);
    if (problem !== undefined) return Promise.reject(problem);
    if (this.#receivers.size === 0) {
      const message = this.#decodeOne();
      if (message !== NOTHING) return Promise.resolve(message);
    }
    return this.#wait(options, undefined);
  }

  /** The next message as the result of an iterator: without a second Promise when it is there already. */
  next(owner: object): Promise<IteratorResult<Out, undefined>> {
    const problem = this.#refusal("receive", false);
    if (problem !== undefined) return Promise.reject(problem);
    if (this.#receivers.size === 0) {
      const message = this.#decodeOne();
      if (message !== NOTHING) return Promise.resolve({ done: false, value: message });
    }
    return this.#wait(undefined, owner).then(asResult);
  }

  /** The next messages that have arrived together, as the result of an iterator. */
  nextBatch(owner: object): Promise<IteratorResult<readonly Out[], undefined>> {
    const problem = this.#refusal("batches", true);
    if (problem !== undefined) return Promise.reject(problem);
    const batch = this.#decodeMany();
    if (batch !== undefined) return Promise.resolve({ done: false, value: batch });
    return new Promise((resolve, reject) => {
      this.#batchReceiver = new Waiter(owner, resolve, reject);
      this.#serve();
    });
  }

  /** Ends the steps of one iteration that wait. */
  withdraw(owner: object): void {
    if (!this.#wanted) return;
    const batch = this.#batchReceiver;
    if (batch?.subject === owner) {
      this.#batchReceiver = undefined;
      batch.resolve(DONE);
    }
    this.#receivers.withdraw(owner, null);
    this.#holdUnlessWanted();
  }

  /** Delivers to a handler until the end. `decode` is given the decoder and bytes, and answers how many it used. */
  push(decode: (decoder: Decoder<Out>, bytes: Uint8Array, start: number, end: number) => number): Promise<void> {
    const problem = this.#refusal("onMessages", true);
    if (problem !== undefined) return Promise.reject(problem);
    const decoder = this.#decoder;
    return new Promise((resolve, reject) => {
      this.#push = { decode: (bytes, start, end) => decode(decoder, bytes, start, end), resolve, reject };
      // What `receive` and `batches` have left comes again, in its place before the rest.
      if (this.#at < this.#end) this.#inbound.putBack(this.#rest());
      this.#release();
      this.#serve();
    });
  }

  /** Stops the delivery to a handler; without one there is nothing to stop. */
  pause(): void {
    if (this.#push === undefined) return;
    this.#paused = true;
    this.#decoder.stop();
    this.#inbound.hold(true);
  }

  /** Restarts it. */
  resume(): void {
    this.#paused = false;
    if (this.#push !== undefined && !this.#turnIsOver) this.#inbound.hold(false);
  }

  /** Stops reading and puts back what was not decoded. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#decoder.stop();
    // Inside a handler the decoder holds nothing: the message that is being delivered was whole.
    if (this.#decoding) this.#inbound.detach(NO_BYTES);
    else {
      this.#inbound.detach(Buffer.concat([this.#decoder.takeRest(), this.#rest()]));
      this.#release();
    }
    const detail = "the framed reader was detached";
    this.#settle(new ConnectionError("CLOSED", { ...this.#host.context("receive"), detail }));
  }

  // What the connection reports.

  received(view: Uint8Array): number {
    // It comes from the network, not from what was read ahead: others have had their turn.
    if (!this.#turnIsOver && this.#inbound.queuedBytes === 0) this.#beginTurn();
    if (this.#push !== undefined) return this.#pushView(this.#push, view);
    this.#piece = this.#pool.acquire(view.length);
    this.#piece.set(view, 0);
    this.#at = 0;
    this.#end = view.length;
    this.#inbound.hold(true);
    this.#serve();
    return view.length;
  }

  ended(): void {
    this.#ended = true;
    try {
      if (this.#failure === undefined) this.#decoder.end();
    } catch (error) {
      this.#fail(error);
    }
    this.#serve();
  }

  failed(error: ZocaloError): void {
    this.#failure ??= { error };
    // Only a handler that closes or aborts the connection gets here: it wants no more messages.
    if (this.#decoding) this.#decoder.stop();
    this.#serve();
  }

  /** Straight from the connection's buffer into the handler. */
  #pushView(push: Push, view: Uint8Array): number {
    let used = view.length;
    if (this.#turnIsOver) {
      this.#inbound.hold(true);
      return 0;
    }
    this.#decoding = true;
    try {
      used = push.decode(view, 0, view.length);
    } catch (error) {
      this.#fail(error);
    }
    this.#decoding = false;
    this.#countSteps();
    if (this.#failure === undefined) return used;
    this.#settle(this.#failure.error);
    return view.length;
  }

  /** Serves those who wait from the present piece, and asks for the next one when it is used up. */
  #serve(): void {
    if (this.#decoding || this.#detached) return;
    while (this.#receivers.size > 0) {
      const message = this.#decodeOne();
      if (message === NOTHING) break;
      this.#receivers.take()?.resolve(message);
    }
    if (this.#batchReceiver !== undefined) this.#serveBatch(this.#batchReceiver);
    if (this.#detached || this.#at < this.#end || !this.#wanted) return;
    this.#release();
    if (this.#failure !== undefined) this.#settle(this.#failure.error);
    else if (this.#ended) this.#settle();
    else this.#inbound.hold(false);
  }

  get #wanted(): boolean {
    return this.#receivers.size > 0 || this.#batchReceiver !== undefined || this.#push !== undefined;
  }

  #decodeOne(): Out | typeof NOTHING {
    if (this.#at >= this.#end || this.#turnIsOver) return NOTHING;
    this.#one = NOTHING;
    this.#decode(this.#keepOne);
    if (this.#decoder.stepsLeft !== undefined) this.#decoder.stepsLeft -= AWAITED_MESSAGE - 1;
    this.#countSteps();
    const message: Out | typeof NOTHING = this.#one;
    this.#one = NOTHING;
    return message;
  }

  /** The messages stay in the piece, which lasts until the next batch is asked for. */
  #decodeMany(): readonly Out[] | undefined {
    if (this.#at >= this.#end || this.#turnIsOver) return undefined;
    // A batch is mostly as large as the one before.
    // oxlint-disable-next-line unicorn/no-new-array -- measured: an array that grows, or gets its length later, costs 10 ns a message more
    const batch = new Array<Out>(this.#batched);
    this.#batch = batch;
    this.#batched = 0;
    this.#decode(this.#keepMany);
    this.#countSteps();
    this.#batch = undefined;
    if (this.#batched === 0) return undefined;
    batch.length = this.#batched;
    return batch;
  }

  #serveBatch(receiver: Receiver<IteratorResult<readonly Out[], undefined>>): void {
    const batch = this.#decodeMany();
    if (batch === undefined) return;
    this.#batchReceiver = undefined;
    receiver.resolve({ done: false, value: batch });
  }

  /** Runs the decoder over the piece. */
  #decode(onMessage: (message: Out) => void): void {
    this.#decoding = true;
    try {
      this.#at += this.#decoder.decode(this.#piece, this.#at, this.#end, onMessage);
    } catch (error) {
      this.#fail(error);
    }
    this.#decoding = false;
  }

  #beginTurn(): void {
    if (this.#decoder.stepsLeft !== undefined) this.#decoder.stepsLeft = TURN_MESSAGES;
  }

  /** When there were enough messages, nothing is decoded until others have had their turn. */
  #countSteps(): void {
    if (this.#decoder.stepsLeft === undefined || this.#decoder.stepsLeft > 0 || this.#turnIsOver) return;
    this.#turnIsOver = true;
    if (this.#push !== undefined) this.#inbound.hold(true);
    this.#host.clock.defer(this.#nextTurn);
  }

  /** Nothing can be decoded any more; the messages before were delivered. */
  #fail(error: unknown): void {
    const op = this.#push !== undefined ? "onMessages" : this.#batchReceiver !== undefined ? "batches" : "receive";
    this.#failure ??= { error: codecFailure(error, this.#host.context(op)) };
    this.#at = this.#end;
    // Who was detached by the handler that failed has nothing to say to the connection any more.
    if (!this.#detached) this.#inbound.hold(true);
  }

  #rest(): Buffer {
    return this.#piece.subarray(this.#at, this.#end);
  }

  #release(): void {
    if (this.#piece.length > 0) this.#pool.release(this.#piece);
    this.#piece = NO_BYTES;
    this.#at = this.#end = 0;
  }

  /** Ends everything that waits: with an error, or with the end of the stream. */
  #settle(error?: unknown): void {
    const push = this.#push;
    const batch = this.#batchReceiver;
    this.#push = undefined;
    this.#batchReceiver = undefined;
    if (error === undefined) {
      while (this.#receivers.size > 0) this.#receivers.take()?.resolve(null);
      batch?.resolve({ done: true, value: undefined });
      push?.resolve();
    } else {
      this.#receivers.rejectAll(() => error);
      batch?.reject(error);
      push?.reject(error);
    }
  }

  #wait(options: OperationOptions | undefined, owner: object | undefined): Promise<Out | null> {
    return new Promise((resolve, reject) => {
      const receiver: Receiver<Out | null> = new Waiter(owner, resolve, reject);
      if (options === undefined) this.#receivers.add(receiver);
      else this.#addWithin(receiver, options);
      this.#serve();
    });
  }

  /** Apart, because a function that makes a closure somewhere pays for it in each call. */
  #addWithin(receiver: Receiver<Out | null>, options: OperationOptions): void {
    this.#receivers.addWithin(receiver, this.#host.clock, options, (cause) => {
      this.#holdUnlessWanted();
      receiver.reject(expiryReason(cause, this.#host.context("receive"), "none"));
    });
  }

  /** What arrives when nobody waits is not decoded. */
  #holdUnlessWanted(): void {
    if (!this.#wanted) this.#inbound.hold(true);
  }

  /** Messages go one way at a time; only `receive` may be called again while it waits. */
  #refusal(op: string, alone: boolean): ZocaloError | undefined {
    const taken = this.#detached || this.#push !== undefined || this.#batchReceiver !== undefined;
    if (!taken && !(alone && this.#receivers.size > 0)) return undefined;
    const detail = "another receive, iteration or handler is active, or this reader was detached; use one at a time";
    return new UsageError("READER_TAKEN", { ...this.#host.context(op), detail });
  }
}

/** What a call answers, as the result of an iterator; null is the end. */
function asResult<T>(value: T | null): IteratorResult<T, undefined> {
  return value === null ? DONE : { done: false, value };
}
