/** `connectSession` while its first session is not ready. */

import type { Clock } from "../../network/network.ts";
import { Deadline, expiryReason, type OperationOptions } from "../../operation/deadline.ts";
import { handled } from "../../operation/handled-rejection.ts";

/** Whoever awaits the first session, until it is ready, cannot be, or the time is over. The first of these counts. */
export class Opening {
  readonly #ready: Promise<void>;
  #resolve: (() => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  readonly #clock: Clock;
  readonly #options: OperationOptions;
  readonly #startedAt: number;

  constructor(clock: Clock, options: OperationOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#startedAt = clock.now();
    const ready = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#ready = handled(ready);
  }

  resolve(): void {
    this.#resolve?.();
    this.#reject = undefined;
  }

  /** False when nobody waits any more. */
  reject(reason: unknown): boolean {
    const reject = this.#reject;
    this.#reject = undefined;
    reject?.(reason);
    return reject !== undefined;
  }

  /** There is a session: resolves when it is ready. @param close - Closes that where it cannot be. */
  async ready(close: () => void): Promise<void> {
    const { signal, timeoutMs = Infinity } = this.#options;
    const leftMs = Math.max(0, this.#startedAt + timeoutMs - this.#clock.now());
    const time = new Deadline(this.#clock, { signal, timeoutMs: leftMs }, (cause) =>
      this.reject(expiryReason(typeof cause === "number" ? timeoutMs : cause, { op: "connectSession" }, "none")),
    );
    if (signal?.aborted === true) this.reject(signal.reason);
    try {
      await this.#ready;
    } catch (error) {
      close();
      throw error;
    } finally {
      time.cancel();
    }
  }
}
