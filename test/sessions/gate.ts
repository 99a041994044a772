/** A promise that a test resolves. */
export interface Gate<T> {
  readonly open: (value: T) => void;
  readonly opened: Promise<T>;
}

/** Makes one. */
export function gate<T = void>(): Gate<T> {
  let resolve = (_value: T): void => undefined;
  const opened = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { open: (value) => resolve(value), opened };
}
