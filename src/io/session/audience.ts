/** Many sessions: what is said to them, and what can be asked about them. */

import type { Methods } from "../../core/contract/contract.ts";
import type { RequestInput } from "../../core/contract/method.ts";
import type { MethodArguments } from "../contract/methods.ts";
import type { Session } from "./public.ts";

/** How many sessions there are at all servers of a journal, as they have said last. */
export interface AudienceCount {
  /** Sessions, those without a connection included. */
  readonly size: number;
  /**
   * How old the oldest part of it is, in milliseconds: each server says once a second what has changed. 0 without a journal. Infinity when
   * a part is not known, so that `size` may be too low: a server was not heard yet, or there is too much to be said.
   */
  readonly ageMs: number;
}

/** One session, at any server. */
export interface AudienceMember {
  /** The id of the session. */
  readonly id: string;
  /** Whose it is, as `authenticate` has named it; otherwise the id. */
  readonly principal: string;
  /** The `instance` of the server where it is. */
  readonly server: string;
  /** Whether it has a connection now. */
  readonly attached: boolean;
}

/** What servers have answered. */
export interface AudienceMembers {
  /** Sessions of the servers that have answered; at most 10,000. */
  readonly members: readonly AudienceMember[];
  /** Servers that were asked: this one, and those that were heard in the last 3 seconds. */
  readonly asked: number;
  /** Servers whose answer is whole. When all that were asked have answered, no session is missing. */
  readonly answered: number;
}

/** Options of `SessionAudience.members`. */
export interface MembersOptions {
  /** How long it waits for the servers, in milliseconds. Default: 1,000: a server answers at once, unless it is busy or dead. */
  readonly timeoutMs?: number | undefined;
}

/** What became of a broadcast, counted in sessions. */
export interface BroadcastReport {
  /** It has its number there, and arrives within the live session. */
  readonly sent: number;
  /** It waits for room. */
  readonly waiting: number;
  /**
   * There was no room, and the policy `strict` did not take it, or under another one 1,024 events or 1 MiB of them wait
   * already; or the peer does not know the event, or its codec cannot carry the message. Under `drop-oldest` the oldest one
   * that waits is dropped instead.
   */
  readonly dropped: number;
  /**
   * With a journal, `sent` and `dropped` are 0, `waiting` has the sessions of this server, and the message goes to the sessions of all
   * servers: this resolves with its place in the log of the journal when it is stored. It rejects with `JOURNAL_UNKNOWN` when nobody
   * knows whether it was stored, and with `JOURNAL_UNAVAILABLE` when the server closes before; nobody needs to await it.
   */
  readonly stored?: Promise<number> | undefined;
}

/** Accepted by an event to many sessions. */
export interface SessionBroadcastOptions {
  /** A session that does not get it, or at most 10,000: usually the one that has said it. Default: none. */
  readonly except?: { readonly id: string } | Iterable<{ readonly id: string }> | undefined;
}

/**
 * The events of the clients, as functions that send one to many sessions. The message is encoded once for each codec that is in
 * use. A function never waits, and never throws because of one of the sessions. It throws `FRAME_INVALID`, and sends nothing, when
 * the message cannot be sent at all: in the first of the server's `codecs`. With a journal it throws `FRAME_TOO_LONG` for a message of more
 * than 512 KiB, and `JOURNAL_UNAVAILABLE` when 65,536 messages or 64 MiB wait for the journal.
 */
export type Broadcasts<Client extends Methods> = {
  readonly [K in keyof Client as Client[K] extends { readonly kind: "event" } ? K : never]: (
    ...message: MethodArguments<RequestInput<Client[K]>, SessionBroadcastOptions>
  ) => BroadcastReport;
};

/** Sessions that hear the same: those of a principal (`server.principal`), of a group, or one by its id (`server.session`). */
export interface SessionAudience<Client extends Methods, Data> extends Iterable<Session<Client, Data>> {
  /** The name or the id by which the server knows them. */
  readonly name: string;
  /** Sessions of this server that belong to it, as iterating over it tells them. */
  readonly size: number;
  /** Whether a session belongs to it. */
  has(session: Session<Client, Data>): boolean;
  /**
   * Who they are, at all servers of the journal: this server asks the others, and waits for them. An answer may be lost: then fewer servers have
   * `answered` than were `asked`. Without a journal: those of this server. Rejects with `OPTION_INVALID` only; a server that closes answers
   * with what it has.
   *
   * @example
   * ```ts
   * import { contract, serveSessions } from "zocalo/protocol";
   * const chat = contract("chat", "1.0.0", {});
   * await using server = await serveSessions(chat, "tcp://127.0.0.1:0", { handlers: {} });
   * const { members, asked, answered } = await server.principal("ana").members({ timeoutMs: 500 });
   * console.log(members.some(({ attached }) => attached), asked, answered); // false 1 1
   * ```
   */
  members(options?: MembersOptions): Promise<AudienceMembers>;
  /** Sends an event to all of them, with a journal at all servers: `group.remote.said("hola")`. */
  readonly remote: Broadcasts<Client>;
}

/** Sessions that servers tell each other about: those of a principal, or of a group. */
export interface CountedAudience<Client extends Methods, Data> extends SessionAudience<Client, Data> {
  /**
   * How many they are at all servers of the journal, as these have said last: once a second. A server that has said nothing for 3
   * seconds counts as gone. A session that moves may be counted twice, or not, meanwhile. Names of more than 1,022 letters are counted here
   * only, and of other servers at most 200,000 topics are kept: then `ageMs` is Infinity.
   */
  count(): AudienceCount;
}

/**
 * Some sessions of a server, by name. A session that is over leaves by itself; one that is detached stays, and gets what it
 * missed when it comes back.
 *
 * @example
 * ```ts
 * import { call, contract, event, connectSession, serveSessions } from "zocalo/protocol";
 * const chat = contract("chat", "1.0.0", { server: { join: call<string, number>() }, client: { said: event<string>() } });
 * await using server = await serveSessions(chat, "tcp://127.0.0.1:0", {
 *   handlers: {
 *     join(room, { session, server: all }) {
 *       all.group(room).join(session);
 *       return all.group(room).size;
 *     },
 *   },
 * });
 * const session = await connectSession(chat, server.localAddress, { handlers: { said: () => undefined } });
 * console.log(await session.remote.join("plaza")); // 1
 * console.log(server.group("plaza").remote.said("hola")); // { sent: 1, waiting: 0, dropped: 0 }
 * await session.close();
 * ```
 */
export interface SessionGroup<Client extends Methods, Data> extends CountedAudience<Client, Data> {
  /** Takes a session in; false when it is there already, or over. */
  join(session: Session<Client, Data>): boolean;
  /** Lets a session go; false when it was not there. */
  leave(session: Session<Client, Data>): boolean;
}
