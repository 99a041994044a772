/** Which handlers have begun, as far as a journal knows: what must not run twice, and what may have ended its server (decision 0057). */

/** What a record says of handlers that had begun. */
export interface Begun {
  /** Messages that had begun and were not finished, by their numbers: only those that are written down before they begin. */
  readonly begun: readonly number[];
  /** The server took the session over, and may have begun with messages up to this number again. 0 when it has left in order. */
  readonly again: number;
  /** Messages up to this number, as far as they are not done, were under way twice when a server was gone: each is a suspect. */
  readonly suspects: number;
}

/** What the handler of a message needs before it begins. */
export type Beginning = "free" | "marked" | "begun";

/** The beginnings of one session in one process. */
export class Begins {
  /** Another process may have begun with messages up to this number. */
  readonly resent: number;
  readonly #suspects: number;
  /** Begun in another process, and not finished there. */
  readonly #before: Set<number>;
  /** Begun here: the numbers, and whether each must not run again. */
  readonly #marks: Map<number, boolean> = new Map();
  #hasLeft = false;

  constructor({ begun, again, suspects }: Begun = NOTHING) {
    this.resent = again;
    this.#suspects = suspects;
    this.#before = new Set(begun);
  }

  /** What the handler of a message needs. `once`: it must not run again. `begun`: it was marked in another process. */
  of(number: number, once: boolean): Beginning {
    if (this.#before.has(number)) return "begun";
    return once || number <= this.#suspects ? "marked" : "free";
  }

  /** A handler begins as soon as this is kept. */
  mark(number: number, once: boolean): void {
    this.#before.delete(number);
    this.#marks.set(number, once);
  }

  /** Whether something is under way that is suspected. */
  get hasSuspect(): boolean {
    for (const once of this.#marks.values()) if (!once) return true;
    return false;
  }

  /** This process leaves the session in order: nothing that is under way has ended it. */
  leave(): void {
    this.#hasLeft = true;
    for (const [number, once] of this.#marks) if (!once) this.#marks.delete(number);
  }

  /** What to keep. `isOpen`: whether a message is not done. */
  snapshot(isOpen: (number: number) => boolean): Begun {
    for (const numbers of [this.#before, this.#marks])
      for (const number of numbers.keys()) if (!isOpen(number)) numbers.delete(number);
    const begun = [...this.#before, ...this.#marks.keys()];
    return { begun, again: this.#hasLeft ? 0 : this.resent, suspects: this.#suspects };
  }
}

/** What a session has that no other process has had. */
const NOTHING: Begun = { begun: [], again: 0, suspects: 0 };
