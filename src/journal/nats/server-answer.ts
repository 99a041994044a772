/** What a server of NATS answers to a message for a stream. */

import type { Msg } from "@nats-io/transport-node";
import { unavailable } from "../../io/journal/failure.ts";

/** Nobody listens where the message was sent to. */
const NO_RESPONDERS = 503;
const NO_STREAM = "no server has the stream now";

interface Acknowledgement {
  readonly seq?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/** The acknowledgement of a message, or why it was refused. */
export class ServerAnswer {
  readonly #acknowledgement: Acknowledgement;

  constructor(message: Msg) {
    const hasStream = message.headers?.code !== NO_RESPONDERS;
    this.#acknowledgement = hasStream ? message.json<Acknowledgement>() : { error: { description: NO_STREAM } };
  }

  /** Undefined when the message was taken. */
  get errorCode(): number | undefined {
    return this.#acknowledgement.error?.err_code;
  }

  /** The sequence of the message; throws when it was refused: then nothing was written. */
  sequence(op: string): number {
    const { seq, error } = this.#acknowledgement;
    if (error !== undefined || seq === undefined) {
      throw unavailable(op, `the server of NATS refuses: ${error?.description ?? "it answers without a sequence"}`);
    }
    return seq;
  }
}
