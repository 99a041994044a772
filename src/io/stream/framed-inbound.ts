/** The receiving half of a framed connection: decodes what arrives for whoever asks, and no more than that. */

import type { BlockPool } from "../../core/bytes/block-pool.ts";
import { ConnectionError, UsageError, type ZocaloError } from "../../core/errors.ts";
import type { Decoder } from "../../core/framing/codec.ts";
import { handled } from "../operation/handled-rejection.ts";
import { publish } from "../operation/diagnostics.ts";
import { codecFailure, restated } from "../operation/restated.ts";
import type { MessagePush, MessageRequest } from "./framed-request.ts";
import type { StreamPartOwner } from "./owner.ts";
import { expiryReason, type ReceiveOptions, receiveRefused } from "../operation/deadline.ts";
import type { Inbound, InboundConsumer } from "./inbound.ts";
import { AWAITED_MESSAGE, TURN_MESSAGES } from "../operation/turn-budget.ts";
import { Waiter, WaitQueue } from "../operation/wait-queue.ts";

type Receiver = Waiter<unknown, MessageRequest>;
type Push<Out> = Waiter<unknown, MessagePush<Out>>;
/** Why nothing more comes; each call is told of a lost connection as its own. */
type Failure = { readonly error: unknown; readonly lost?: ZocaloError };

const NOTHING: unique symbol = Symbol("nothing");
const NO_BYTES: Buffer = Buffer.alloc(0);

/** What is decoded ahead of whoever reads batches: few enough that it all stays in the processor's cache. */
const BATCH_MESSAGES = 256;

/** The receiving half of a framed connection. */
export class FramedInbound<Out> implements InboundConsumer {
  readonly #owner: StreamPartOwner;
  readonly #inbound: Inbound;
  readonly #decoder: Decoder<Out>;
  readonly #pool: BlockPool;
  /** One arrival, being decoded on demand: the bytes from `at` to `end`. Nothing else arrives before it is used up. */
  #piece: Buffer = NO_BYTES;
  #at = 0;
  #end = 0;
  /** The message that was just decoded. */
  #one: Out | typeof NOTHING = NOTHING;
  readonly #receivers: WaitQueue<Receiver> = new WaitQueue();
  /** The only receiver, when it is a handler. */
  #push: Push<Out> | undefined;
  #decoding = false;
  #ended = false;
  #failure: Failure | undefined;
  #detached = false;
  #paused = false;
  /** The handler whose promise is awaited: until then it gets no more. */
  #awaited: Push<Out> | undefined;
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
    else this.#deliver();
  };
  readonly #keepOne: (message: Out) => void = (message) => {
    this.#one = this.#decoder.own(message);
    this.#decoder.stop();
  };

  constructor(owner: StreamPartOwner, inbound: Inbound, decoder: Decoder<Out>, pool: BlockPool) {
    this.#owner = owner;
    this.#inbound = inbound;
    this.#decoder = decoder;
    this.#pool = pool;
    this.#beginTurn();
    inbound.attach(this, "framed");
  }

  /** What `request` wants, now or later. */
  receive<T>(request: MessageRequest, options: ReceiveOptions | undefined): Promise<T> {
    if (options !== undefined) {
      const early = this.#early(request, options);
      if (early !== undefined) return early as Promise<never>;
    }
    const problem = this.#refusal(request);
    if (problem !== undefined) return Promise.reject(problem);
    if (this.#receivers.size === 0) {
      const value = this.#take(request);
      if (value !== NOTHING) return Promise.resolve(value as T);
    }
    const promise = this.#wait<T>(request, options);
    // It lasts as long as the connection, and is not always awaited: what a peer does then must not end the process.
    return request.takes === "all" ? handled(promise) : promise;
  }

  /** Ends the steps of one loop that wait. */
  withdraw(request: MessageRequest): void {
    this.#receivers.withdraw(request, request.end);
    this.#holdUnlessWanted();
  }

  /** Stops the delivery to a handler; without one there is nothing to stop. */
  pause(): void {
    if (this.#push === undefined) return;
    this.#paused = true;
    this.#stop(this.#push);
  }

  /** Restarts it. */
  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  /** The handler of `request` has answered a promise, which it awaits if that call still goes on. A rejection ends it. */
  await(request: MessagePush<Out>, answer: PromiseLike<unknown>): void {
    const push = this.#push;
    if (push?.subject === request) {
      this.#awaited = push;
      this.#stop(push);
    }
    Promise.resolve(answer).then(
      () => {
        if (this.#awaited?.subject === request) this.#awaited = undefined;
        this.#deliver();
      },
      (error: unknown) => {
        if (this.#push?.subject === request) this.#endAll(this.#fail(error));
        else this.#publish(error);
      },
    );
  }

  #stop(push: Push<Out>): void {
    push.deadline?.pause();
    this.#decoder.stop();
    this.#inbound.hold(true);
  }

  /** Goes on with the delivery to a handler, if nothing stops it. */
  #deliver(): void {
    const push = this.#push;
    if (push === undefined || this.#paused || this.#awaited === push) return;
    push.deadline?.renew();
    if (!this.#turnIsOver) this.#inbound.hold(false);
  }

  /** Stops reading and puts back what was not decoded. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#decoder.stop();
    // Inside a handler the decoder holds nothing: the message that is being delivered was whole.
    if (this.#decoding) this.#inbound.detach(NO_BYTES);
    else {
      this.#inbound.detach(Buffer.concat([this.#decoder.takeRest(), this.#rest]));
      this.#release();
    }
    const detail = "the framed reader was detached";
    const error = new ConnectionError("CLOSED", { ...this.#owner.context("receive"), detail });
    this.#endAll({ error, lost: error });
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

  broken(error: ZocaloError): void {
    this.#failure ??= { error, lost: error };
    // Only a handler that closes or aborts the connection gets here: it wants no more messages.
    if (this.#decoding) this.#decoder.stop();
    this.#serve();
  }

  /** Straight from the connection's buffer into the handler. */
  #pushView(push: Push<Out>, view: Uint8Array): number {
    const { subject } = push;
    let used = view.length;
    if (this.#turnIsOver) {
      this.#inbound.hold(true);
      return 0;
    }
    this.#decoding = true;
    try {
      used =
        subject.onFrame === undefined
          ? this.#decoder.decode(view, 0, view.length, subject.onMessage as (message: Out) => void)
          : this.#decoder.scan(view, 0, view.length, subject.onFrame);
    } catch (error) {
      this.#fail(error);
    }
    this.#decoding = false;
    this.#countSteps();
    // It may have ended itself, and begun something else.
    if (push !== this.#push) this.#serve();
    else if (subject.delivered === true && !this.#paused && this.#awaited !== push) {
      subject.delivered = false;
      push.deadline?.renew();
    }
    if (this.#failure === undefined) return used;
    this.#endAll(this.#failure);
    return view.length;
  }

  /** Serves those who wait from the present piece, and asks for the next one when it is used up. */
  #serve(): void {
    if (this.#decoding || this.#detached) return;
    for (let first = this.#receivers.first; first !== undefined; first = this.#receivers.first) {
      const value = this.#take(first.subject);
      if (value === NOTHING) break;
      this.#receivers.take()?.resolve(value);
    }
    if (this.#detached || this.#at < this.#end || this.#receivers.size === 0) return;
    this.#release();
    if (this.#failure !== undefined || this.#ended) this.#endAll(this.#failure);
    else this.#inbound.hold(false);
  }

  /** What `request` gets from the present piece. */
  #take(request: MessageRequest): unknown {
    if (request.takes === "all") return NOTHING;
    const value = request.takes === "one" ? this.#decodeOne() : this.#decodeMany();
    return request.end === null || value === NOTHING ? value : { done: false, value };
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
  #decodeMany(): readonly Out[] | typeof NOTHING {
    if (this.#at >= this.#end || this.#turnIsOver) return NOTHING;
    // A batch is mostly as large as the one before.
    // oxlint-disable-next-line unicorn/no-new-array -- measured: an array that grows, or gets its length later, costs 10 ns a message more
    const batch = new Array<Out>(this.#batched);
    this.#batch = batch;
    this.#batched = 0;
    this.#decode(this.#keepMany);
    this.#countSteps();
    this.#batch = undefined;
    if (this.#batched === 0) return NOTHING;
    batch.length = this.#batched;
    return batch;
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
    this.#owner.clock.defer(this.#nextTurn);
  }

  /** Nothing can be decoded any more; the messages before were delivered. */
  #fail(error: unknown): Failure {
    const failure = codecFailure(error, this.#owner.context(this.#receivers.first?.subject.op ?? "receive"));
    this.#failure ??= { error: failure };
    // Nobody need await what takes all that comes.
    if (this.#push !== undefined || failure === error) this.#publish(failure);
    this.#at = this.#end;
    // Who was detached by the handler that failed has nothing to say to the connection any more.
    if (!this.#detached) this.#inbound.hold(true);
    return this.#failure;
  }

  #publish(error: unknown): void {
    const { local, remote } = this.#owner.context("receive");
    publish("error", () => ({ kind: "stream", local, remote, error }));
  }

  get #rest(): Buffer {
    return this.#piece.subarray(this.#at, this.#end);
  }

  #release(): void {
    if (this.#piece.length > 0) this.#pool.release(this.#piece);
    this.#piece = NO_BYTES;
    this.#at = this.#end = 0;
  }

  /** Ends everything that waits: with an error, or with the end of the stream. */
  #endAll(failure?: Failure): void {
    this.#push = undefined;
    if (failure === undefined) {
      for (let receiver = this.#receivers.take(); receiver !== undefined; receiver = this.#receivers.take()) {
        receiver.resolve(receiver.subject.end);
      }
      return;
    }
    const { error, lost } = failure;
    this.#receivers.rejectAll(({ subject }) =>
      lost === undefined ? error : restated(lost, this.#owner.context(subject.op), lost.outcome),
    );
  }

  /** The answer to a call that need not begin. Apart, because a function that makes a closure somewhere pays for it in each call. */
  #early({ op, end }: MessageRequest, options: ReceiveOptions): Promise<unknown> | undefined {
    const refused = receiveRefused(options, () => this.#owner.context(op));
    if (refused !== undefined) return Promise.reject(refused.reason);
    return options.until?.aborted === true ? Promise.resolve(end) : undefined;
  }

  #wait<T>(request: MessageRequest, options: ReceiveOptions | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const receiver: Receiver = new Waiter(request, resolve as (value: unknown) => void, reject);
      if (options === undefined) this.#receivers.add(receiver);
      else this.#addWithin(receiver, options);
      if (request.takes === "all") {
        this.#push = receiver;
        this.#paused = false;
        // What was received otherwise has left comes again, in its place before the rest.
        if (this.#at < this.#end) this.#inbound.putBack(this.#rest);
        this.#release();
      }
      this.#serve();
    });
  }

  /** Apart, for the same reason. */
  #addWithin(receiver: Receiver, options: ReceiveOptions): void {
    const { op, end } = receiver.subject;
    this.#receivers.addWithin(
      receiver,
      this.#owner.clock,
      options,
      (cause) => {
        this.#left();
        receiver.reject(expiryReason(cause, this.#owner.context(op), "none"));
      },
      () => {
        this.#left();
        receiver.resolve(end);
      },
    );
  }

  /** A call is over before it has got anything, or a handler that gets no more. */
  #left(): void {
    if (this.#push !== undefined && this.#decoding) this.#decoder.stop();
    this.#push = undefined;
    this.#holdUnlessWanted();
  }

  /** What arrives when nobody waits is not decoded. */
  #holdUnlessWanted(): void {
    if (this.#receivers.size === 0) this.#inbound.hold(true);
  }

  /** Messages go one way at a time; only `receive` may be called again while it waits. */
  #refusal(request: MessageRequest): ZocaloError | undefined {
    const first = this.#receivers.first?.subject;
    const joins = first === undefined || (first.takes === "one" && request.takes === "one");
    if (joins && !this.#detached) return undefined;
    const detail = "another receive, iteration or handler is active, or this reader was detached; use one at a time";
    return new UsageError("READER_TAKEN", { ...this.#owner.context(request.op), detail });
  }
}
