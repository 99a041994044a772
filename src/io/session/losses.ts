/** What a session has lost, gathered until it is known whether it is over. */

import type { Lost } from "../../core/session/event.ts";
import type { LostMessage } from "./end.ts";

/** A call or stream that is lost. */
export interface LostRequest {
  readonly id: number;
  readonly outcome: "not-sent" | "unknown";
}

/** Messages of one session that may not have done their work. */
export class SessionLosses {
  /** For the program, when the session is over. */
  readonly messages: LostMessage[] = [];
  #requests: LostRequest[] = [];

  /** A message is lost; its method has this name, unless the message does not say. */
  add({ kind, id, outcome }: Lost, method: string | undefined): void {
    this.messages.push({ kind, method, outcome });
    if (kind === "call" || kind === "open") this.#requests.push({ id, outcome });
  }

  /** An event never got a number, and nobody awaits it. */
  addUnsent(method: string): void {
    this.messages.push({ kind: "event", method, outcome: "not-sent" });
  }

  /** The calls and streams whose callers wait to be told; each once. */
  takeRequests(): readonly LostRequest[] {
    const requests = this.#requests;
    if (requests.length > 0) this.#requests = [];
    return requests;
  }
}
