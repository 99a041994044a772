/** How handlers begin on a server with a journal: most at once, some only when it is written that they do (decision 0057). */

import { RemoteError } from "../../../core/contract/remote-error.ts";
import type { MethodPlan } from "../../contract/plan.ts";
import type { Clock } from "../../network/network.ts";
import { partsOf, type SessionFacade } from "../endpoint/session.ts";
import type { Handled } from "../settings.ts";
import { handleMessage } from "./handled-message.ts";

/** One that is suspected runs alone for so long: what ends its server does so within that, and others must not wait for ever. */
const ALONE_MS = 3000;

/** The server whose handlers begin. */
export interface CarefulOwner {
  readonly clock: Clock;
  /** What there is now is written. False when it is not, as the session is over here, or the server closes. */
  keep(session: SessionFacade): Promise<boolean>;
  /** Whether the server that had the session before lives: it says so where it learns that the session was taken. */
  wasAlive(session: SessionFacade): Promise<boolean>;
  /** Something failed that nobody awaits. */
  unkept(error: unknown, session: SessionFacade): void;
}

/** Begins handlers. */
export class CarefulStarts {
  readonly #owner: CarefulOwner;
  /** Suspects begin one behind the other: if the server dies, only one was under way. */
  #last: Promise<void> = Promise.resolve();

  constructor(owner: CarefulOwner) {
    this.#owner = owner;
  }

  /** Calls the handler of a message by `run`. Answers what it answers, or a promise of it. */
  handle(handled: Handled, method: MethodPlan, run: () => unknown): unknown {
    const { begins } = partsOf(handled.session as SessionFacade).endpoint.machine;
    const beginning = method.kind === "stream" ? "free" : begins?.of(handled.number, method.atMostOnce);
    if (beginning === undefined || beginning === "free") return handleMessage(handled, run);
    if (method.atMostOnce) return beginning === "begun" ? refusedOnce() : this.#marked(handled, true, run);
    return this.#alone(() => this.#suspected(handled, method, beginning === "begun", run));
  }

  async #suspected(handled: Handled, { kind }: MethodPlan, hasBegun: boolean, run: () => unknown): Promise<unknown> {
    const session = handled.session as SessionFacade;
    if (hasBegun && !(await this.#owner.wasAlive(session))) {
      const what = `message ${handled.messageId} was being handled when its server died, three times`;
      const error = new RemoteError("INTERNAL", `${what}; it is not handled again`);
      // What an event throws is told anyway.
      if (kind === "call") this.#owner.unkept(error, session);
      throw error;
    }
    return await this.#marked(handled, false, run);
  }

  /** Begins when it is written that it has. */
  async #marked(handled: Handled, once: boolean, run: () => unknown): Promise<unknown> {
    const session = handled.session as SessionFacade;
    const { endpoint } = partsOf(session);
    endpoint.machine.begins?.mark(handled.number, once);
    const isKept = await this.#owner.keep(session);
    // Another server may handle it. What a session had accepted that is over for everybody is handled here.
    const isElsewhere = endpoint.end === undefined ? !isKept : endpoint.end.error?.code === "SESSION_MOVED";
    if (handled.isCancelled || isElsewhere) return undefined;
    return await handleMessage(handled, run);
  }

  async #alone(run: () => Promise<unknown>): Promise<unknown> {
    const before = this.#last;
    let release: () => void = () => undefined;
    this.#last = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    const timer = this.#owner.clock.setTimer(release, ALONE_MS, true);
    try {
      return await run();
    } finally {
      timer.cancel();
      release();
    }
  }
}

function refusedOnce(): Promise<never> {
  const detail = "the server died while it handled the call, which is handled at most once; look whether it was done";
  return Promise.reject(new RemoteError("SESSION_MOVED", detail));
}
