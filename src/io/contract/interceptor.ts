/** Interceptors: what a program sees of each message to a method, before the method is called. */

import type { Method } from "../../core/contract/method.ts";
import type { Address } from "../../core/address/address.ts";

/** One message on its way to a method. */
export interface InterceptedMessage {
  /** `outgoing`: this program asks. `incoming`: the peer has asked, and a handler of this program is next. */
  readonly direction: "outgoing" | "incoming";
  /** The name of the method. */
  readonly method: string;
  /** What the method is. */
  readonly kind: Method["kind"];
  /** What is asked; of an incoming message what its schema made of it. */
  readonly question: unknown;
  /** What goes with it. That of an outgoing message may be added to, until `next` is called; that of an incoming one is what came. */
  readonly metadata: Record<string, string>;
  /** Ends an outgoing message, if its caller gave one; aborts when nobody waits for an incoming one any more. */
  readonly signal: AbortSignal | undefined;
  /** When its time is up, on the clock of the network (`performance.now()` on the kernel's); Infinity for never. */
  readonly deadline: number;
}

/** A message of a session. */
export interface SessionMessage<Session> extends InterceptedMessage {
  /** The session: `principal` says who the peer of a server is. */
  readonly session: Session;
}

/** A message by datagram. */
export interface StatelessMessage extends InterceptedMessage {
  /** The other side. Of an incoming message: as the packet says, which can be forged. */
  readonly peer: Address;
}

/**
 * Stands around each message: to count, to trace, to refuse.
 *
 * `next()` goes on, and answers a promise of the answer: of a call; of an event that was sent or handled; of an outgoing stream, once it is
 * opened; of an incoming one, once its handler has finished and its items are sent. Called again, it answers the same promise. What
 * the interceptor answers is the answer. So it must return what `next()` answers, unless it has another answer.
 *
 * What it throws is the outcome: a `RemoteError` refuses a call or stream of the peer with its code, as in a handler. Time-outs and signals
 * of an outgoing message count from `next()` on, with the time that is left then. A message that goes to many sessions at once
 * (`server.remote`, `group.remote`) has no interceptor.
 *
 * @example
 * ```ts
 * import { call, contract, type Interceptor, RemoteError, type Session, type SessionMessage } from "zocalo/protocol";
 * const shop = contract("shop", "1.0.0", { server: { wipe: call(), list: call<void, string[]>() } });
 * const onlyAdmins: Interceptor<SessionMessage<Session<typeof shop.client>>> = (message, next) => {
 *   if (message.method === "wipe" && message.session.principal !== "admin") throw new RemoteError("FORBIDDEN");
 *   return next();
 * };
 * console.log(typeof onlyAdmins); // function
 * ```
 */
export type Interceptor<Message extends InterceptedMessage> = (
  message: Message,
  next: () => Promise<unknown>,
) => unknown;
