/** The public contract of a client of a contract over datagrams. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import type { RetransmissionTimes } from "../../core/stateless/round-trip.ts";
import type { DatagramEnd } from "../datagram/socket.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import type { SessionCodec } from "../contract/format.ts";
import type { ValidationPolicy } from "../contract/plan.ts";
import type { StatelessMethods, StatelessRemoteMethods } from "./methods.ts";

export type { RetransmissionTimes } from "../../core/stateless/round-trip.ts";

/** Options of `statelessClient`. `signal` and `timeoutMs` end the opening only: the look-up of a name. */
export interface StatelessClientOptions extends OperationOptions {
  /** The own address. Default: any, with a port that the system chooses. */
  readonly localAddress?: AddressLike | undefined;
  /** How values become bytes; the server answers in the same way. Default `msgpack`. */
  readonly codec?: SessionCodec | undefined;
  /** When values are checked against their schemas. Default `receive`: what the server answers. */
  readonly validate?: ValidationPolicy | undefined;
  /** The time-out of calls that name none, in milliseconds. Default 30,000; `Infinity` for none. */
  readonly callTimeoutMs?: number | undefined;
  /**
   * Calls in flight; later ones wait for their turn, and their time runs. Default 64. It stands in for congestion control
   * (RFC 8085 section 3.1.2): raise it only on networks that you know.
   */
  readonly maxCalls?: number | undefined;
  /** Calls that may wait for their turn; more reject with `QUEUE_FULL`. Default 1024. */
  readonly maxWaitingCalls?: number | undefined;
  /** Largest datagram in bytes; a larger one rejects with `DATAGRAM_TOO_LARGE` before the kernel is asked. Default 1200. */
  readonly maxDatagramBytes?: number | undefined;
  /**
   * A host name is looked up again when something is sent so many milliseconds after the last time, so that a server may move.
   * Default 60,000. With a fixed port in `localAddress` it is looked up once.
   */
  readonly dnsMaxAgeMs?: number | undefined;
  /** When a call is sent again. Default: at first after 1 second, then by what was measured; each pause is twice as long. */
  readonly retransmission?: Partial<RetransmissionTimes> | undefined;
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

/** The client itself, the methods of the server aside. */
export interface StatelessClientBase extends AsyncDisposable {
  /** The own address. A server that moves is asked from another one. */
  readonly localAddress: Address;
  /** The server's address, as its name was looked up last. */
  readonly remoteAddress: Address;
  /** A snapshot of the counters. */
  readonly stats: StatelessClientStats;
  /** Resolves when the client is closed. Never rejects. */
  readonly closed: Promise<DatagramEnd>;
  /** Aborts when the client is closed. */
  readonly signal: AbortSignal;
  /** Closes the mailbox. Pending calls reject with `CLOSED`; their `outcome` says whether they may have been handled. */
  close(): Promise<void>;
  /** Lets the open mailbox keep the process alive (the default). */
  ref(): this;
  /** Lets the process end although the mailbox is open. */
  unref(): this;
}

/**
 * A client of a contract over datagrams: what `statelessClient` answers. The methods of the server are functions on it; see
 * {@link StatelessRemoteMethods}. `await using` closes it.
 *
 * @example
 * ```ts
 * import { contract, event, type StatelessClient } from "zocalo/protocol";
 * const log = contract("log", "1.0.0", { server: { line: event<string>() } });
 * export async function tell(client: StatelessClient<typeof log.server>): Promise<void> {
 *   await client.line("hola");
 * }
 * ```
 */
export type StatelessClient<Server extends StatelessMethods> = StatelessClientBase & StatelessRemoteMethods<Server>;
