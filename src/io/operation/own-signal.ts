/** A signal for one listener of many. */

import { unwatchAbort, watchAbort } from "./abort-watch.ts";

/** A signal that aborts when another one does, with its reason: Node warns of a leak when many listen to one. */
export class OwnSignal {
  readonly #controller = new AbortController();
  readonly #source: AbortSignal;
  readonly #follow = (): void => this.#controller.abort(this.#source.reason);

  constructor(source: AbortSignal) {
    this.#source = source;
    if (source.aborted) this.#follow();
    else watchAbort(source, this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** It does not abort any more. */
  release(): void {
    unwatchAbort(this.#source, this.#follow);
  }
}
