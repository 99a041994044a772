/** What the two sides said when they left for good (docs/semantics.md, rule D8). */

import type { HandshakeLimits } from "../handshake/limits.ts";
import { type CloseReason, encodeClose } from "./wire/close-frame.ts";
import { ControlFrames, type GoAway } from "./wire/control-frames.ts";
import { CALL, EVENT, OPEN } from "./wire/frame-types.ts";

/** How a session has left without the peer having shown that it knows. */
export interface Departed {
  /** What its CLOSE said. */
  readonly reason: CloseReason;
  /** The milliseconds of its GOAWAY; undefined when it said none. */
  readonly retryAfterMs: number | undefined;
  /** The number of the last message that was accepted. */
  readonly accepted: number;
}

/**
 * What to write behind a welcome that continues such a session, so that the peer hears how it has ended.
 *
 * @param received - The number in that welcome.
 */
export function encodeDeparted({ reason, retryAfterMs }: Departed, received: number, peer: HandshakeLimits): Buffer {
  const control = new ControlFrames();
  control.ack(received);
  if (retryAfterMs !== undefined) control.goAway({ survives: false, retryAfterMs, accepted: received });
  const frames: Uint8Array[] = [];
  control.take(frames);
  return Buffer.concat([...frames, encodeClose(received, reason, peer)]);
}

/** How far a session is from its end. */
export class Departure {
  /** What this side said; undefined when it has not left. */
  said: GoAway | undefined;
  /** How many requests this side has refused since. */
  refusals = 0;
  /** After a GOAWAY of the peer: requests above this number were reported. */
  reportedAbove: number = Infinity;
  /** The CLOSE of this side, as long as the peer has not answered it. */
  unanswered: CloseReason | undefined;
  /** How long it may still be answered. */
  answerBy: number = Infinity;

  /** How the session has left, as far as the peer may not know it; undefined when it knows. */
  departed(received: number): Departed | undefined {
    const { unanswered: reason, said, refusals } = this;
    if (reason === undefined) return undefined;
    const accepted = said === undefined || refusals === 0 ? received : said.accepted;
    return { reason, retryAfterMs: said?.retryAfterMs, accepted };
  }

  /** Whether a message of this type is not accepted any more; counts it. */
  refuses(type: number): boolean {
    const refused = this.said !== undefined && isRequest(type);
    if (refused) this.refusals += 1;
    return refused;
  }
}

/** Whether a message asks for something new: after a GOAWAY such ones are not accepted. */
export function isRequest(type: number): boolean {
  return type === EVENT || type === CALL || type === OPEN;
}
