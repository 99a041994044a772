/**
 * What must be true of two programs and a session between them. It knows nothing of numbers, acknowledgements or replay: only
 * what one program said and what the other was told.
 */

import assert from "node:assert/strict";

/** One of the two sides. */
export type SideName = "client" | "server";

/** A call that a program has made. */
interface CallStory {
  readonly text: string;
  outcome: string | undefined;
}

/** What happened in one session. */
export class SessionOracle {
  readonly #said: Record<SideName, string[]> = { client: [], server: [] };
  readonly #heard: Record<SideName, string[]> = { client: [], server: [] };
  readonly #calls: Record<SideName, Map<number, CallStory>> = { client: new Map(), server: new Map() };
  /** Calls that need not arrive, because nobody waited for them any more. */
  readonly #givenUp: Set<string> = new Set();
  readonly #lostEvents: Record<SideName, string[]> = { client: [], server: [] };

  /** A program sent something that the other one must be told. */
  said(side: SideName, text: string): void {
    this.#said[side].push(text);
  }

  /** A program made a call. */
  called(side: SideName, id: number, text: string): void {
    this.said(side, text);
    this.#calls[side].set(id, { text, outcome: undefined });
  }

  /** A program was told something. It must be the next thing that the other one said. */
  heard(side: SideName, text: string): void {
    const other = side === "client" ? "server" : "client";
    const heard = this.#heard[side];
    assert.ok(!heard.includes(text), `${side} was told "${text}" twice`);
    heard.push(text);
    const expected = this.#said[other].filter((one) => !this.#givenUp.has(one) || heard.includes(one));
    assert.deepEqual(heard, expected.slice(0, heard.length), `${side} was told something out of order, or not at all`);
  }

  /** A call came to its end: `result TEXT`, `timedOut` or `lost OUTCOME`. */
  settled(side: SideName, id: number, outcome: string): void {
    const call = this.#calls[side].get(id);
    assert.ok(call !== undefined, `${side} was told of a call that it did not make`);
    // The message of a call that timed out may be lost as well; its caller knows already that nobody answers.
    if (call.outcome === "timedOut" && outcome.startsWith("lost")) return;
    assert.equal(call.outcome, undefined, `${side} was told twice of call "${call.text}"`);
    call.outcome = outcome;
    if (outcome.startsWith("result")) assert.equal(outcome, `result re:${call.text}`);
    else this.#givenUp.add(call.text);
    if (outcome === "lost not-sent") this.#assertNotHeard(side, call.text);
  }

  /** A program was told that an event is lost. They are told in the order of sending. */
  eventLost(side: SideName, outcome: string): void {
    this.#lostEvents[side].push(outcome);
  }

  /** The session of this side is over: what was lost must be the last that was sent, and no more. */
  ended(side: SideName): void {
    const other = side === "client" ? "server" : "client";
    const events = this.#said[side].filter((text) => text.startsWith("event"));
    const lost = this.#lostEvents[side];
    const kept = events.length - lost.length;
    assert.ok(kept >= 0, `${side} was told of more losses than it sent`);
    for (const text of events.slice(0, kept)) {
      assert.ok(
        this.#heard[other].includes(text),
        `"${text}" of ${side} was neither told to ${other} nor reported lost`,
      );
    }
    for (const [index, outcome] of lost.entries()) {
      if (outcome === "not-sent") this.#assertNotHeard(side, events[kept + index] as string);
    }
    for (const { text, outcome } of this.#calls[side].values()) {
      assert.notEqual(outcome, undefined, `${side} never heard of call "${text}"`);
    }
  }

  /** Both sides are connected and nothing moves: everything must have arrived. */
  complete(): void {
    for (const [side, other] of [
      ["client", "server"],
      ["server", "client"],
    ] as const) {
      const expected = this.#said[side].filter((text) => !this.#givenUp.has(text) || this.#heard[other].includes(text));
      assert.deepEqual(this.#heard[other], expected, `${other} was not told everything`);
      for (const { text, outcome } of this.#calls[side].values()) {
        assert.notEqual(outcome, undefined, `call "${text}" of ${side} has no outcome`);
      }
    }
  }

  #assertNotHeard(side: SideName, text: string): void {
    const other = side === "client" ? "server" : "client";
    assert.ok(!this.#heard[other].includes(text), `"${text}" of ${side} was reported as not sent, but arrived`);
  }
}
