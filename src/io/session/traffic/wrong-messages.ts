/** How a peer is told of errors; and its messages that make no sense: of no method, or with a body that its schema forbids. */

import type { RemoteError } from "../../../core/contract/remote-error.ts";
import { peerError } from "../../../core/peer-error.ts";
import { ERROR_FORMS, errorBody, isPeersFault } from "../../contract/error-body.ts";
import type { SessionPartOwner } from "./owner.ts";

/** Of so many in a row each is told by itself. */
const TOLD_IN_A_ROW = 10;
/** What such a message costs, in messages that make sense: an error is made, and mostly an answer. */
const WORK = 1000;

/** Counts them, and ends a session that brings nothing else. */
export class WrongMessages {
  readonly #owner: SessionPartOwner;
  #inARow = 0;

  constructor(owner: SessionPartOwner) {
    this.#owner = owner;
  }

  /** A message made sense. */
  interrupted(): void {
    this.#inARow = 0;
  }

  /** One more; or a schema of this side that cannot be used, which is not the peer's fault. */
  add(error: unknown): void {
    if (!isPeersFault(error)) {
      this.#owner.problem(error);
      return;
    }
    const { machine, settings } = this.#owner;
    const { peerProblems, maxWrongMessages } = settings;
    if (machine.link !== undefined) machine.link.work -= WORK;
    if (this.#inARow >= TOLD_IN_A_ROW) peerProblems.count();
    else if (peerProblems.admit()) this.#owner.problem(error);
    this.#inARow += 1;
    if (this.#inARow <= maxWrongMessages) return;
    const detail = `the peer sent ${this.#inARow} invalid messages in a row; limits.maxWrongMessages is ${maxWrongMessages}`;
    machine.close(detail, this.#owner.now(), peerError("LIMIT_EXCEEDED", { op: "receive", detail }));
  }
}

/** Ends a call or a stream of the peer with an error, in the longest form that can be sent. */
export function sendError(owner: SessionPartOwner, id: number, error: RemoteError): void {
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
