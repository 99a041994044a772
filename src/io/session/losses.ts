/** What a session has sent that may not have arrived, when it is lost. */

import type { Lost } from "../../core/session/event.ts";
import type { LostMessage, LostRequest } from "./end.ts";

/** Who carries messages into the next session, and tells those who wait. */
interface LosingTraffic<Gap> {
  carry(lost: Lost, gap: Gap): boolean;
  /** Each once. */
  lost(requests: readonly LostRequest[]): void;
}

/** Messages of one session that may not have done their work. */
export class SessionLosses {
  /** For the program, when the session is over. */
  readonly messages: LostMessage[] = [];
  #found: Lost[] = [];

  /** A message is lost, unless it finds its way into another session: see `settle`. */
  add(lost: Lost): void {
    this.#found.push(lost);
  }

  /** What was added waits for the next session in `gap`, or is lost: tells the callers. */
  settle<Gap>(
    terms: { nameOf(method: number): string | undefined },
    traffic: LosingTraffic<Gap> | undefined,
    gap: Gap | undefined,
  ): void {
    const found = this.#found;
    if (found.length === 0) return;
    this.#found = [];
    const requests: LostRequest[] = [];
    for (const lost of found) {
      if (gap !== undefined && traffic?.carry(lost, gap) === true) continue;
      const { kind, id, method, outcome } = lost;
      this.messages.push({ kind, method: terms.nameOf(method), outcome });
      if (kind === "call" || kind === "open") requests.push({ id, outcome });
    }
    traffic?.lost(requests);
  }

  /** An event never got a number, and nobody awaits it. */
  addUnsent(method: string): void {
    this.messages.push({ kind: "event", method, outcome: "not-sent" });
  }
}
