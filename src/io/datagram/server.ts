/** The public contract of a stateless server on datagrams, and what its options must look like. */

import type { Address } from "../../core/address/address.ts";
import {
  countFrom,
  FUNCTION,
  numberFrom,
  oneOf,
  optionInvalid,
  options as object,
  type RulesOf,
} from "../../core/options/check-options.ts";
import type { DatagramInput, DatagramSocket, DatagramStats } from "./public.ts";
import { BIND_RULES, type BindOptions, DATAGRAM_LIMIT_RULES, type DatagramLimits } from "./settings.ts";
import type { NativeInterop } from "../operation/own-clock.ts";
import type { OnError } from "../operation/peer-problems.ts";
import type { CloseReport, CloseServerOptions, ServerEnd } from "../operation/graceful-close.ts";
import type { Datagram } from "../network/datagrams.ts";

/** One datagram in the hands of a handler. */
export interface DatagramRequest extends Datagram {
  /**
   * Longest reply in bytes that will be sent: under `guarded` `limits.maxAmplification` times the length of the request, else what
   * UDP can carry. Say in the reply that there is more, where the protocol can, as DNS does with TC (RFC 1035 section 4.1.1).
   */
  readonly maxReplyBytes: number;
  /**
   * Sends a datagram to the sender. Resolves when the kernel has it. Rejects as `DatagramSocket.send` does, and with
   * `DATAGRAM_TOO_LARGE` for more than `maxReplyBytes`. A rejection that nobody awaits goes to `onError`.
   */
  reply(data: DatagramInput): Promise<void>;
}

/** What a request has of its server. */
export interface DatagramContext {
  /** The server's address. */
  readonly localAddress: Address;
  /** Aborts when the server begins to close: finish what you are doing and return. */
  readonly draining: AbortSignal;
  /** Aborts when the server is closed: replies are not sent any more. */
  readonly signal: AbortSignal;
}

/** Serves one datagram. What it returns is sent to the sender; nothing is sent for `undefined`. */
export type DatagramHandler = (
  request: DatagramRequest,
  context: DatagramContext,
) => DatagramInput | undefined | void | Promise<DatagramInput | undefined | void>;

/** Limits of a server on datagrams. All are on by default. */
export interface DatagramServerLimits extends DatagramLimits {
  /**
   * Handlers that may run at a time. Default 1024. What arrives meanwhile waits in the receive queue; `overflow` decides when
   * that is full too.
   */
  readonly maxConcurrentRequests?: number | undefined;
  /**
   * Of `guarded` services: how many times the bytes of a request its reply may have, a number from 1 on. Default 3, what an
   * address that is not proved may get (RFC 9000 section 8.1): enough for most answers of DNS. With 1 an attacker who forges
   * the source gains nothing. Above 3 you help an attack, unless only clients that you know can send.
   */
  readonly maxAmplification?: number | undefined;
  /**
   * Of `guarded` services: replies to one source, an address and a port, in a row. Then it is not answered for a second, and
   * has as many again. Default 1000; after a minute without a reply it has all of them again. One forged datagram would make two
   * services answer each other for ever, and this ends it. Kept for the last 10,000 sources.
   */
  readonly maxRepliesPerSource?: number | undefined;
}

/** Options of `serveDatagrams`. */
export interface ServeDatagramsOptions extends Omit<BindOptions, "remote" | "limits"> {
  /** Bounds of its queues, of one datagram, and of its handlers. */
  readonly limits?: DatagramServerLimits | undefined;
  /**
   * `guarded` is for services that anybody can reach and that do not know their clients: a request gets at most one reply, of at
   * most three times its bytes (`limits.maxAmplification`); datagrams that cannot be requests (from a port below 1024, from the
   * own port number, from a group), and those of a source that has had its replies (`limits.maxRepliesPerSource`), are counted and
   * not handed over. That bounds amplification, and ends the conversations of two services that answer each other. Default `free`:
   * the handler decides, because many protocols need longer answers. Prove the sender's address before you send those.
   */
  readonly replies?: "free" | "guarded" | undefined;
  /**
   * Told of what a handler threw, of a reply that could not be sent, and of errors of the datagram socket (then without a request).
   * Default: on the kernel's network the first failure that is no doing of a client is a warning of the process
   * (`ZOCALO_NO_ON_ERROR`); the channel `zocalo:error` has all. Nothing here ever becomes an unhandled rejection.
   */
  readonly onError?: OnError<DatagramRequest> | undefined;
}

const { remote: _remote, ...DATAGRAM_RULES } = BIND_RULES;
/** What {@link DatagramServerLimits} must look like. */
export const DATAGRAM_SERVER_LIMIT_RULES: RulesOf<DatagramServerLimits> = {
  ...DATAGRAM_LIMIT_RULES,
  maxConcurrentRequests: countFrom(1),
  maxAmplification: numberFrom(1),
  maxRepliesPerSource: countFrom(1),
};
/** What {@link ServeDatagramsOptions} must look like. A server has many peers. */
export const SERVE_DATAGRAMS_RULES: RulesOf<ServeDatagramsOptions> = {
  ...DATAGRAM_RULES,
  limits: object(DATAGRAM_SERVER_LIMIT_RULES),
  replies: oneOf("free", "guarded"),
  onError: FUNCTION,
};

/** What an address that is not proved may get for each byte (RFC 9000 section 8.1). */
const DEFAULT_AMPLIFICATION = 3;

/** The options with every default in place. */
export interface RequestSettings {
  readonly onError: OnError<DatagramRequest> | undefined;
  readonly replies: "free" | "guarded";
  readonly maxConcurrentRequests: number;
  readonly maxDatagramBytes: number;
  readonly maxAmplification: number;
  readonly maxRepliesPerSource: number;
}

/** Fills in the defaults. Throws `OPTION_INVALID` for a limit without a meaning. */
export function requestSettings({ limits = {}, replies = "free", onError }: ServeDatagramsOptions): RequestSettings {
  const { maxConcurrentRequests = 1024, maxDatagramBytes = Number.POSITIVE_INFINITY } = limits;
  const unused = (["maxAmplification", "maxRepliesPerSource"] as const).find((name) => limits[name] !== undefined);
  if (unused !== undefined && replies !== "guarded") {
    throw optionInvalid({ op: "serveDatagrams" }, `limits.${unused} works only with replies: "guarded"`);
  }
  return {
    onError,
    replies,
    maxConcurrentRequests,
    maxDatagramBytes,
    maxAmplification: limits.maxAmplification ?? DEFAULT_AMPLIFICATION,
    maxRepliesPerSource: limits.maxRepliesPerSource ?? 1000,
  };
}

/** What a server has counted: its datagram socket, and its requests. */
export interface DatagramServerStats extends DatagramStats {
  /** Handlers that run now. */
  readonly requestsActive: number;
  /** Handlers that came to their end, those that failed included. */
  readonly requestsHandled: number;
  /** Handlers that threw, or whose returned reply could not be sent. */
  readonly requestsFailed: number;
  /** Datagrams that could not be requests, or whose source has had its replies (`guarded`). */
  readonly requestsRefused: number;
}

/** How `close` went, counted in handlers. */
export interface DatagramCloseReport extends CloseReport {
  /** Datagrams that had arrived and were not handed to a handler any more. */
  readonly dropped: number;
}

/**
 * A running server. `await using` closes it, which takes 5 seconds at most.
 *
 * @example
 * ```ts
 * import { bind, serveDatagrams } from "zocalo";
 * const server = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => data, { replies: "guarded" });
 * await using client = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
 * await client.send("eco");
 * console.log(String((await client.receive({ timeoutMs: 1_000 })).data)); // eco
 * console.log((await server.close()).cut, server.stats.requestsHandled); // 0 1
 * ```
 */
export interface DatagramServer extends AsyncDisposable {
  /** The address, with the port that the system chose. */
  readonly localAddress: Address;
  /** The datagram socket, for groups and other settings. Receiving from it takes requests away from the handler. */
  readonly socket: DatagramSocket;
  /** What it has counted so far. */
  readonly stats: DatagramServerStats;
  /** What ties it to this process: the object beneath (`dgram.Socket`), `ref` and `unref`. */
  readonly interop: NativeInterop;
  /** Aborts as soon as `close` or `abort` is called: a readiness check answers no from then on. */
  readonly draining: AbortSignal;
  /** Resolves when the server is closed, and says how. Never rejects. */
  readonly closed: Promise<ServerEnd>;
  /**
   * Its figures as text in the OpenMetrics format 1.0, which Prometheus reads: datagrams, bytes, drops of the queue and of the kernel, requests. Serve it with the content type
   * `application/openmetrics-text; version=1.0.0; charset=utf-8`. The guide has the whole list. Never rejects.
   */
  metrics(): Promise<string>;
  /**
   * Hands no more datagrams to the handler, tells those that run (`context.draining`), waits for them, then closes the
   * datagram socket. When `timeoutMs` (default 5000) is over, or `signal` aborts, `context.signal` aborts and the rest is left
   * behind: its replies reject with `CLOSED`. A second call shares the first one's report; it may shorten the wait. Rejects
   * with `OPTION_INVALID` only.
   */
  close(options?: CloseServerOptions): Promise<DatagramCloseReport>;
  /** Closes without waiting for handlers, and drops replies that the kernel has not taken; await `closed` for the end. */
  abort(reason?: unknown): void;
}
