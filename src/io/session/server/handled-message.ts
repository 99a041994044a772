/** Which message of which session is being handled when something is said: on servers with a journal (docs/decisions/0057). */

import { AsyncLocalStorage } from "node:async_hooks";
import { isThenable } from "../../operation/handled-rejection.ts";
import type { SessionFacade } from "../endpoint/session.ts";
import type { Handled } from "../settings.ts";

/** A message whose handler runs. */
export interface HandledMessage {
  readonly session: SessionFacade;
  /** Its number in the session. */
  readonly number: number;
  /** A name for what is said next: the same one when the handler runs again and says the same in the same order. */
  nextKey(): string;
}

/** Nothing is kept in it where no handler runs: it costs nothing before the first one does. */
const storage: AsyncLocalStorage<MessageRun> = new AsyncLocalStorage<MessageRun>();

class MessageRun implements HandledMessage {
  readonly session: SessionFacade;
  readonly number: number;
  /** The handler has come to its end: what it has left behind speaks for itself. */
  isOver = false;
  readonly #id: string;
  #said = 0;

  constructor({ session, number, messageId }: Handled) {
    this.session = session as SessionFacade;
    this.number = number;
    this.#id = messageId;
  }

  nextKey(): string {
    this.#said += 1;
    return `${this.#id}/${this.#said}`;
  }
}

/** The message whose handler runs this code; undefined outside of handlers, and once the handler has ended. */
export function currentMessage(): HandledMessage | undefined {
  const run = storage.getStore();
  return run?.isOver === false ? run : undefined;
}

/** Calls `run`, which calls the handler of a message. */
export function handleMessage(handled: Handled, run: () => unknown): unknown {
  const message = new MessageRun(handled);
  let waits = false;
  try {
    const answer = storage.run(message, run);
    waits = isThenable(answer);
    return waits ? over(message, answer as PromiseLike<unknown>) : answer;
  } finally {
    if (!waits) message.isOver = true;
  }
}

async function over(message: MessageRun, answer: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await answer;
  } finally {
    message.isOver = true;
  }
}
