/** What all journals with a store outside of this process share: who has them open, and how long a call may take. */

import { ZocaloError } from "../../core/errors.ts";
import type { Clock } from "../network/network.ts";
import { notOpen, unavailable, unknownOutcome } from "./failure.ts";
import type { JournalNeeds } from "./journal.ts";

/** A call of a store that takes longer has no answer. */
const CALL_MS = 5_000;

/** A store, as a journal with {@link StoreCalls} has it. */
export interface StoreAccess<Store> {
  /** Opens it for records that are kept so long. Rejects with what the program sees. */
  connect(needs: JournalNeeds): Promise<Store>;
  /** Is told when another server needs them kept longer. */
  keep(store: Store, needs: JournalNeeds): Promise<void>;
  /** Ends followers; called when the last server has closed, before its calls have ended. */
  leave(store: Store): void;
  /** Lets go. */
  disconnect(store: Store): Promise<void>;
  /** Whether an error of the store says that nothing was written. Others mean: nobody knows. */
  wroteNothing(error: unknown): boolean;
}

/** A store that was opened once for all the servers that share a journal. */
export class StoreCalls<Store> {
  readonly #clock: Clock;
  readonly #access: StoreAccess<Store>;
  #store: Store | undefined;
  #opened = 0;
  /** The opening or closing of before: one at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #pending = new Set<Promise<unknown>>();

  constructor(clock: Clock, access: StoreAccess<Store>) {
    this.#clock = clock;
    this.#access = access;
  }

  /** See `SessionJournal.open`. */
  open(needs: JournalNeeds): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#store === undefined) this.#store = await this.#access.connect(needs);
      else await this.#access.keep(this.#store, needs);
      this.#opened += 1;
    });
  }

  /** See `SessionJournal.close`. Calls under way come to an end before. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      const store = this.#store;
      if (store === undefined) return;
      this.#opened -= 1;
      if (this.#opened > 0) return;
      this.#store = undefined;
      this.#access.leave(store);
      await Promise.allSettled(this.#pending);
      await this.#access.disconnect(store);
    });
  }

  /** A call that only reads: any failure of the store means that nothing was written. */
  read<T>(op: string, call: (store: Store) => Promise<T>): Promise<T> {
    return this.#run(op, call, (cause) => unavailable(op, undefined, cause));
  }

  /** A call that writes. */
  write<T>(op: string, call: (store: Store) => Promise<T>): Promise<T> {
    return this.#run(op, call, (cause) =>
      this.#access.wroteNothing(cause) ? unavailable(op, undefined, cause) : unknownOutcome(op, cause),
    );
  }

  async #run<T>(op: string, call: (store: Store) => Promise<T>, failed: (cause: unknown) => Error): Promise<T> {
    const store = this.#store;
    if (store === undefined) throw notOpen(op);
    const answer = this.#inTime(call(store)).catch((error: unknown) => {
      throw error instanceof ZocaloError ? error : failed(error);
    });
    this.#pending.add(answer);
    try {
      return await answer;
    } finally {
      this.#pending.delete(answer);
    }
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`no answer in ${CALL_MS} ms`));
      const timer = this.#clock.setTimer(late, CALL_MS);
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #inTurn(run: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(run);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
