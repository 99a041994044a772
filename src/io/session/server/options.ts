/** The options of a server of sessions, and what they must look like. */

import type { Address } from "../../../core/address/address.ts";
import type { Methods } from "../../../core/contract/contract.ts";
import {
  FLAG,
  countFrom,
  FROM_ZERO,
  FUNCTION,
  only,
  options as object,
  type RulesOf,
} from "../../../core/options/check-options.ts";
import type { ProxyHeader } from "../../../core/proxy/header.ts";
import type { SessionStore } from "../../../core/session/resume/session-store.ts";
import type { Interceptor, SessionMessage } from "../../contract/interceptor.ts";
import type { HandlersOption } from "../../contract/methods.ts";
import { LISTEN_RULES, LISTENER_LIMIT_RULES } from "../../listener/listen.ts";
import type { ListenerLimits, ListenOptions } from "../../listener/public.ts";
import type { SessionJournal } from "../../journal/journal.ts";
import { JOURNAL } from "../../journal/rule.ts";
import type { TlsInfo } from "../../network/tls.ts";
import type { OnError } from "../../operation/peer-problems.ts";
import type { ResumedReport, SessionEnd } from "../end.ts";
import type { Session } from "../public.ts";
import {
  RESUME_RULES,
  type ResumeOptions,
  SESSION_LIMIT_RULES,
  type SessionLimits,
  type SessionTuning,
  TUNING_RULES,
} from "../options.ts";
import type { ServerContext, SessionServer } from "./public.ts";

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
  /**
   * Keeps the sessions outside of this process: another server with the same journal, or this one after a restart, goes on with
   * them, with `data` and groups. Nothing that a handler says leaves before the journal has what it did, and a message is
   * acknowledged then. `data` must be what MessagePack can carry. Open streams end with `SESSION_MOVED` when a session moves. Sessions of clients
   * that do not know the feature stay in this process. Default: none; sessions end with their process.
   */
  readonly journal?: SessionJournal | undefined;
  /**
   * How long sessions wait for a store that is away, in milliseconds. They stall meanwhile, and nothing is lost. Past this time their
   * clients are told to come back, here or at another server, at times that are spread, and others are refused with `SERVER_BUSY`, until the
   * store is there again; sessions are kept. Default 10,000: longer than a replicated store takes to find a new leader, and short enough
   * for a call of the usual 30 seconds to be answered by another server. `Infinity`: clients stay. Without a journal it says nothing.
   */
  readonly journalStallMs?: number | undefined;
  /**
   * Stands around each message to a method, both ways: of this side to the peer, and of the peer before the handler of this side.
   * Default: nothing.
   */
  readonly around?: Interceptor<SessionMessage<Session<Client, Data>>> | undefined;
  /** Counts the calls of `metrics()` by method and code, and how long handlers take. Default false: a clock is read twice for each. */
  readonly metrics?: boolean | undefined;
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
   * second; then their number. Default: on the kernel's network the first failure that is no doing of a client is a warning of the
   * process (`ZOCALO_NO_ON_ERROR`); the channel `zocalo:error` has all.
   */
  readonly onError?: OnError<Session<Client, Data>> | undefined;
}

/** All options of `serveSessions`: the handlers are required as soon as the contract's server offers anything. */
export type ServeSessionsOptions<Server extends Methods, Client extends Methods, Data> = SessionServerOptions<
  Client,
  Data
> &
  HandlersOption<Server, ServerContext<Client, Data>>;

/** Options whose types do not matter here. */
export type AnyServerOptions = SessionServerOptions<Methods, unknown> & { readonly handlers?: object };

const STORE_FUNCTIONS = ["get", "create", "replace", "detach", "charge", "expire", "remove"] as const;
/** What the options of `serveSessions` must look like. */
export const SERVE_SESSIONS_RULES: RulesOf<AnyServerOptions> = {
  ...only(LISTEN_RULES, "signal", "timeoutMs", "allow", "deny", "proxyProtocol", "tls", "tcp", "mode", "fd"),
  ...TUNING_RULES,
  limits: object({
    ...SESSION_LIMIT_RULES,
    ...only(LISTENER_LIMIT_RULES, "maxBacklog", "maxConnections", "maxConnectionsPerAddress"),
    maxSessions: countFrom(0),
    maxSessionsPerAddress: countFrom(0),
    maxSessionsPerPrincipal: countFrom(1),
    maxUnauthenticated: countFrom(1),
    maxHeldBytes: FROM_ZERO,
    maxHeldBytesPerPrincipal: FROM_ZERO,
  } satisfies RulesOf<SessionServerLimits>),
  resume: object({
    ...RESUME_RULES,
    resumeTimeoutMs: FROM_ZERO,
    store: {
      wanted: "an object with the functions of a SessionStore",
      holds: (value) =>
        STORE_FUNCTIONS.every((name) => typeof (value as Partial<SessionStore> | null)?.[name] === "function"),
    },
  } satisfies RulesOf<ServerResumeOptions>),
  authenticate: FUNCTION,
  data: FUNCTION,
  around: FUNCTION,
  metrics: FLAG,
  journal: JOURNAL,
  journalStallMs: FROM_ZERO,
  onOpen: FUNCTION,
  onResume: FUNCTION,
  onClose: FUNCTION,
  onError: FUNCTION,
};
