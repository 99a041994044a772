/** Two sessions joined by a link that a test moves by hand. */

import assert from "node:assert/strict";
import { DEFAULT_LIMITS, type SessionLimits } from "../../src/core/handshake/limits.ts";
import type { BodyPlace } from "../../src/core/session/outgoing.ts";
import { Session } from "../../src/core/session/session.ts";
import type { SessionEvent } from "../../src/core/session/session-event.ts";
import { DEFAULT_REPLAY, type ReplayBounds } from "../../src/core/session/session-settings.ts";

/** What an event said, in few words, since the object is used again. */
function describe(happened: SessionEvent): string {
  switch (happened.type) {
    case "event":
    case "call":
    case "open":
    case "item":
    case "result":
    case "error": {
      const body = happened.bytes.toString("utf8", happened.start, happened.end);
      const method = "method" in happened ? ` m${happened.method}` : "";
      const id = "id" in happened ? ` #${happened.id}` : "";
      return `${happened.type}${id}${method} ${body}`.trimEnd();
    }
    case "lost":
      return `lost ${happened.kind} #${happened.id} ${happened.outcome}`;
    case "attached":
      return `attached ${happened.resumed ? `resumed ${happened.replayed}` : "fresh"}`;
    case "goAway":
      return `goAway ${happened.survives} ${happened.retryAfterMs}`;
    case "ended":
      return `ended ${happened.error?.code ?? "in order"}`;
    default:
      return "id" in happened ? `${happened.type} #${happened.id}` : happened.type;
  }
}

/** What differs from the defaults. */
export interface PairOptions {
  readonly limits?: Partial<SessionLimits>;
  readonly replay?: Partial<ReplayBounds>;
}

/** A client and a server, joined by a link that the test moves by hand. */
export class Pair {
  now = 0;
  readonly client: Session;
  readonly server: Session;
  readonly log: { client: string[]; server: string[] } = { client: [], server: [] };
  /** Whether events and items are told to be handled as soon as they come. */
  handling = true;

  constructor(options: PairOptions = {}) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const settings = { limits, peerLimits: limits, replay: { ...DEFAULT_REPLAY, ...options.replay }, keptMs: 1000 };
    this.client = new Session({ ...settings, role: "client" }, 0);
    this.server = new Session({ ...settings, role: "server" }, 0);
  }

  /** Begins or continues on a new connection. */
  join(): this {
    assert.ok(this.server.attach(this.client.resumePoint.received, this.now));
    assert.ok(this.client.attach(this.server.resumePoint.received, this.now));
    return this;
  }

  /** Carries everything, both ways, until nothing moves. */
  run(): this {
    for (let moved = true; moved; ) {
      moved = this.carry("client", "server");
      moved = this.carry("server", "client") || moved;
    }
    return this;
  }

  /** Carries what one side has to send. */
  carry(from: "client" | "server", to: "client" | "server"): boolean {
    const bytes = Buffer.concat(this[from].output(this.now));
    this.deliver(to, bytes);
    return bytes.length > 0;
  }

  deliver(to: "client" | "server", bytes: Buffer): void {
    this[to].receive(bytes, 0, bytes.length, this.now);
    this.drain(to);
  }

  drain(side: "client" | "server"): void {
    const session = this[side];
    for (let happened = session.nextEvent(); happened !== undefined; happened = session.nextEvent()) {
      this.log[side].push(describe(happened));
      if (!this.handling) continue;
      const { type } = happened;
      if (type === "event" || type === "open" || type === "cancelled") session.handled(happened.chargeBytes);
      if (happened.type === "item") session.itemHandled(happened.id, happened.chargeBytes);
    }
  }

  /** The connection is lost for both. */
  cut(): this {
    this.client.detach(this.now);
    this.server.detach(this.now);
    return this;
  }

  /** Lets time pass, and both sides notice. */
  wait(ms: number): this {
    this.now += ms;
    for (const side of ["client", "server"] as const) {
      this[side].onDeadline(this.now);
      this.drain(side);
    }
    return this;
  }

  /** What a side was told since the last time. */
  told(side: "client" | "server"): readonly string[] {
    return this.log[side].splice(0).filter((text) => !/^(attached|confirmed)/.test(text));
  }
}

/** A body that is a text. */
export const body = (text: string): BodyPlace => {
  const bytes = Buffer.from(text);
  return { bytes, start: 0, end: bytes.length };
};
