/**
 * Messages to streams, and what the server answers to them. All answers come over one subscription. The client's own `request` makes an
 * error and a timer for each answer that comes: an eighth of the processor of a busy server.
 */

import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { FifoMap } from "../../core/fifo-map.ts";
import type { Clock } from "../../io/network/network.ts";
import { ServerAnswer } from "./server-answer.ts";

/** What has no answer for so long gets none; whoever waited has given up before, but may keep something until this is settled. */
const FORGOTTEN_MS = 10_000;

interface Waiting {
  readonly sinceMs: number;
  readonly resolve: (answer: ServerAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

/** The requests over one connection. */
export class NatsRequests {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #inbox: string;
  readonly #waiting = new FifoMap<string, Waiting>();
  #last = 0;

  /** @param inbox - A subject of this connection's own, beneath which answers come. */
  constructor(connection: NatsConnection, clock: Clock, inbox: string) {
    this.#connection = connection;
    this.#clock = clock;
    this.#inbox = `${inbox}.`;
    connection.subscribe(`${inbox}.*`, { callback: (error, message) => this.#answered(error, message) });
  }

  /** Resolves with the answer of the stream, which may be a refusal. */
  send(subject: string, message: Uint8Array, headers: MsgHdrs | undefined): Promise<ServerAnswer> {
    const nowMs = this.#clock.now();
    for (let oldest = this.#waiting.first(); oldest !== undefined; oldest = this.#waiting.first()) {
      if (nowMs - (this.#waiting.get(oldest)?.sinceMs ?? 0) < FORGOTTEN_MS) break;
      this.#take(oldest)?.reject(new Error("the server has not answered"));
    }
    const token = (this.#last += 1).toString(36);
    return new Promise((resolve, reject) => {
      this.#waiting.add(token, { sinceMs: nowMs, resolve, reject });
      try {
        this.#connection.publish(subject, message, { reply: this.#inbox + token, ...(headers && { headers }) });
      } catch (error) {
        this.#waiting.delete(token);
        reject(error);
      }
    });
  }

  /** Nobody knows any more what becomes of what was sent. */
  fail(error: unknown): void {
    for (let token = this.#waiting.first(); token !== undefined; token = this.#waiting.first()) {
      this.#take(token)?.reject(error);
    }
  }

  #answered(error: Error | null, message: Msg): void {
    if (error !== null) {
      this.fail(error);
      return;
    }
    const waiting = this.#take(message.subject.slice(this.#inbox.length));
    if (waiting === undefined) return;
    try {
      waiting.resolve(new ServerAnswer(message));
    } catch (reason) {
      waiting.reject(reason);
    }
  }

  #take(token: string): Waiting | undefined {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    return waiting;
  }
}
