/** Rejections that must not end the process although nobody looks at them. */

const ignore = (): void => undefined;

/** Marks a promise as looked at: its rejection is never an unhandled one, and whoever awaits it still gets it. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

/** A promise that is rejected, and never an unhandled rejection. */
export function rejectedQuietly(reason: unknown): Promise<never> {
  return handled(Promise.reject(reason));
}
