/** One stream of a session, of either side. */

import { showAs } from "../../../core/show-as.ts";
import { ConnectionError, UsageError } from "../../../core/errors.ts";
import { HELD } from "../../../core/held-bytes.ts";
import { ITEM_HEAD_BYTES } from "../../../core/session/wire/frame-types.ts";
import type { BodyPlace } from "../../../core/session/outgoing.ts";
import type { ItemReceived } from "../../../core/session/event.ts";
import { Deadline, expiryReason, type ReceiveOptions, receiveRefused } from "../../operation/deadline.ts";
import { FULFILLED, rejectedQuietly } from "../../operation/handled-rejection.ts";
import { DONE, Iteration } from "../../operation/iteration.ts";
import type { SessionPartOwner } from "./owner.ts";
import type { MethodPlan, ValuePlan } from "../../contract/plan.ts";
import { PackedQueue } from "./packed-queue.ts";
import { type DirectionState, directed, STREAM_TABLE, type StreamInput, type StreamState } from "./stream-state.ts";
import { behindMetadata, METADATA_MARK, type RemoteCallOptions } from "../../contract/metadata.ts";
import type * as api from "../../contract/methods.ts";
import { copyOfBody } from "../../contract/format.ts";
import { WaitingItems } from "./packed-sends.ts";
import type { Request, WaitingRequests } from "./waiting-requests.ts";
import { unbound } from "../../contract/handlers.ts";
import { Waiter, WaitQueue } from "../../operation/wait-queue.ts";

/** What a stream needs of its owner, which knows it by its id. */
export interface SessionStreamOwner {
  add(stream: SessionStream): void;
  remove(stream: SessionStream): void;
  /** So many more bytes of items wait to be read. */
  holds(bytes: number): void;
  /** Whether an item may be taken now; otherwise `readable` is called in the next turn of the event loop. */
  mayTake(stream: SessionStream): boolean;
  /** So many more bytes of items wait to be sent. */
  waits(bytes: number): void;
  /** Where it waits until there is room to open it. */
  readonly requests: WaitingRequests;
}

/** A read, with the loop that waits. */
type Reader = Waiter<IteratorResult<unknown, undefined>, object | undefined>;

/** The kind of an item in the queue, which has nothing else. */
const ITEM = 0;

/** One stream. */
export class SessionStream implements api.SessionStream<unknown, unknown>, Request {
  /** 0 until it is open. */
  id = 0;
  /** This side offers it: the peer has opened it, and a handler has it. */
  offered = false;
  /** Of one that this side offers: the number of its message in the queue of those that wait. */
  turn = 0;
  readonly op: string;
  readonly timeoutMs: number = Infinity;
  readonly deadline: number = Infinity;
  readonly #owner: SessionPartOwner;
  readonly #streams: SessionStreamOwner;
  /** The items that come and go; undefined for a direction that the stream does not have. */
  readonly #incoming: ValuePlan | undefined;
  readonly #outgoing: ValuePlan | undefined;
  #opening: { readonly place: number; readonly body: BodyPlace } | undefined;
  #queue: PackedQueue | undefined;
  readonly #readers: WaitQueue<Reader> = new WaitQueue();
  /** Items that wait to be sent; undefined until the first one has to. */
  #waiting: WaitingItems | undefined;
  /** Where it stands. Only `#enter` changes it. */
  #state: StreamState = "idle";
  #receiving: DirectionState;
  #sending: DirectionState;
  /** Bytes of the items that wait to be read, as their frames stood on the wire. Packed, they take no more. */
  #unreadBytes = 0;
  /** Why it came to an end before both sides had ended it. */
  #reason: unknown;
  /** Made when somebody asks for the signal: a peer opens and cancels streams faster than these are made. */
  #controller: AbortController | undefined;
  /** The time-out and the signal with which it was opened. */
  #watch: Deadline | undefined;

  constructor(
    owner: SessionPartOwner,
    streams: SessionStreamOwner,
    op: string,
    incoming: ValuePlan | undefined,
    outgoing: ValuePlan | undefined,
  ) {
    this.#owner = owner;
    this.#streams = streams;
    this.op = op;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#receiving = incoming === undefined ? "draining" : "open";
    this.#sending = outgoing === undefined ? "ended" : "open";
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.hasFailed) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }
  get heldBytes(): number {
    return HELD.call + (this.#opening?.body.end ?? 0);
  }
  /** Whether it came to an end before both sides had ended it. */
  get hasFailed(): boolean {
    return this.#state === "failed" || this.#state === "aborted";
  }
  get #isOver(): boolean {
    return this.#state === "over" || this.hasFailed;
  }

  /** The peer has opened it; a handler will start. */
  accepted(id: number, turn: number): void {
    this.id = id;
    this.turn = turn;
    this.offered = true;
    this.#enter("accept");
  }

  /** Its handler starts now. */
  started(): void {
    this.#enter("open");
    this.#finish();
  }

  /** Opens it at the peer, as soon as there is room. */
  open(method: MethodPlan, input: unknown, options: RemoteCallOptions | undefined): void {
    const owner = this.#owner;
    try {
      const head = owner.terms.metadataOf(method, options);
      const place = owner.placeOf(method) | (head === undefined ? 0 : METADATA_MARK);
      this.#opening = { place, body: copyOfBody(behindMetadata(head, method.request.encode(input))) };
      this.#streams.requests.submit(this);
    } catch (error) {
      this.fail(owner.end === undefined ? error : owner.overError(this.op, "none"));
      return;
    }
    if (this.hasFailed) return;
    this.#watch = Deadline.of(owner.settings.clock, options, (cause) => {
      this.giveUp(expiryReason(cause, owner.context(this.op), this.id === 0 ? "none" : "unknown"));
    });
  }

  transmit(now: number): boolean {
    const { place, body } = this.#opening as { readonly place: number; readonly body: BodyPlace };
    try {
      const directions = { sends: this.#outgoing !== undefined, receives: this.#incoming !== undefined };
      this.id = this.#owner.machine.openStream(place, body, directions, now);
    } catch (error) {
      this.fail(this.#owner.end === undefined ? error : this.#owner.overError(this.op, "none"));
      return true;
    }
    if (this.id === 0) return false;
    this.#opening = undefined;
    this.#enter("open");
    this.#streams.add(this);
    this.#owner.gathered(body.end);
    this.writable();
    return true;
  }

  send(item: unknown): Promise<void> {
    if (!(#owner in Object(this))) throw unbound("stream", "send");
    if (this.hasFailed) return rejectedQuietly(this.#reason);
    if (this.#outgoing === undefined) {
      const detail = "the contract gives this side no items to send on this stream";
      return rejectedQuietly(new UsageError("UNSUPPORTED", { op: this.op, detail, outcome: "none" }));
    }
    if (this.#sending !== "open") return rejectedQuietly(this.#ended("this side has ended its items"));
    try {
      const body = this.#outgoing.encode(item);
      if (this.id !== 0 && this.#waiting?.isEmpty !== false) {
        if (this.#owner.machine.sendItem(this.id, body, this.#owner.turnTime())) {
          this.#owner.gathered(body.end - body.start);
          return FULFILLED;
        }
        this.#owner.touch();
      }
      this.#waiting ??= this.#makeWaiting();
      return this.#waiting.push(body, this.op, this.#owner);
    } catch (error) {
      return rejectedQuietly(error);
    }
  }
  end(): void {
    if (!(#owner in Object(this))) throw unbound("stream", "end");
    this.#sending = directed(this.#sending, "end");
    this.#endIfSent();
  }
  abort(reason?: unknown): void {
    if (!(#owner in Object(this))) throw unbound("stream", "abort");
    this.giveUp(this.#ended("this side has given the stream up", reason), "abort");
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    if (!(#owner in Object(this))) throw unbound("stream", "[Symbol.asyncIterator]");
    return this.messages();
  }
  messages(options?: ReceiveOptions): AsyncIterableIterator<unknown> {
    if (!(#owner in Object(this))) throw unbound("stream", "messages");
    const loop = {};
    return new Iteration(
      () => this.next(loop, options),
      () => this.#leaveLoop(loop),
    );
  }

  /** Whoever leaves the loop early does not want the rest. A handler may have left it by an error, which is told instead. */
  #leaveLoop(loop: object): void {
    if (this.#receiving === "ended") return;
    if (this.offered) this.#enter("leave");
    else this.abort();
    this.#readers.withdraw(loop, DONE);
  }

  /** The next item, for one of the loops. */
  next(loop?: object, options?: ReceiveOptions): Promise<IteratorResult<unknown, undefined>> {
    const refused = receiveRefused(options, () => this.#owner.context(this.op));
    if (refused !== undefined) return Promise.reject(refused.reason);
    if (options?.until?.aborted === true) return Promise.resolve(DONE);
    if (this.#mayAnswer()) return this.#answer();
    return new Promise((resolve, reject) => {
      const late = (cause: number | AbortSignal): void =>
        reject(expiryReason(cause, this.#owner.context(this.op), "none"));
      const reader = new Waiter(loop, resolve, reject);
      this.#readers.addWithin(reader, this.#owner.settings.clock, options, late, () => resolve(DONE));
    });
  }

  #mayAnswer(): boolean {
    return this.#queue?.size ? this.#streams.mayTake(this) : this.#receiving !== "open";
  }

  /** Takes the next item, or tells the end. */
  #answer(): Promise<IteratorResult<unknown, undefined>> {
    const queue = this.#queue;
    if (queue?.peek() === true) {
      const { bytes, start, end } = queue;
      const chargeBytes = ITEM_HEAD_BYTES + end - start;
      try {
        const value = this.#owner.answers.decode(this.#incoming as ValuePlan, bytes, start, end);
        queue.drop();
        this.#holds(-chargeBytes);
        this.#owner.machine.itemHandled(this.id, chargeBytes);
        this.#owner.touch();
        return Promise.resolve({ done: false, value });
      } catch (error) {
        this.#forgetItems();
        if (this.offered) {
          this.fail(error);
          this.#owner.answers.refuse(this.id, error);
        } else this.giveUp(error);
        return Promise.reject(error);
      }
    }
    this.#receiving = directed(this.#receiving, "empty");
    return this.#state === "failed" ? Promise.reject(this.#reason) : Promise.resolve(DONE);
  }

  /** Sends what a handler answered, then ends the items of this side. */
  async sendAll(items: unknown): Promise<void> {
    const source = items as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
    if (source?.[Symbol.asyncIterator] !== undefined) {
      for await (const item of source as AsyncIterable<unknown>) await this.send(item);
    } else if (source?.[Symbol.iterator] !== undefined) {
      for (const item of source as Iterable<unknown>) await this.send(item);
    }
    if (this.#state === "left") this.abort();
    else this.end();
  }

  /** The handler has gone: nobody will read what is there, or still comes. */
  abandoned(): void {
    if (this.#receiving !== "open") return this.#forgetItems();
    // Reads and forgets, so that the peer does not wait for credit for ever.
    const forget = async (): Promise<void> => {
      for (let next = await this.next(); next.done !== true; next = await this.next());
    };
    forget().catch(() => undefined);
  }

  // What the session reports.

  arrived(item: ItemReceived): void {
    this.#queue ??= new PackedQueue();
    this.#queue.push(ITEM, 0, 0, Infinity, item);
    this.#holds(item.chargeBytes);
    this.readable();
  }

  /** Answers the readers that wait, as far as that is possible now. */
  readable(): void {
    while (this.#readers.size > 0 && this.#mayAnswer()) {
      const { resolve, reject } = this.#readers.take() as Reader;
      this.#answer().then(resolve, reject);
    }
  }

  itemsEnded(): void {
    this.#receiving = directed(this.#receiving, "end");
    this.readable();
    this.#finish();
  }

  writable(): void {
    const owner = this.#owner;
    try {
      this.#waiting?.flush((body) => {
        const sent = owner.machine.sendItem(this.id, body, owner.turnTime());
        if (sent) owner.gathered(body.end);
        return sent;
      });
    } catch (error) {
      this.giveUp(error);
    }
    this.#endIfSent();
  }

  /** The stream is over, and the machine knows it already. */
  fail(reason: unknown): void {
    this.#end("fail", reason);
  }

  #endIfSent(): void {
    if (this.#sending !== "draining" || this.id === 0 || this.#waiting?.isEmpty === false) return;
    this.#sending = directed(this.#sending, "empty");
    this.#owner.machine.endStream(this.id, this.#owner.turnTime());
    this.#owner.touch();
    this.#finish();
  }

  /** Changes the state; answers whether that is possible. */
  #enter(input: StreamInput): boolean {
    const next = STREAM_TABLE[this.#state][input];
    if (next !== undefined) this.#state = next;
    return next !== undefined;
  }

  /** Is over when both directions have ended as they should, once its handler has started: that finds it. */
  #finish(): void {
    if (this.#receiving !== "open" && this.#sending === "ended" && this.#enter("finish")) this.#release();
  }

  /** Ends it before both sides have ended it. */
  #end(input: "fail" | "abort", reason: unknown): void {
    const { hasFailed } = this;
    const isOver = this.#isOver;
    if (!this.#enter(input) || hasFailed) return;
    this.#reason = reason;
    this.#receiving = directed(this.#receiving, "end");
    this.#sending = directed(this.#sending, "drop");
    if (!isOver) this.#release();
    if (input === "abort") this.#forgetItems();
    this.#waiting?.reject(reason);
    this.readable();
    this.#controller?.abort(reason);
  }

  /** The session does not hold it any more. What an own stream has brought belongs to the program. */
  #release(): void {
    this.#watch?.cancel();
    this.#streams.remove(this);
    if (!this.offered) this.#streams.holds(-this.#unreadBytes);
  }

  /** Ends it before both sides have ended it, and tells the peer. */
  giveUp(reason: unknown, input: "fail" | "abort" = "fail"): void {
    if (this.id === 0) this.#streams.requests.withdraw(this);
    else if (this.#receiving === "open" || this.#sending !== "ended") {
      this.#owner.machine.cancel(this.id, this.#owner.now());
    }
    this.#owner.touch();
    this.#end(input, reason);
  }

  // Apart from `send`, which runs for each item (docs/decisions/0018).
  #makeWaiting(): WaitingItems {
    return new WaitingItems((bytes) => this.#streams.waits(bytes));
  }

  #holds(bytes: number): void {
    this.#unreadBytes += bytes;
    if (this.offered || !this.#isOver) this.#streams.holds(bytes);
  }

  #forgetItems(): void {
    this.#queue?.clear();
    this.#holds(-this.#unreadBytes);
  }

  #ended(detail: string, cause?: unknown): ConnectionError {
    return new ConnectionError("CLOSED", { ...this.#owner.context(this.op), detail, cause, outcome: "none" });
  }
}
showAs(SessionStream, "SessionStream", ({ op, hasFailed }) => ({ method: op, ended: hasFailed }));
