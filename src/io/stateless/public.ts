/** What of a contract can go over datagrams, for the compiler and for programs without types. */

import type { Interop } from "../operation/own-clock.ts";
import type { Address } from "../../core/address/address.ts";
import type { Contract } from "../../core/contract/contract.ts";
import type { CallMethod, EventMethod, RequestInput, ResponseOutput } from "../../core/contract/method.ts";
import type { SchemaOrNone } from "../../core/contract/schema.ts";
import { UsageError } from "../../core/errors.ts";
import type { Metadata, RemoteCallOptions } from "../contract/metadata.ts";
import type { MethodArguments } from "../contract/methods.ts";
import type { DatagramServer, DatagramServerStats } from "../datagram/server.ts";
import type { DatagramEnd } from "../datagram/public.ts";
import type { CloseReport, GracefulCloseOptions } from "../operation/graceful-close.ts";

/** A method that can go over datagrams: an event, or a call that may be done twice. */
export type StatelessMethod = EventMethod | CallMethod<SchemaOrNone, SchemaOrNone, true>;

/** Methods that can go over datagrams, by name. */
export type StatelessMethods = Readonly<Record<string, StatelessMethod>>;

/**
 * A contract that can be kept over datagrams: the server offers events and idempotent calls, and the client offers nothing,
 * since without a session nobody could call it. Anything else does not compile.
 *
 * @example
 * ```ts
 * import { call, contract, event, type StatelessContract, typeOnly } from "zocalo/protocol";
 * const telemetry = contract("telemetry", "1.0.0", {
 *   server: {
 *     measured: event<{ celsius: number }>(),
 *     limits: call(undefined, typeOnly<{ celsius: number }>(), { idempotent: true }),
 *   },
 * }) satisfies StatelessContract;
 * console.log(telemetry.name); // telemetry
 * ```
 */
export type StatelessContract<Server extends StatelessMethods = StatelessMethods> = Contract<
  Server,
  Readonly<Record<string, never>>
>;

/** What a handler is told beside the message. There is no session: the next message may come from anybody. */
export interface StatelessContext {
  /** Who sent the datagram, as the packet says. It can be forged. */
  readonly from: Address;
  /** The server's address. */
  readonly localAddress: Address;
  /** Aborts when the server begins to close. */
  readonly draining: AbortSignal;
  /** Aborts when the server is closed: no answer is sent any more. */
  readonly signal: AbortSignal;
  /**
   * When the caller stops waiting, on the clock of the network (`performance.now()` on the kernel's); Infinity for never, and
   * for events.
   */
  readonly deadline: number;
  /** Milliseconds until `deadline`; Infinity for never. */
  readonly remainingMs: number;
  /** What the caller has sent along as `metadata`; an object without properties where that is nothing. It can be forged. */
  readonly metadata: Metadata;
}

/** A method of the server, as a function on the client. */
export type StatelessRemoteMethod<M> = M extends { readonly kind: "call" }
  ? (...args: MethodArguments<RequestInput<M>, RemoteCallOptions>) => Promise<ResponseOutput<M>>
  : (...args: MethodArguments<RequestInput<M>, RemoteCallOptions>) => Promise<void>;

/**
 * The methods of the server, as functions on the client.
 *
 * - A call is sent again, with pauses that grow, until it is answered or its time is up. It rejects with a `RemoteError` when
 *   the handler threw one; with `TIMEOUT` after `timeoutMs`, where `outcome` is `unknown` when it may have been handled; with
 *   the reason of `signal`; with `CONTRACT_UNKNOWN`, `VERSION_UNSUPPORTED` or `CODEC_UNSUPPORTED` when the server says that it
 *   speaks something else; with `DATAGRAM_TOO_LARGE`, `FRAME_INVALID`, `QUEUE_FULL` or `CLOSED`.
 * - An event is sent once, and resolves when the kernel has it: whether it arrives, once, twice or at all, nobody is told.
 *
 * A rejection that nobody looks at is not an unhandled rejection.
 */
export type StatelessRemoteMethods<Server extends StatelessMethods> = {
  readonly [K in keyof Server]: StatelessRemoteMethod<Server[K]>;
};

/** Refuses what a datagram cannot promise. @throws UsageError `UNSUPPORTED`. */
export function checkStateless(op: string, contract: Contract): void {
  const [offered] = Object.keys(contract.client);
  if (offered !== undefined) {
    throw unsupported(op, `the client offers "${offered}", and without a session the server cannot call it`);
  }
  for (const [name, method] of Object.entries(contract.server)) {
    if (method.kind === "stream") throw unsupported(op, `"${name}" is a stream`);
    if (method.kind === "call" && !method.idempotent) {
      throw unsupported(op, `"${name}" is not idempotent, and a request may arrive more than once`);
    }
  }
}

function unsupported(op: string, problem: string): UsageError {
  const detail = `${problem}; datagrams carry only events and calls with { idempotent: true }; use a session for others`;
  return new UsageError("UNSUPPORTED", { op, detail });
}

/** What a client has counted. */
export interface StatelessClientStats {
  /** Calls in flight now. */
  readonly calls: number;
  /** Calls that wait for their turn. */
  readonly waiting: number;
  /** Datagrams of calls that were sent because no answer had come. */
  readonly retransmissions: number;
  /** Datagrams that answer no call in flight, or make no sense. */
  readonly ignored: number;
  /** The smoothed round-trip time in milliseconds; undefined before the first answer. */
  readonly roundTripMs: number | undefined;
}

/** What every client has, whatever its contract. */
export interface StatelessClientBase extends AsyncDisposable {
  /** The own address. A server that moves is asked from another one. */
  readonly localAddress: Address;
  /** The server's address, as its name was looked up last. */
  readonly remoteAddress: Address;
  /** A snapshot of the counters. */
  readonly stats: StatelessClientStats;
  /** Resolves when the client is closed, and says how. Never rejects. */
  readonly closed: Promise<DatagramEnd>;
  /** Aborts when the client is closed. */
  readonly signal: AbortSignal;
  /** What ties it to this process: `ref` and `unref`. */
  readonly interop: Interop;
  /**
   * Takes no new calls and events, waits for the calls that are under way, and closes the datagram socket. When `timeoutMs`
   * (default 5000) is over, or `signal` aborts, the rest rejects with `CLOSED`; its `outcome` says whether it may have been
   * handled. A second call shares the first one's report, counted in calls; it may shorten the wait. Rejects with
   * `OPTION_INVALID` only.
   */
  close(options?: GracefulCloseOptions): Promise<CloseReport>;
  /** Closes at once: calls that are under way reject with `CLOSED`. */
  abort(reason?: unknown): void;
}

/**
 * A client of a contract over datagrams: what `connectStateless` answers. `await using` closes it, which takes 5 seconds at most.
 *
 * @example
 * ```ts
 * import { contract, event, type StatelessClient } from "zocalo/protocol";
 * const log = contract("log", "1.0.0", { server: { line: event<string>() } });
 * export async function tell(client: StatelessClient<typeof log.server>): Promise<void> {
 *   await client.remote.line("hola");
 * }
 * ```
 */
export interface StatelessClient<Server extends StatelessMethods> extends StatelessClientBase {
  /** The methods of the server, as functions; see {@link StatelessRemoteMethods}. Each may be taken off and passed on. */
  readonly remote: StatelessRemoteMethods<Server>;
}

/** What a server of a contract has counted, beside its datagram socket and its requests. */
export interface StatelessServerStats extends DatagramServerStats {
  /** Events of this contract that came. */
  readonly events: number;
  /** Calls of this contract whose handlers were started, repetitions of answered calls included. */
  readonly calls: number;
  /** Repetitions of calls whose handlers were still running; they were ignored. */
  readonly repeated: number;
  /** Callers that were asked to prove their address first, because the answer was long. */
  readonly retries: number;
  /** Calls and events of another contract or in an unknown codec. */
  readonly refused: number;
  /** Datagrams that are no request of this protocol; nothing is answered to them. */
  readonly invalid: number;
}

/**
 * A running server of a contract over datagrams. It keeps nothing about its clients, so it may be restarted at any time; only
 * while a handler runs is its call remembered, so that its repetitions are not started too. `close` and `abort` are those of
 * `serveDatagrams`: answers that are not sent by then are never sent, and the clients ask again until their time is up.
 *
 * `await using` closes it, which takes 5 seconds at most.
 *
 * @example
 * ```ts
 * import { contract, event, serveStateless } from "zocalo/protocol";
 * const log = contract("log", "1.0.0", { server: { line: event<string>() } });
 * await using server = await serveStateless(log, "udp://127.0.0.1:0", { handlers: { line: (text) => console.log(text) } });
 * console.log(server.stats.events); // 0
 * ```
 */
export interface StatelessServer extends DatagramServer {
  /** A snapshot of the counters. */
  readonly stats: StatelessServerStats;
}
