/** Waiting for the abort of a signal, for many operations by one listener. */

/** Who waits for each signal. */
const watchers: WeakMap<AbortSignal, Set<() => void>> = new WeakMap();

/**
 * Calls `onAbort` when the signal aborts, unless `unwatchAbort` was called before. However many operations wait for one
 * signal, it has one listener: Node warns of a leak from the eleventh on, and finds a listener by looking at all of them.
 */
export function watchAbort(signal: AbortSignal, onAbort: () => void): void {
  const known = watchers.get(signal);
  if (known !== undefined) {
    known.add(onAbort);
    return;
  }
  watchers.set(signal, new Set([onAbort]));
  signal.addEventListener("abort", tellAll, { once: true });
}

/** Waits no more. */
export function unwatchAbort(signal: AbortSignal, onAbort: () => void): void {
  const known = watchers.get(signal);
  if (known?.delete(onAbort) !== true || known.size > 0) return;
  watchers.delete(signal);
  signal.removeEventListener("abort", tellAll);
}

function tellAll(this: AbortSignal): void {
  // Whoever is told may make others stop waiting, who are not told then.
  for (const onAbort of watchers.get(this) ?? []) onAbort();
  watchers.delete(this);
}
