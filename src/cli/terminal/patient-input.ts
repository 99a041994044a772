/** Stdin, for as long as somebody is interested in it. */

import type { DataInput } from "./standard-input.ts";

/**
 * When the peer has ended, what stdin still gives is sent, until it is silent for so long: a program at the other end of a
 * pipe may need a moment. A terminal is not waited for, because the person sees that the peer is gone.
 */
const SILENCE_MS = 500;

/** Reads stdin and stops at a signal, or at its silence once {@link PatientInput.loseInterest} was called. */
export class PatientInput {
  readonly #input: DataInput;
  readonly #stops: readonly AbortSignal[];
  readonly #halt: AbortController = new AbortController();
  readonly #onStop: (event: Event) => void;
  #patient = true;
  #waiting = false;
  #silent = false;
  #timer: NodeJS.Timeout | undefined;

  /** A read rejects with the reason of the first of `stops` that aborts. */
  constructor(input: DataInput, stops: readonly AbortSignal[]) {
    this.#input = input;
    this.#stops = stops;
    this.#onStop = (event) => this.#halt.abort((event.target as AbortSignal).reason);
    for (const stop of stops) {
      if (stop.aborted) this.#halt.abort(stop.reason);
      stop.addEventListener("abort", this.#onStop, { once: true });
    }
  }

  /** The next bytes, null at the end, `silent` when nothing came and nobody is interested any more. */
  async read(): Promise<Buffer | null | "silent"> {
    this.#waiting = true;
    if (!this.#patient) this.#countSilence();
    try {
      return await this.#input.read(this.#halt.signal);
    } catch (error) {
      if (this.#silent) return "silent";
      throw error;
    } finally {
      this.#waiting = false;
      clearTimeout(this.#timer);
    }
  }

  /** From now on silence ends the reading. */
  loseInterest(): void {
    this.#patient = false;
    if (this.#waiting) this.#countSilence();
  }

  /** Forgets the signals. */
  release(): void {
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop.removeEventListener("abort", this.#onStop);
  }

  #countSilence(): void {
    this.#timer = setTimeout(
      () => {
        this.#silent = true;
        this.#halt.abort();
      },
      this.#input.isTerminal ? 0 : SILENCE_MS,
    );
  }
}
