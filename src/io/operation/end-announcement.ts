/** How the end of an object is told: a promise and a signal, each made when somebody asks for it. */

/** The end of one socket, before or after it has come. */
export class EndAnnouncement<End> {
  #told: { readonly end: End; readonly reason: unknown } | undefined;
  #closed: Promise<End> | undefined;
  #resolve: ((end: End) => void) | undefined;
  #controller: AbortController | undefined;

  /** Resolves with the end; never rejects. */
  get closed(): Promise<End> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#told === undefined) this.#resolve = resolve;
      else resolve(this.#told.end);
    });
    return this.#closed;
  }

  /** Aborts at the end, with its reason. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#told !== undefined) this.#controller.abort(this.#told.reason);
    }
    return this.#controller.signal;
  }

  /** The end has come: called once. */
  tell(end: End, reason: unknown): void {
    this.#told = { end, reason };
    this.#resolve?.(end);
    this.#controller?.abort(reason);
  }
}
