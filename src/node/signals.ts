/** Draining a server when the operating system asks the process to end. */

/** Signals on which a server drains. */
export interface SignalOptions {
  /**
   * Signals such as `SIGTERM` on which the server drains. The process then ends by itself when nothing else keeps it
   * alive. Default: none; the server leaves the process's signals alone.
   */
  readonly drainOn?: readonly NodeJS.Signals[] | undefined;
  /** How long the handlers may take then. Default 5000. */
  readonly drainTimeoutMs?: number | undefined;
}

interface Drainable {
  readonly closed: Promise<void>;
  drain(options: { readonly timeoutMs?: number | undefined }): Promise<unknown>;
}

/** Listens for the signals until the server is closed. */
export function drainOnSignals(server: Drainable, options: SignalOptions): void {
  const { drainOn = [], drainTimeoutMs } = options;
  if (drainOn.length === 0) return;
  const drain = (): void => void server.drain({ timeoutMs: drainTimeoutMs });
  for (const name of drainOn) process.on(name, drain);
  void server.closed.then(() => {
    for (const name of drainOn) process.off(name, drain);
  });
}
