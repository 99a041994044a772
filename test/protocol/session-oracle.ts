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
  /** Sides that take nothing new any more. */
  readonly #left: Set<SideName> = new Set();
  /** Events that were reported as not sent, and how many as perhaps sent. */
  readonly #notSent: Record<SideName, string[]> = { client: [], server: [] };
  readonly #unknown: Record<SideName, number> = { client: 0, server: 0 };

  /** A program takes leave: it is told of nothing new that it had not been told of before. */
  left(side: SideName): void {
    this.#left.add(side);
  }

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
    const heard = this.#heard[side];
    assert.ok(!heard.includes(text), `${side} was told "${text}" twice`);
    heard.push(text);
    const isRefused = (one: string): boolean => this.#left.has(side) && !one.startsWith("item");
    const expected = this.#said[other(side)].filter(
      (one) => heard.includes(one) || !(this.#givenUp.has(one) || isRefused(one)),
    );
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

  /** A program was told that an event is lost. */
  eventLost(side: SideName, outcome: string): void {
    if (outcome === "unknown") {
      this.#unknown[side] += 1;
      return;
    }
    // The first one that has not arrived: a peer that leaves refuses it, and those behind it, but not what came before.
    const heard = this.#heard[other(side)];
    const isOpen = (text: string): boolean => !heard.includes(text) && !this.#givenUp.has(text);
    const text = this.#said[side].find((one) => one.startsWith("event") && isOpen(one));
    assert.ok(text !== undefined, `an event of ${side} was reported as not sent, and all have arrived`);
    this.#givenUp.add(text);
    this.#notSent[side].push(text);
  }

  /** A CLOSE was answered, or is the answer: nobody may be left in doubt about an event. */
  known(side: SideName): void {
    assert.equal(this.#unknown[side], 0, `${side} could have known what became of its events`);
  }

  /** The session of this side is over: what may be lost must be the last that was sent, and no more. */
  ended(side: SideName): void {
    const heard = this.#heard[other(side)];
    const notSent = this.#notSent[side];
    const events = this.#said[side].filter((text) => text.startsWith("event") && !notSent.includes(text));
    const kept = events.length - this.#unknown[side];
    assert.ok(kept >= 0, `${side} was told of more losses than it sent`);
    for (const text of events.slice(0, kept)) {
      assert.ok(heard.includes(text), `"${text}" of ${side} was neither told to the other side nor reported lost`);
    }
    for (const text of notSent) this.#assertNotHeard(side, text);
    for (const { text, outcome } of this.#calls[side].values()) {
      assert.notEqual(outcome, undefined, `${side} never heard of call "${text}"`);
    }
  }

  /** Both sides are connected and nothing moves: everything must have arrived. */
  complete(): void {
    for (const side of ["client", "server"] as const) {
      const heard = this.#heard[other(side)];
      const expected = this.#said[side].filter((text) => !this.#givenUp.has(text) || heard.includes(text));
      assert.deepEqual(heard, expected, `${other(side)} was not told everything`);
      for (const { text, outcome } of this.#calls[side].values()) {
        assert.notEqual(outcome, undefined, `call "${text}" of ${side} has no outcome`);
      }
    }
  }

  #assertNotHeard(side: SideName, text: string): void {
    assert.ok(!this.#heard[other(side)].includes(text), `"${text}" of ${side} was reported as not sent, but arrived`);
  }
}

function other(side: SideName): SideName {
  return side === "client" ? "server" : "client";
}
