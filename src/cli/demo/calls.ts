/** What the processes of the demo say to each other, over the channel that Node opens to a child. */

/** A call to a child process. */
export interface Call {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

/** What became of it. */
export interface Outcome {
  readonly id: number;
  readonly result?: unknown;
  /** Why it failed. */
  readonly failure?: { readonly code: string; readonly detail: string };
}
