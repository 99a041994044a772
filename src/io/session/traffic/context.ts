/** What a handler is told beside the question. */

import { ConnectionError, type ZocaloError } from "../../../core/errors.ts";
import { withoutStack } from "../../../core/peer-error.ts";
import type { SessionPartOwner } from "./owner.ts";
import { type Metadata, NO_METADATA } from "../../contract/metadata.ts";
import type { HandlerContext } from "../../contract/methods.ts";

/** The context of one handler. Its signal is made only when somebody asks for it. */
export class SessionContext implements HandlerContext<object> {
  /** The number of the message; of the one of now, where one context serves many. */
  number: number;
  readonly deadline: number;
  readonly metadata: Metadata;
  /** The method of a call whose handler runs, for whoever looks. */
  method: string | undefined;
  readonly #owner: SessionPartOwner;
  readonly #stream: { readonly signal: AbortSignal } | undefined;
  #controller: AbortController | undefined;
  #cancelled: { readonly reason: unknown } | undefined;

  /** @param stream - Has the signal of the handler of a stream. */
  constructor(
    owner: SessionPartOwner,
    number: number,
    deadline: number,
    metadata: Metadata = NO_METADATA,
    stream?: { readonly signal: AbortSignal },
  ) {
    this.#owner = owner;
    this.number = number;
    this.deadline = deadline;
    this.metadata = metadata;
    this.#stream = stream;
  }

  get session(): object {
    return this.#owner.session as object;
  }

  get server(): object | undefined {
    return this.#owner.server;
  }

  get messageId(): string {
    return `${this.#owner.id}/${this.number}`;
  }

  get redelivered(): boolean {
    return this.#owner.machine.mayHaveBegun(this.number);
  }

  get isCancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  get remainingMs(): number {
    return Math.max(0, this.deadline - this.#owner.settings.clock.now());
  }

  get signal(): AbortSignal {
    if (this.#stream !== undefined) return this.#stream.signal;
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled !== undefined) this.#controller.abort(this.#cancelled.reason);
    }
    return this.#controller.signal;
  }

  /** Nobody waits any more: because of the caller, unless there is another reason. */
  cancel(reason: unknown = noOneWaits()): void {
    this.#cancelled ??= { reason };
    this.#controller?.abort(reason);
  }
}

function noOneWaits(): ZocaloError {
  const detail = "the caller has cancelled the call, or its time is up";
  return withoutStack(() => new ConnectionError("CLOSED", { op: "call", detail, side: "remote" }));
}
