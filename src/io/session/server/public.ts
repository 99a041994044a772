/** The public contract of a server of sessions. */

import type { NativeInterop } from "../../operation/own-clock.ts";
import type { Address } from "../../../core/address/address.ts";
import type { Contract, Methods } from "../../../core/contract/contract.ts";
import type { ListenerStats } from "../../listener/public.ts";
import type { CloseReport, CloseServerOptions, ServerEnd } from "../../operation/graceful-close.ts";
import type { HandlerContext } from "../../contract/methods.ts";
import type { Session } from "../public.ts";
import type { Broadcasts, CountedAudience, SessionAudience, SessionGroup } from "../audience.ts";
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

/** Options of `SessionServer.close`. */
export interface CloseSessionsOptions extends CloseServerOptions {
  /**
   * The clients are told to come back after a time that is drawn for each of them between 0 and this, so that a restart makes
   * no storm. Default: half a millisecond for each session, so that 2,000 clients come back in a second: 250 ms for 500 sessions, 5
   * seconds for 10,000. Give more where a new session costs much, as with TLS on a small machine or with a slow `authenticate`.
   *
   * With a `journal` nobody waits for that: the sessions leave one after the other over this time, each is served until its turn, and its client
   * goes to the next server at once. Default then: 5 ms for each session, so that 500 leave in 2.5 seconds and a server that has just
   * started keeps up under load; but half of `timeoutMs` for all at most, and half a millisecond for each at least. When `timeoutMs` is
   * over before, the rest leave together, as without a journal.
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
