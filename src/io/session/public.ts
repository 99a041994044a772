/** The public contract of a session. */

import type { Interop } from "../operation/own-clock.ts";
import type { Address } from "../../core/address/address.ts";
import type { Methods } from "../../core/contract/contract.ts";
import type { GracefulCloseOptions } from "../operation/graceful-close.ts";
import type { Reconnection, SessionEnd, SessionStatus } from "./end.ts";
import type { RemoteMethods } from "../contract/methods.ts";

/** What a session has counted, and what it holds now. */
export interface SessionStats {
  /** Messages of this side that the peer has not acknowledged. */
  readonly unacknowledged: number;
  /** Calls of either side that are not answered, and open streams. */
  readonly pending: number;
  /** Handlers of calls of the peer that run now. */
  readonly runningCalls: number;
  /** Events that were dropped: by the overflow policy, or because too many wait for which nobody waits. */
  readonly droppedEvents: number;
  /**
   * Memory that is held for what the session has under way, in bytes: messages that wait on either side of a handler, are not
   * acknowledged, or not complete; calls, streams and the promises of those who wait. What each pins counts, not its size on
   * the wire.
   */
  readonly heldBytes: number;
  /** The last round trip of a ping in milliseconds; undefined when none came back on this connection. */
  readonly roundTripMs: number | undefined;
}

/** Options of `Session.close`. */
export interface SessionCloseOptions extends GracefulCloseOptions {
  /** One sentence for the other side, at most 1,024 characters. Default: `"closed"`. */
  readonly message?: string | undefined;
}

/** What every session has, whatever its contract. */
export interface SessionBase<Data> extends AsyncDisposable {
  /** Names the session; a client that had to begin anew has another one afterwards. Not a secret. */
  readonly id: string;
  /** Where it stands. */
  readonly state: SessionStatus;
  /**
   * At a client whose connection is lost: which attempt to come back is next or under way, when it begins, and why the one before
   * failed. Undefined while it has a connection, when it is over, and at a server.
   */
  readonly reconnection: Reconnection | undefined;
  /** Who the peer is, as `authenticate` said, or the session's id where nobody asked. Undefined at a client. */
  readonly principal: string | undefined;
  /** Whatever the program keeps with the session. It never crosses the wire, and survives the connection. */
  data: Data;
  /** The own address on the last connection. */
  readonly localAddress: Address | undefined;
  /** The peer's address on the last connection. */
  readonly remoteAddress: Address | undefined;
  /** What it has done so far, and what it holds. */
  readonly stats: SessionStats;
  /**
   * Resolves when the session is over for good, and says how. The events that it had accepted are handled before, for
   * `timeouts.finishMs` (30 seconds) at most; so a handler that awaits this awaits itself. Never rejects.
   */
  readonly closed: Promise<SessionEnd>;
  /** Aborts when the session is over for good. For work that is done on its behalf. */
  readonly signal: AbortSignal;
  /**
   * Ends the session in order: takes no new requests of the peer, waits until calls, streams and handlers have finished and the
   * peer has acknowledged what was sent, with or without a connection, and tells the peer. When `timeoutMs` (default 5000) is
   * over, or `signal` aborts, calls and streams that are under way end with `CLOSED` on both sides. What was sent before still
   * has until 5 seconds after the call to be acknowledged. So a handler that awaits this awaits itself: let it return
   * first, or pass `timeoutMs: 0`.
   *
   * Resolves when the connection is closed, with the end as it is known then: after `timeoutMs` handlers may still work on events
   * that were accepted (see `closed`). A second call shares the outcome of the first; it may shorten the wait. Rejects with
   * `OPTION_INVALID` only.
   */
  close(options?: SessionCloseOptions): Promise<SessionEnd>;
  /**
   * Ends the session at once and tells the peer nothing, which keeps it until its time is up. Events that this side has
   * accepted and not begun to handle are given up, and counted in `closed`.
   */
  abort(reason?: unknown): void;
  /**
   * What ties it to this process: `ref` lets it keep the process alive (the default), by its connection, and at a client while
   * it makes another one; `unref` lets the process end. Each holds for the connections that follow too.
   */
  readonly interop: Interop;
}

/**
 * A session: what two programs have agreed on, and the state that both keep. It outlives its connection. The methods of the
 * peer are functions on `remote`.
 *
 * Each message is delivered exactly once and in order within a live session; when a session is lost, what was not acknowledged
 * is reported to its sender.
 *
 * @typeParam Offered - What the peer offers: `contract.server` for a client, `contract.client` for a server.
 * @typeParam Data - What the program keeps in `data`.
 *
 * @example
 * ```ts
 * import { call, contract, connectSession, serveSessions, type Session } from "zocalo/protocol";
 * const clock = contract("clock", "1.0.0", { server: { add: call<{ a: number; b: number }, number>() } });
 * const server = await serveSessions(clock, "tcp://127.0.0.1:0", { handlers: { add: ({ a, b }) => a + b } });
 * const session: Session<typeof clock.server> = await connectSession(clock, server.localAddress);
 * console.log(await session.remote.add({ a: 1, b: 2 })); // 3
 * await session.close();
 * await server.close();
 * ```
 */
export interface Session<Offered extends Methods, Data = Record<string, unknown>> extends SessionBase<Data> {
  /**
   * The methods of the peer, as functions; see `RemoteMethods` for what they answer. Each may be taken off and passed on:
   * `const { add } = session.remote`.
   */
  readonly remote: RemoteMethods<Offered>;
}
