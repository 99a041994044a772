/** The streams of a session. */

import { ConnectionError } from "../../../core/errors.ts";
import { HELD } from "../../../core/held-bytes.ts";
import { brokenProtocol, peerError, withoutStack } from "../../../core/peer-error.ts";
import type { AnswerReceived, ItemReceived, StreamOpened } from "../../../core/session/event.ts";
import { CALL_RULES, refusedAtOnce } from "../../operation/deadline.ts";
import { TurnBudget } from "../../operation/turn-budget.ts";
import { readErrorBody } from "../../contract/error-body.ts";
import { outcomeOf, type SessionPartOwner } from "./owner.ts";
import type { RemoteCallOptions } from "../../contract/metadata.ts";
import type { MethodPlan } from "../../contract/plan.ts";
import { SessionStream, type SessionStreamOwner } from "./stream.ts";
import type { WaitingRequests } from "./waiting-requests.ts";

/** The streams of one session, of both sides, by their ids. */
export class OpenStreams implements SessionStreamOwner {
  readonly requests: WaitingRequests;
  readonly #owner: SessionPartOwner;
  readonly #streams: Map<number, SessionStream> = new Map();
  /** Bytes of items that came and were not read, also of streams that have ended. */
  #unreadBytes = 0;
  /** Memory of items that wait to be sent. */
  #unsentBytes = 0;
  /** The items that are taken; undefined until the first one is. */
  #turn: TurnBudget | undefined;
  /** Streams with items that could not be taken in this turn of the event loop. */
  #refused: Set<SessionStream> | undefined;

  constructor(owner: SessionPartOwner, requests: WaitingRequests) {
    this.#owner = owner;
    this.requests = requests;
  }

  /** A stream whose handler could not start before; undefined when it is over, though the peer may have used its id again. */
  waiting(id: number, turn: number): SessionStream | undefined {
    const stream = this.#streams.get(id);
    return stream?.turn === turn ? stream : undefined;
  }

  add(stream: SessionStream): void {
    this.#streams.set(stream.id, stream);
  }

  remove(stream: SessionStream): void {
    if (this.#streams.get(stream.id) === stream) this.#streams.delete(stream.id);
  }

  /** Memory that is held for the streams and their items. */
  get heldBytes(): number {
    return this.#streams.size * HELD.stream + this.#unreadBytes + this.#unsentBytes;
  }

  mayTake(stream: SessionStream): boolean {
    if ((this.#turn ?? this.#makeTurn()).spend()) return true;
    this.#refused ??= new Set();
    this.#refused.add(stream);
    return false;
  }

  // Apart from `mayTake`, which runs for each item (docs/decisions/0018).
  #makeTurn(): TurnBudget {
    return (this.#turn = new TurnBudget(this.#owner.settings.clock, () => {
      const refused = this.#refused;
      this.#refused = undefined;
      for (const stream of refused ?? []) stream.readable();
    }));
  }

  waits(bytes: number): void {
    this.#unsentBytes += bytes;
  }

  holds(bytes: number): void {
    this.#unreadBytes += bytes;
    const { machine, settings } = this.#owner;
    const { maxStreams, streamWindowBytes } = settings.limits;
    // Streams that have ended do not count any more; what they have brought does.
    if (this.#unreadBytes <= maxStreams * streamWindowBytes || bytes < 0) return;
    const detail = `the peer sent more items than ${maxStreams} open streams may hold, and ended their streams`;
    machine.close(detail, this.#owner.now(), peerError("LIMIT_EXCEEDED", { op: "receive", detail }));
  }

  /** A stream of the peer's that is not open yet. */
  make({ name, sends, receives }: MethodPlan): SessionStream {
    return new SessionStream(this.#owner, this, name, sends, receives);
  }

  /** Opens a stream of the peer's. */
  open(
    method: MethodPlan,
    input: unknown,
    options?: RemoteCallOptions,
    stream: SessionStream = this.make(method),
  ): SessionStream {
    const refused = refusedAtOnce(options, () => this.#owner.context(method.name), CALL_RULES);
    if (refused === undefined) stream.open(method, input, options);
    else stream.fail(refused.reason);
    return stream;
  }

  /** A stream that was made will not be opened. */
  unopened(stream: SessionStream): void {
    const detail = "the interceptor did not open the stream";
    stream.giveUp(new ConnectionError("CLOSED", { ...this.#owner.context(stream.op), detail, outcome: "none" }));
  }

  /** The peer has opened a stream of ours; undefined when it may not. `turn` is the number of its message in the queue. */
  accept({ id }: StreamOpened, method: MethodPlan, turn: number): SessionStream | undefined {
    if (this.#streams.has(id)) {
      const broken = brokenProtocol(`the id ${id} is in use: a stream of it has ended, and is not handled yet`);
      this.#owner.machine.close(broken.detail, this.#owner.now(), broken);
      return undefined;
    }
    const stream = new SessionStream(this.#owner, this, method.name, method.receives, method.sends);
    stream.accepted(id, turn);
    this.add(stream);
    return stream;
  }

  item(event: ItemReceived): void {
    const stream = this.#streams.get(event.id);
    if (stream === undefined) this.#owner.machine.itemHandled(event.id, event.chargeBytes);
    else stream.arrived(event);
  }

  itemsEnded(id: number): void {
    this.#streams.get(id)?.itemsEnded();
  }

  writable(id: number): void {
    this.#streams.get(id)?.writable();
  }

  rejected({ id, bytes, start, end }: AnswerReceived): void {
    this.#streams.get(id)?.fail(readErrorBody(bytes, start, end));
  }

  cancelled(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const details = { ...this.#owner.context(stream.op), detail: "the other side has cancelled the stream" };
    stream.fail(withoutStack(() => new ConnectionError("CLOSED", { ...details, side: "remote" })));
  }

  lost(id: number, outcome: "not-sent" | "unknown"): void {
    const stream = this.#streams.get(id);
    stream?.fail(this.#owner.overError(stream.op, outcomeOf(outcome)));
  }

  /** Another server has the session: streams do not move with it. */
  moved(): void {
    const { machine } = this.#owner;
    for (const stream of Array.from(this.#streams.values())) {
      // One that has ended is still read.
      if (machine.cancel(stream.id, this.#owner.now()))
        stream.fail(new ConnectionError("SESSION_MOVED", { ...this.#owner.context(stream.op), outcome: "unknown" }));
    }
  }

  over(): void {
    for (const stream of Array.from(this.#streams.values())) stream.fail(this.#owner.overError(stream.op, "unknown"));
  }
}
