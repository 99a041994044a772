/** Whether a handler has answered at once, or will. */

/** One whose `then` cannot be read counts as one: the promise made of it rejects with what was thrown. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
  } catch {
    return true;
  }
}
