/** Promises that nobody may look at: their rejections must not end the process. */

const ignore = (): void => undefined;

/** What has been done already, as a promise. One for all, since it is answered for each of many small messages. */
export const FULFILLED: Promise<void> = Promise.resolve();

/** Marks a promise as looked at: its rejection is never an unhandled one, and whoever awaits it still gets it. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

/** A promise that is rejected, and never an unhandled rejection. */
export function rejectedQuietly(reason: unknown): Promise<never> {
  return handled(Promise.reject(reason));
}

/** One whose `then` cannot be read counts as one: the promise made of it rejects with what was thrown. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
  } catch {
    return true;
  }
}

/** Does `call`; what it throws at once is a rejection, too. */
export function attempt<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}
