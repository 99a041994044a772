/** What the two programs of a `SessionWorld` do with what their sessions tell them. */

import assert from "node:assert/strict";
import type { Session } from "../../src/core/session/session.ts";
import type { SessionEvent } from "../../src/core/session/session-event.ts";
import type { SessionOracle, SideName } from "./session-oracle.ts";

/** The programs of both processes: they handle what comes, and answer calls when the test says so. */
export class SessionPrograms {
  /** The stream of each session, once there is one. */
  readonly streams: WeakMap<Session, number> = new WeakMap();
  /** Calls that were started and not answered. */
  readonly waiting: { readonly session: Session; readonly id: number; readonly text: string }[] = [];

  /** Answers a call that waits, at either side. */
  answer(index: number, now: number): void {
    const [call] = this.waiting.splice(index, 1);
    if (call !== undefined) call.session.respond(call.id, bodyOf(`re:${call.text}`), now);
  }

  /** A program does something with what it is told. */
  told(side: SideName, session: Session, oracle: SessionOracle, happened: SessionEvent): void {
    switch (happened.type) {
      case "event":
        oracle.heard(side, textOf(happened));
        session.handled(happened.chargeBytes);
        break;
      case "call":
        oracle.heard(side, textOf(happened));
        this.waiting.push({ session, id: happened.id, text: textOf(happened) });
        break;
      case "open":
        session.handled(happened.chargeBytes);
        this.streams.set(session, happened.id);
        break;
      case "cancelled":
        session.handled(happened.chargeBytes);
        break;
      case "item":
        oracle.heard(side, textOf(happened));
        session.itemHandled(happened.id, happened.chargeBytes);
        break;
      case "result":
        oracle.settled(side, happened.id, `result ${textOf(happened)}`);
        break;
      case "timedOut":
        oracle.settled(side, happened.id, "timedOut");
        break;
      case "lost":
        if (happened.kind === "event") oracle.eventLost(side, happened.outcome);
        if (happened.kind === "call") oracle.settled(side, happened.id, `lost ${happened.outcome}`);
        break;
      case "ended":
        assert.ok(happened.error === undefined || happened.error.code === "SESSION_LOST", String(happened.error));
        oracle.ended(side);
        break;
      default:
    }
  }
}

/** A body that is a text. */
export function bodyOf(text: string): { readonly bytes: Buffer; readonly start: number; readonly end: number } {
  const bytes = Buffer.from(text);
  return { bytes, start: 0, end: bytes.length };
}

function textOf(happened: { readonly bytes: Buffer; readonly start: number; readonly end: number }): string {
  return happened.bytes.toString("utf8", happened.start, happened.end);
}
