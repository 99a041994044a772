/** The public contract of a server of sessions. */

import type { NativeInterop } from "../../operation/own-clock.ts";
import type { Address } from "../../../core/address/address.ts";
import type { ProxyHeader } from "../../../core/proxy/header.ts";
import type { Contract, Methods } from "../../../core/contract/contract.ts";
import type { SessionStore } from "../../../core/session/resume/session-store.ts";
import type { OnError } from "../../operation/peer-problems.ts";
import type { ListenerLimits, ListenerStats, ListenOptions } from "../../listener/public.ts";
import type { CloseReport, GracefulCloseOptions, ServerEnd } from "../../operation/graceful-close.ts";
import type { ResumedReport, SessionEnd } from "../end.ts";
import type { HandlerContext, HandlersOption, MethodArguments } from "../../contract/methods.ts";
import type { Session } from "../public.ts";
import type { ResumeOptions, SessionLimits, SessionTuning } from "../settings.ts";
import type { RequestInput } from "../../../core/contract/method.ts";
import type { TlsInfo, TlsOptions } from "../../network/tls.ts";

export type { Admission, SessionRecord, SessionStore } from "../../../core/session/resume/session-store.ts";

/** A client that asks to come in. */
export interface Applicant {
  /** What the client sent as `auth`; anything. Check it before you use it. */
  readonly auth: unknown;
  /** Where it comes from. */
  readonly remoteAddress: Address;
  /** What TLS agreed on, with the certificate of the client; undefined without TLS. */
  readonly tls: TlsInfo | undefined;
  /** What a trusted proxy said of it, with the certificate that it showed there; undefined without one (`proxyProtocol`). */
  readonly proxy: ProxyHeader | undefined;
  /** The client's version of the contract. */
  readonly version: string;
  /** Whether it wants to continue a session. */
  readonly resuming: boolean;
}

/** A client that was let in, for which `data` is made. */
export interface Admitted extends Applicant {
  /** Who it is. */
  readonly principal: string;
}

/** Limits of a server of sessions, and of each of them. All are on by default; `Infinity` turns one off. */
export interface SessionServerLimits
  extends SessionLimits,
    Pick<ListenerLimits, "maxBacklog" | "maxConnections" | "maxConnectionsPerAddress"> {
  /** Sessions, those without a connection included. Default 10,000. The longest detached one makes room. */
  readonly maxSessions?: number | undefined;
  /**
   * Sessions of one IPv4 address or one IPv6 /64. Default 1,000, because many users may share one address. Its longest
   * detached one makes room; when all have a connection, one more is refused with `SERVER_BUSY`.
   */
  readonly maxSessionsPerAddress?: number | undefined;
  /**
   * Sessions of one principal, as `authenticate` names it. Default 100. Its longest detached one makes room; when all have a
   * connection, one more is refused with `SERVER_BUSY`. Without `authenticate` each session is a principal of its own.
   */
  readonly maxSessionsPerPrincipal?: number | undefined;
  /**
   * Connections in a TLS handshake or before their PROXY header; connections that have not introduced themselves, or were
   * refused and are being closed; and clients for which `authenticate` and `data` are at work, those that have gone included.
   * Default 1,000 of each of the three. One more of the first or the second resets the oldest of them, the refused before the
   * silent, so that they cannot keep clients out that introduce themselves. One more of the third is refused with
   * `SERVER_BUSY`; what takes longer than `timeouts.handshakeMs` does not count there.
   */
  readonly maxUnauthenticated?: number | undefined;
  /**
   * Memory of all sessions and of what waits in them, in bytes. Default 256 MiB. When there is more, sessions that hold
   * messages end with `SESSION_LOST` until the rest fits. All sessions of one principal are looked at together; where nobody
   * asked who the client is, all of one address. The one who holds the most makes room: its largest session without a
   * connection, unless that is smaller than its sessions are on average; else its largest session. So nobody loses a session
   * that holds little because of others who hold much.
   */
  readonly maxHeldBytes?: number | undefined;
  /**
   * Memory of what waits in the sessions of one principal, in bytes. Default 64 MiB. When there is more, sessions of that
   * principal end with `SESSION_LOST`, in the order of `maxHeldBytes`. It holds for principals that `authenticate` names.
   */
  readonly maxHeldBytesPerPrincipal?: number | undefined;
}

/** What a server keeps for clients that come back. */
export interface ServerResumeOptions extends ResumeOptions {
  /**
   * How long a session lives without a connection, in milliseconds. Default 60,000; `Infinity` until it has to make room for
   * others.
   */
  readonly resumeTimeoutMs?: number | undefined;
  /** Where the records of sessions are kept. Default: in memory, within the limits of the server. */
  readonly store?: SessionStore | undefined;
}

/** Options of `serveSessions`. `signal` and `timeoutMs` end the opening only; `close` and `abort` end a server. */
export interface SessionServerOptions<Client extends Methods, Data>
  extends SessionTuning,
    Pick<ListenOptions, "allow" | "deny" | "proxyProtocol" | "tls" | "tcp" | "mode" | "fd" | "signal" | "timeoutMs"> {
  /** Bounds of the server, and of each session. */
  readonly limits?: SessionServerLimits | undefined;
  /** What is kept for clients that come back. */
  readonly resume?: ServerResumeOptions | undefined;
  /**
   * Says who a client is: a text that names it, the same each time. Answer undefined, or throw, to turn it away
   * (`UNAUTHENTICATED`; the message of a `RemoteError` is passed on, nothing else is). Such a client does not come back by
   * itself. Throw a `RemoteError` of the code `SERVER_BUSY` when it cannot be known now: then it does. It runs for each
   * connection, when a session goes on as well, which only the same principal may do (docs/semantics.md, rule D4).
   * Default: everybody may come in, and the token alone says whose session it is.
   */
  readonly authenticate?: ((applicant: Applicant) => string | undefined | Promise<string | undefined>) | undefined;
  /** Makes `session.data` of a new session. Default: an empty object. What it throws turns the client away, as in `authenticate`. */
  readonly data?: ((admitted: Admitted) => Data | Promise<Data>) | undefined;
  /** A new session is there; nothing has arrived on it yet. */
  readonly onOpen?: ((session: Session<Client, Data>, server: SessionServer<Client, Data>) => unknown) | undefined;
  /** A session goes on over another connection. */
  readonly onResume?:
    | ((session: Session<Client, Data>, report: ResumedReport, server: SessionServer<Client, Data>) => unknown)
    | undefined;
  /** A session is over, and what it had accepted is handled; tells what was lost, and what was not handled. */
  readonly onClose?:
    | ((session: Session<Client, Data>, end: SessionEnd, server: SessionServer<Client, Data>) => unknown)
    | undefined;
  /**
   * Told of what nobody awaits: what a handler threw, a message that its schema does not allow, a program that does not speak
   * zocalo (then without a session). Of what peers do wrong, the first ten of a session in a row, and of all peers 100 in a
   * second; then their number. Default: nobody, but the channel `zocalo:error` has it.
   */
  readonly onError?: OnError<Session<Client, Data>> | undefined;
}

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
}

/**
 * The events of the clients, as functions that send one to many sessions. The message is encoded once for each codec that is in
 * use. A function never waits, and never throws because of one of the sessions. It throws `FRAME_INVALID`, and sends nothing, when
 * the message cannot be sent at all: in the first of the server's `codecs`.
 */
export type Broadcasts<Client extends Methods> = {
  readonly [K in keyof Client as Client[K] extends { readonly kind: "event" } ? K : never]: (
    ...message: MethodArguments<RequestInput<Client[K]>, undefined>
  ) => BroadcastReport;
};

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
export interface SessionGroup<Client extends Methods, Data> extends Iterable<Session<Client, Data>> {
  /** The name by which the server knows the group. */
  readonly name: string;
  /** Sessions in the group. */
  readonly size: number;
  /** Takes a session in; false when it is there already, or over. */
  join(session: Session<Client, Data>): boolean;
  /** Lets a session go; false when it was not there. */
  leave(session: Session<Client, Data>): boolean;
  /** Whether a session is there. */
  has(session: Session<Client, Data>): boolean;
  /** Sends an event to all of them: `group.remote.said("hola")`. */
  readonly remote: Broadcasts<Client>;
}

/** Options of `SessionServer.close`. */
export interface CloseSessionsOptions extends GracefulCloseOptions {
  /**
   * The clients are told to come back after a time that is drawn for each of them between 0 and this, so that a restart makes
   * no storm. Default 5000.
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
  /** Sends an event to all sessions: `server.remote.said("hola")`. */
  readonly remote: Broadcasts<Client>;
  /**
   * Takes no new sessions (`SERVER_BUSY`), tells all clients that the server goes (GOAWAY) and when to come back, and waits
   * until calls, streams and handlers have finished and the clients have acknowledged what was sent. Clients that have lost
   * their connection may come back for it meanwhile; with `reusePort` they cannot, since they would come to the next server.
   * The listener is closed as soon as nothing is under way. When `timeoutMs` (default 5000) is over, or `signal` aborts, calls and
   * streams that are under way end with `CLOSED` on both sides, and who does not take what is said last is reset: it takes no
   * longer. The report counts as `cut` the sessions in which something was still under way or was lost. Sessions do not
   * survive it. A second call shares the first one's report; it may shorten the wait. Rejects with `OPTION_INVALID` only.
   */
  close(options?: CloseSessionsOptions): Promise<CloseReport>;
  /**
   * Stops accepting and closes every session at once; what it has not begun to handle is counted in `onClose`. Clients are told,
   * and not waited for. Await `closed` for the end.
   */
  abort(reason?: unknown): void;
  /** Uses other certificates for connections from now on. */
  setTls(options: TlsOptions): void;
}

/** What a handler of a server is told beside the question. */
export interface ServerContext<Client extends Methods, Data> extends HandlerContext<Session<Client, Data>> {
  /** The server, for its groups and its other sessions. */
  readonly server: SessionServer<Client, Data>;
}

/** All options of `serveSessions`: the handlers are required as soon as the contract's server offers anything. */
export type ServeSessionsOptions<Server extends Methods, Client extends Methods, Data> = SessionServerOptions<
  Client,
  Data
> &
  HandlersOption<Server, ServerContext<Client, Data>>;
