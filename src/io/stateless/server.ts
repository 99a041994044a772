/** The public contract of a server of a contract over datagrams. */

import type { Address } from "../../core/address/address.ts";
import type { DatagramServer, DatagramServerStats, ServeDatagramsOptions } from "../datagram/server.ts";
import type { HandlersOption } from "../contract/methods.ts";
import type { ValidationPolicy } from "../contract/plan.ts";
import type { StatelessContext, StatelessMethods } from "./methods.ts";

/** Options of `serveStateless`, the handlers aside. */
export interface StatelessServerOptions
  extends Omit<ServeDatagramsOptions, "replies" | "onError" | "maxDatagramBytes"> {
  /** When values are checked against their schemas. Default `receive`: what the clients send. */
  readonly validate?: ValidationPolicy | undefined;
  /**
   * Largest answer in bytes, the datagram's head included. A longer one is told to the caller as a `RemoteError` with the code
   * `DATAGRAM_TOO_LARGE`, and to `onError`. Default 1200: larger ones may be cut into fragments on the way, and then losing one
   * loses all (RFC 8085 section 3.2).
   */
  readonly maxDatagramBytes?: number | undefined;
  /**
   * Told of what nobody awaits: what a handler threw, an event that its schema does not allow, an answer that could not be
   * sent. Of what makes no sense, the first 100 in a second; then their number. `from` is missing for errors of the mailbox.
   * Default: nobody, but the channel `zocalo:error` has it.
   */
  readonly onError?: ((error: unknown, from: Address | undefined) => unknown) | undefined;
}

/** All options of `serveStateless`: the handlers are required as soon as the contract's server offers anything. */
export type ServeStatelessOptions<Server extends StatelessMethods> = StatelessServerOptions &
  HandlersOption<Server, StatelessContext>;

/** What a server of a contract has counted, beside its mailbox and its requests. */
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
 * while a handler runs is its call remembered, so that its repetitions are not started too. `drain` and `close` are those of
 * `serveDatagrams`: answers that are not sent by then are never sent, and the clients ask again until their time is up.
 *
 * `await using` drains it, at most 5 seconds.
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
