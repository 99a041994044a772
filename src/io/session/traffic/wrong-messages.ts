/** How a peer is told of errors; and its messages that make no sense: of no method, or with a body that its schema forbids. */

import type { RemoteError } from "../../../core/contract/remote-error.ts";
import { peerError } from "../../../core/peer-error.ts";
import { ERROR_FORMS, errorBody, isPeersFault } from "../../contract/error-body.ts";
import type { SessionHost } from "./host.ts";

/** Of so many in a row each is told by itself. */
const TOLD_IN_A_ROW = 10;
/** What such a message costs, in messages that make sense: an error is made, and mostly an answer. */
const WORK = 1000;

/** Counts them, and ends a session that brings nothing else. */
export class WrongMessages {
  readonly #host: SessionHost;
  #inARow = 0;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** A message made sense. */
  interrupted(): void {
    this.#inARow = 0;
  }

  /** One more; or a schema of this side that cannot be used, which is not the peer's fault. */
  add(error: unknown): void {
    if (!isPeersFault(error)) {
      this.#host.problem(error);
      return;
    }
    const { machine, settings } = this.#host;
    const { peerProblems, maxWrongMessages } = settings;
    if (machine.link !== undefined) machine.link.work -= WORK;
    if (this.#inARow >= TOLD_IN_A_ROW) peerProblems.count();
    else if (peerProblems.admit()) this.#host.problem(error);
    this.#inARow += 1;
    if (this.#inARow <= maxWrongMessages) return;
    const detail = `the peer sent ${this.#inARow} messages in a row that make no sense; maxWrongMessages is ${maxWrongMessages}`;
    machine.close(detail, this.#host.now(), peerError("LIMIT_EXCEEDED", { op: "receive", detail }));
  }
}

/** Ends a call or a stream of the peer with an error, in the longest form that can be sent. */
export function sendError(host: SessionHost, id: number, error: RemoteError): void {
  if (host.end !== undefined) return;
  const now = host.turnTime();
  for (let form = 0; form < ERROR_FORMS; form += 1) {
    try {
      host.machine.fail(id, errorBody(error, form), now);
      break;
    } catch (problem) {
      // Its data cannot be sent, or is longer than what the peer takes.
      host.problem(problem);
    }
  }
  host.touch();
}
