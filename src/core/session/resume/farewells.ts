/** What a server still has to say to clients whose sessions were closed while they could not be told. */

import { HELD } from "../../held-bytes.ts";
import type { Departed } from "../departure.ts";
import type { SessionRecord } from "./session-store.ts";

/** Most farewells that are kept; the oldest are forgotten before. */
const MAX_FAREWELLS = 10_000;
/** Most memory that they may hold: enough for all of them with a short sentence. */
const MAX_BYTES = 8_388_608;

/** A session that is over, and who may ask for it. */
export interface Farewell {
  readonly record: SessionRecord;
  readonly departed: Departed;
  /** When nobody asks for it any more. */
  readonly forgottenAt: number;
}

/** Farewells by the name of their session, the oldest first. All are kept for the same time. */
export class Farewells {
  readonly #keptMs: number;
  readonly #farewells: Map<string, Farewell> = new Map();
  #bytes = 0;

  /** @param keptMs - How long a client may take to come back, in milliseconds. */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** Memory that they hold, about. */
  get bytes(): number {
    return this.#bytes;
  }

  add(record: SessionRecord, departed: Departed, now: number): void {
    const before = this.#farewells.get(record.id);
    if (before !== undefined) this.#forget(before);
    const farewell: Farewell = { record, departed, forgottenAt: now + this.#keptMs };
    this.#farewells.set(record.id, farewell);
    this.#bytes += bytesOf(farewell);
    for (const oldest of this.#farewells.values()) {
      const tooMany = this.#farewells.size > MAX_FAREWELLS || this.#bytes > MAX_BYTES;
      if (!tooMany && now < oldest.forgottenAt) break;
      this.#forget(oldest);
    }
  }

  /** The farewell of a session; undefined when there is none, or its time is up. */
  get(id: string, now: number): Farewell | undefined {
    const farewell = this.#farewells.get(id);
    if (farewell === undefined || now < farewell.forgottenAt) return farewell;
    this.#forget(farewell);
    return undefined;
  }

  #forget(farewell: Farewell): void {
    this.#farewells.delete(farewell.record.id);
    this.#bytes -= bytesOf(farewell);
  }
}

function bytesOf({ departed }: Farewell): number {
  return HELD.farewell + 2 * departed.reason.message.length;
}
