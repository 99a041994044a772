/** The options of a client of sessions, and what they must look like. */

import type { Methods } from "../../../core/contract/contract.ts";
import { CONNECT_RULES, type ConnectOptions } from "../../stream/connect.ts";
import { WHILE_AWAY } from "../../operation/deadline.ts";
import type { OnError } from "../../operation/peer-problems.ts";
import { BACKOFF, type Backoff } from "../../../core/options/backoff.ts";
import { ANYTHING, FUNCTION, only, options as object, type RulesOf } from "../../../core/options/check-options.ts";
import type { ReadyReport, Reconnection, ResumedReport, SessionEnd } from "../end.ts";
import type { Interceptor, SessionMessage } from "../../contract/interceptor.ts";
import type { WhileAway } from "../../contract/metadata.ts";
import type { HandlerContext, HandlersOption } from "../../contract/methods.ts";
import type { Session } from "../public.ts";
import {
  RESUME_RULES,
  type ResumeOptions,
  SESSION_LIMIT_RULES,
  type SessionLimits,
  type SessionTuning,
  TUNING_RULES,
} from "../options.ts";

/** Options of `connectSession`, the handlers aside. `signal` and `timeoutMs` end the opening only; `close` ends a session. */
export interface SessionClientOptions<Server extends Methods, Data>
  extends SessionTuning,
    Pick<ConnectOptions, "signal" | "timeoutMs" | "localAddress" | "tls" | "tcp"> {
  /** Bounds of the session. */
  readonly limits?: SessionLimits | undefined;
  /** What is kept to send it again on the next connection. */
  readonly resume?: ResumeOptions | undefined;
  /**
   * Wait for a server that is not up yet: try again while it refuses, cannot be reached, ends the connection or is silent before
   * its answer, as a proxy is that is up before its server, or answers `SERVER_BUSY`. For the first session only: `reconnect`
   * is for later ones. Default: do not. `timeoutMs` goes on.
   */
  readonly retry?: Backoff | undefined;
  /**
   * Whatever the server's `authenticate` wants to see; must be what `json()` can carry, within the 65,536 bytes of a hello. A
   * function is asked for each connection, once it is there; its answer, or its promise, belongs to the time of the
   * handshake (`timeouts.handshakeMs`).
   */
  readonly auth?: unknown;
  /** Becomes `session.data`. Default: an empty object. */
  readonly data?: Data | undefined;
  /**
   * How to come back after the connection is lost; false for not at all. When `timeoutMs`, 300,000 by default, is over without a
   * connection, the session is over for good. The pauses grow as well when connections are made and do not last a second.
   */
  readonly reconnect?: Backoff | false | undefined;
  /**
   * What becomes of a call that is made while there is no connection, or while the server is leaving, however the client lost it. `wait`
   * (default): it waits for the next connection, or for the next session, within its time. So does a call that was made before and
   * cannot have reached the server. `reject`: it rejects with `SESSION_AWAY` at once, and nothing was sent. A call may say otherwise. What
   * becomes of events says `overflow`; a stream never waits for another session.
   */
  readonly whileAway?: WhileAway | undefined;
  /**
   * Stands around each message to a method, both ways: of this side to the peer, and of the peer before the handler of this side.
   * Default: nothing.
   */
  readonly around?: Interceptor<SessionMessage<Session<Server, Data>>> | undefined;
  /**
   * A session has begun, the first one or one that follows a session that could not go on: the server knows nothing of this client. Join
   * rooms and subscribe here. Everything else that the program asks for, and what has waited while it was away, is sent when this
   * function is done, or the promise that it returns; streams do not wait. `connectSession` resolves then. What the function itself
   * asks for goes out at once, and so does what handlers ask for meanwhile; it waits for no other session.
   *
   * Where it fails for the first session, `connectSession` closes that and rejects with the error. Later the error goes to `onError`,
   * and what waits is sent. It has `timeouts.callMs`, anew on each connection; then that is a failure with `TIMEOUT`. When the session
   * is lost meanwhile, its errors of this package are not told: it is called again for the next session, or `onClose` says how it ended.
   * It is not called when a session goes on: see `onResume`.
   */
  readonly onReady?: ((session: Session<Server, Data>, report: ReadyReport) => unknown) | undefined;
  /** The session goes on over another connection, and nothing has to be asked for again. */
  readonly onResume?: ((session: Session<Server, Data>, report: ResumedReport) => unknown) | undefined;
  /** The connection is lost or given up; the client tries to come back. */
  readonly onDetach?: ((session: Session<Server, Data>) => unknown) | undefined;
  /**
   * The client waits for its next attempt to come back, or begins one: for a line that says "connecting again in 5 s". Told at each
   * change from `onDetach` on, until `onResume`, `onReady` or `onClose`. `session.reconnection` has the same.
   */
  readonly onReconnecting?: ((session: Session<Server, Data>, reconnection: Reconnection) => unknown) | undefined;
  /** The session is over for good, and what it had accepted is handled; tells what was lost, and what was not handled. */
  readonly onClose?: ((session: Session<Server, Data>, end: SessionEnd) => unknown) | undefined;
  /**
   * Told of what nobody awaits: what a handler threw, a message that its schema does not allow, what `auth` threw (once in an
   * outage). Attempts to come back that fail are no errors here: see `onReconnecting`. Default: on the kernel's
   * network the first failure that is no doing of the server is a warning of the process (`ZOCALO_NO_ON_ERROR`). The channel
   * `zocalo:error` has all, and each attempt that failed.
   */
  readonly onError?: OnError<Session<Server, Data>> | undefined;
}

/** All options of `connectSession`: the handlers are required as soon as the contract's client offers anything. */
export type ConnectSessionOptions<Server extends Methods, Client extends Methods, Data> = SessionClientOptions<
  Server,
  Data
> &
  HandlersOption<Client, HandlerContext<Session<Server, Data>>>;

/** Options whose types do not matter here. */
export type AnyClientOptions = SessionClientOptions<Methods, unknown> & { readonly handlers?: object };

/** What the options of `connectSession` must look like. */
export const OPEN_SESSION_RULES: RulesOf<AnyClientOptions> = {
  ...only(CONNECT_RULES, "signal", "timeoutMs", "localAddress", "tls", "tcp", "retry"),
  ...TUNING_RULES,
  limits: object(SESSION_LIMIT_RULES),
  resume: object(RESUME_RULES),
  auth: ANYTHING,
  data: ANYTHING,
  reconnect: {
    ...BACKOFF,
    wanted: "an object, or false",
    holds: (value) => value === false || BACKOFF.holds(value),
  },
  whileAway: WHILE_AWAY,
  around: FUNCTION,
  onReady: FUNCTION,
  onResume: FUNCTION,
  onDetach: FUNCTION,
  onReconnecting: FUNCTION,
  onClose: FUNCTION,
  onError: FUNCTION,
};
