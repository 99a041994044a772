/** What the two sides said when they left for good (D.8). */

import type { GoAway } from "./control-frames.ts";
import { Incoming } from "./incoming.ts";

/** How far a session is from its end. */
export class Departure {
  /** What this side said; undefined when it has not left. */
  said: GoAway | undefined;
  /** How many requests this side has refused since. */
  refusals = 0;
  /** After a GOAWAY of the peer: requests above this number were reported. */
  reportedAbove: number = Infinity;

  /** Whether a message of this type is not accepted any more; counts it. */
  refuses(type: number): boolean {
    const refused = this.said !== undefined && Incoming.isRequest(type);
    if (refused) this.refusals += 1;
    return refused;
  }
}
