/** The public contract of a server of sessions. */

import type { NativeInterop } from "../../operation/own-clock.ts";
import type { Address } from "../../../core/address/address.ts";
import type { Contract, Methods } from "../../../core/contract/contract.ts";
import type { ListenerStats } from "../../listener/public.ts";
import type { CloseReport, CloseServerOptions, ServerEnd } from "../../operation/graceful-close.ts";
import type { HandlerContext, MethodArguments } from "../../contract/methods.ts";
import type { Session } from "../public.ts";
import type { AudienceCount, AudienceMembers, MembersOptions } from "../audience.ts";
import type { RequestInput } from "../../../core/contract/method.ts";
import type { TlsOptions } from "../../network/tls.ts";

/** What a server of sessions has counted. */
export interface SessionServerStats {
  /** Sessions that were made. */
  readonly opened: number;
  /** How often a session was continued on another connection. */
  readonly resumed: number;
  /** Sessions that are over. */
  readonly ended: number;
  /** Sessions that are held now. */
  readonly sessions: number;
  /** How many of them have no connection. */
  readonly detached: number;
  /** Connections that have no session yet, from the handshake of TLS on; those that were refused and are not closed yet too. */
  readonly unauthenticated: number;
  /** Handshakes that came to nothing: foreign programs, refusals, silence. */
  readonly declined: number;
  /**
   * Memory that is held for all sessions, in bytes: 2,048 for each, and what waits in it, counted with what it pins in the
   * memory of the process.
   */
  readonly heldBytes: number;
  /** What the listener has counted. */
  readonly listener: ListenerStats;
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
  /** A session that does not get it, or several: usually the one that has said it. Default: none. */
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

/** Options of `SessionServer.close`. */
export interface CloseSessionsOptions extends CloseServerOptions {
  /**
   * The clients are told to come back after a time that is drawn for each of them between 0 and this, so that a restart makes
   * no storm. Default: half a millisecond for each session, so that 2,000 clients come back in a second: 250 ms for 500 sessions, 5
   * seconds for 10,000. Give more where a new session costs much, as with TLS on a small machine or with a slow `authenticate`.
   */
  readonly reconnectSpreadMs?: number | undefined;
}

/**
 * A running server of sessions. `await using` closes it, which takes 5 seconds at most.
 *
 * @typeParam Client - What its clients offer: `contract.client`.
 * @typeParam Data - What the program keeps with each session.
 *
 * @example
 * ```ts
 * import { call, contract, serveSessions } from "zocalo/protocol";
 * const clock = contract("clock", "1.0.0", { server: { now: call<void, number>() } });
 * const server = await serveSessions(clock, "tcp://127.0.0.1:0", { handlers: { now: () => 0 } });
 * console.log(server.localAddress.port > 0, server.stats.sessions); // true 0
 * const { finished, cut } = await server.close({ timeoutMs: 1_000 });
 * console.log(finished, cut); // 0 0
 * ```
 */
export interface SessionServer<Client extends Methods, Data = Record<string, unknown>> extends AsyncDisposable {
  /** The contract that it serves. */
  readonly contract: Contract;
  /** The address, with the port that the system chose. */
  readonly localAddress: Address;
  /** Names this process to clients that want to continue a session. */
  readonly instance: string;
  /** The sessions, those without a connection included, by their ids. */
  readonly sessions: ReadonlyMap<string, Session<Client, Data>>;
  /** What it has done so far, and what it holds. */
  readonly stats: SessionServerStats;
  /** What ties its listener to this process: the object beneath, `ref` and `unref`. Each session has an `interop` of its own. */
  readonly interop: NativeInterop;
  /** Aborts as soon as `close` or `abort` is called: a readiness check answers no from then on. */
  readonly draining: AbortSignal;
  /** Resolves when the server is closed and its last session is over, and says how. Never rejects. */
  readonly closed: Promise<ServerEnd>;
  /** The group of this name; it is made when it is first asked for. */
  group(name: string): SessionGroup<Client, Data>;
  /**
   * One session by its id, also one that is at another server of the same journal: `server.session(id).remote.said("hola")`. Nobody
   * looks whether there is one.
   */
  session(id: string): SessionAudience<Client, Data>;
  /** All sessions of one principal, as `authenticate` has named it; with a journal at all servers. */
  principal(name: string): CountedAudience<Client, Data>;
  /** Sends an event to all sessions, with a journal to those of all servers: `server.remote.said("hola")`. */
  readonly remote: Broadcasts<Client>;
  /**
   * Takes no new sessions (`SERVER_BUSY`), tells all clients that the server goes (GOAWAY) and when to come back, and waits
   * until calls, streams and handlers have finished and the clients have acknowledged what was sent. Clients that have lost
   * their connection may come back for it meanwhile; where the listener is shared (`reusePort`, `fd`, a worker of `node:cluster`) they
   * cannot, since they would come to the next server. There, who has connected already is taken in first, for 1 second at most.
   * The listener is closed as soon as nothing is under way. When `timeoutMs` (default 5000) is over, or `signal` aborts, calls and
   * streams that are under way end with `CLOSED` on both sides, and who does not take what is said last is reset: it takes no
   * longer. The report counts as `cut` the sessions in which something was still under way or was lost. Without a
   * journal the sessions do not survive it. With one, a session whose client can move takes nothing new, its handlers finish, and
   * its client goes on with it at another server. A second call shares the first one's report; it may shorten the wait. Rejects with `OPTION_INVALID` only.
   */
  close(options?: CloseSessionsOptions): Promise<CloseReport>;
  /**
   * Stops accepting and closes every session at once; what it has not begun to handle is counted in `onClose`. Clients are told,
   * and not waited for. Await `closed` for the end.
   */
  abort(reason?: unknown): void;
  /**
   * Its figures as text in the OpenMetrics format 1.0, which Prometheus reads: sessions by state, resumes, connections, bytes, drops; with
   * `metrics: true` also calls by method and code, and how long they took. Serve it with the content type
   * `application/openmetrics-text; version=1.0.0; charset=utf-8`. The guide has the whole list. Never rejects.
   */
  metrics(): Promise<string>;
  /** Uses other certificates for connections from now on. */
  setTls(options: TlsOptions): void;
}

/** What a handler of a server is told beside the question. */
export interface ServerContext<Client extends Methods, Data> extends HandlerContext<Session<Client, Data>> {
  /** The server, for its groups and its other sessions. */
  readonly server: SessionServer<Client, Data>;
}
