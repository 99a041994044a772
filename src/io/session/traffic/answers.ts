/** What this side makes of the messages of the peer: their values, the answers to them, and errors where they make no sense. */

import type { RemoteError } from "../../../core/contract/remote-error.ts";
import type { ProtocolError } from "../../../core/errors.ts";
import { peerError } from "../../../core/peer-error.ts";
import { ERROR_FORMS, errorBody, isPeersFault, ofAnswer, ofHandler, ofQuestion } from "../../contract/error-body.ts";
import type { MethodPlan, ValuePlan } from "../../contract/plan.ts";
import type { SessionPartOwner } from "./owner.ts";

/** Of so many messages in a row that make no sense each is told by itself. */
const TOLD_IN_A_ROW = 10;
/** What such a message costs, in messages that make sense: an error is made, and mostly an answer. */
const WORK = 1000;
/** In place of the method of a stream whose directions are not those of its method. No list is so long. */
export const MISDIRECTED = 0x7fff;

/** Answers the peer. It counts messages of no method, or with a body that its schema forbids, and ends a session of nothing else. */
export class SessionAnswers {
  readonly #owner: SessionPartOwner;
  #wrongInARow = 0;

  constructor(owner: SessionPartOwner) {
    this.#owner = owner;
  }

  /** The value of a body. */
  decode(plan: ValuePlan, bytes: Buffer, start: number, end: number): unknown {
    const value = plan.decode(bytes, start, end);
    this.#wrongInARow = 0;
    return value;
  }

  /** Answers a call. */
  respond(method: MethodPlan, id: number, value: unknown): void {
    const owner = this.#owner;
    if (owner.end !== undefined) return;
    try {
      const body = method.response.encode(value);
      owner.machine.respond(id, body, owner.turnTime());
      owner.gathered(body.end - body.start);
    } catch (error) {
      this.fail(id, error, ofAnswer(error));
    }
  }

  /** Ends a call or a stream of the peer with an error. Only what the application meant for the peer crosses the wire. */
  fail(id: number, cause: unknown, error: RemoteError = ofHandler(cause)): void {
    if (error !== cause) this.#owner.problem(cause);
    this.#send(id, error);
  }

  /** What the peer asks makes no sense: it is told why. */
  refuse(id: number, cause: unknown): void {
    this.addWrong(cause);
    this.#send(id, ofQuestion(cause));
  }

  /** The peer sent what makes no sense; or a schema of this side cannot be used, which is not the peer's fault. */
  addWrong(error: unknown): void {
    if (!isPeersFault(error)) {
      this.#owner.problem(error);
      return;
    }
    const { machine, settings } = this.#owner;
    settings.watch.metrics?.invalid();
    const { peerProblems, maxWrongMessages } = settings;
    if (machine.link !== undefined) machine.link.work -= WORK;
    if (this.#wrongInARow >= TOLD_IN_A_ROW) peerProblems.count();
    else if (peerProblems.admit()) this.#owner.problem(error);
    this.#wrongInARow += 1;
    if (this.#wrongInARow <= maxWrongMessages) return;
    const detail = `the peer sent ${this.#wrongInARow} invalid messages in a row; limits.maxWrongMessages is ${maxWrongMessages}`;
    machine.close(detail, this.#owner.now(), peerError("LIMIT_EXCEEDED", { op: "receive", detail }));
  }

  /** Sends an error in the longest form that can be sent. */
  #send(id: number, error: RemoteError): void {
    const owner = this.#owner;
    if (owner.end !== undefined) return;
    const now = owner.turnTime();
    for (let form = 0; form < ERROR_FORMS; form += 1) {
      try {
        owner.machine.fail(id, errorBody(error, form), now);
        break;
      } catch (problem) {
        // Its data cannot be sent, or is longer than what the peer takes.
        owner.problem(problem);
      }
    }
    owner.touch();
  }
}

/** The peer asks for what this side does not offer. */
export function unknownMethod(place: number): ProtocolError {
  const what = place === MISDIRECTED ? "a stream with these directions" : `method ${place}`;
  const detail = `${what} is not offered, or is of another kind; the peer has another version of the contract`;
  return peerError("METHOD_UNKNOWN", { op: "receive", detail });
}
