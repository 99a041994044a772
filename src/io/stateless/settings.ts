/** How contracts go over datagrams: what may be asked of a client and of a server, what is the default, and why. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import {
  ANYTHING,
  FLAG,
  countFrom,
  FROM_ZERO,
  FUNCTION,
  OBJECT,
  oneOf,
  OPERATION_RULES,
  type OptionRule,
  options as object,
  POSITIVE,
  type RulesOf,
  wholeNumber,
} from "../../core/options/check-options.ts";
import { DEFAULT_TIMES, type RetransmissionTimes } from "../../core/stateless/exchange.ts";
import { SESSION_CODECS, type SessionCodec } from "../contract/format.ts";
import type { Interceptor, StatelessMessage } from "../contract/interceptor.ts";
import type { HandlersOption } from "../contract/methods.ts";
import type { ValidationPolicy } from "../contract/plan.ts";
import {
  DATAGRAM_SERVER_LIMIT_RULES,
  SERVE_DATAGRAMS_RULES,
  type DatagramServerLimits,
  type ServeDatagramsOptions,
} from "../datagram/server.ts";
import { MAX_IPV6_PAYLOAD_BYTES } from "../datagram/settings.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import type { OnError } from "../operation/peer-problems.ts";
import type { StatelessContext, StatelessMethods } from "./public.ts";

export type { RetransmissionTimes } from "../../core/stateless/exchange.ts";

/** Rule B4 (docs/semantics.md): what passes almost every network in one piece (RFC 8085 section 3.2, RFC 9000 section 14). */
export const DEFAULT_DATAGRAM_BYTES = 1200;
/** The rule of the option: less would hold no call. */
const DATAGRAM_BYTES: OptionRule = wholeNumber(128, MAX_IPV6_PAYLOAD_BYTES);

/** Limits of a client of contracts over datagrams. All are on by default. */
export interface StatelessClientLimits {
  /**
   * Calls in flight; later ones wait for their turn, and their time runs. Default 64. It stands in for congestion control
   * (RFC 8085 section 3.1.2): raise it only on networks that you know.
   */
  readonly maxCalls?: number | undefined;
  /** Calls that may wait for their turn; more reject with `QUEUE_FULL`. Default 1024. */
  readonly maxWaitingCalls?: number | undefined;
  /** Largest datagram in bytes; a larger one rejects with `DATAGRAM_TOO_LARGE` before the kernel is asked. Default 1200. */
  readonly maxDatagramBytes?: number | undefined;
}

/** Time-outs of a client of contracts over datagrams, in milliseconds. */
export interface StatelessTimeouts {
  /** The time-out of calls that name none. Default 30,000; `Infinity` for none. */
  readonly callMs?: number | undefined;
}

/** Options of `connectStateless`. `signal` and `timeoutMs` end the opening only: the look-up of a name. */
export interface ConnectStatelessOptions extends OperationOptions {
  /** The own address. Default: any, with a port that the system chooses. */
  readonly localAddress?: AddressLike | undefined;
  /** How values become bytes; the server answers in the same way. Default `msgpack`. */
  readonly codec?: SessionCodec | undefined;
  /** When values are checked against their schemas. Default `receive`: what the server answers. */
  readonly validate?: ValidationPolicy | undefined;
  /** Bounds of its calls and of one datagram. */
  readonly limits?: StatelessClientLimits | undefined;
  /** What ends its calls. */
  readonly timeouts?: StatelessTimeouts | undefined;
  /**
   * A host name is looked up again when something is sent so many milliseconds after the last time, so that a server may move.
   * Default 60,000. With a fixed port in `localAddress` it is looked up once.
   */
  readonly dnsMaxAgeMs?: number | undefined;
  /** Stands around each message to the server. Default: nothing. */
  readonly around?: Interceptor<StatelessMessage> | undefined;
  /** When a call is sent again. Default: at first after 1 second, then by what was measured; each pause is twice as long. */
  readonly retransmission?: Partial<RetransmissionTimes> | undefined;
}

/** What the options of `connectStateless` must look like. */
export const STATELESS_CLIENT_RULES: RulesOf<ConnectStatelessOptions> = {
  ...OPERATION_RULES,
  // Read as an address.
  localAddress: ANYTHING,
  codec: oneOf(...SESSION_CODECS),
  validate: oneOf("receive", "both", "none"),
  limits: object({
    maxCalls: countFrom(1),
    maxWaitingCalls: countFrom(0),
    maxDatagramBytes: DATAGRAM_BYTES,
  } satisfies RulesOf<StatelessClientLimits>),
  timeouts: object({ callMs: POSITIVE } satisfies RulesOf<StatelessTimeouts>),
  dnsMaxAgeMs: FROM_ZERO,
  around: FUNCTION,
  retransmission: object({
    initialDelayMs: POSITIVE,
    minDelayMs: POSITIVE,
    maxDelayMs: POSITIVE,
  } satisfies RulesOf<RetransmissionTimes>),
};

/** The limits and times of the calls of one client. */
export interface CallLimits {
  readonly callMs: number;
  readonly maxCalls: number;
  readonly maxWaitingCalls: number;
  readonly maxDatagramBytes: number;
  readonly times: RetransmissionTimes;
}

/** Fills in the defaults. */
export function callSettings(options: ConnectStatelessOptions): CallLimits {
  const { limits = {}, timeouts = {}, retransmission = {} } = options;
  return {
    callMs: timeouts.callMs ?? 30_000,
    maxCalls: limits.maxCalls ?? 64,
    maxWaitingCalls: limits.maxWaitingCalls ?? 1024,
    maxDatagramBytes: limits.maxDatagramBytes ?? DEFAULT_DATAGRAM_BYTES,
    times: { ...DEFAULT_TIMES, ...retransmission },
  };
}

/** Limits of a server of a contract over datagrams. All are on by default. */
export interface StatelessServerLimits
  extends Omit<DatagramServerLimits, "maxAmplification" | "maxRepliesPerSource" | "maxDatagramBytes"> {
  /**
   * Largest answer in bytes, the datagram's head included. A longer one is told to the caller as a `RemoteError` with the code
   * `DATAGRAM_TOO_LARGE`, and to `onError`. Default 1200: larger ones may be cut into fragments on the way, and then losing one
   * loses all (RFC 8085 section 3.2).
   */
  readonly maxDatagramBytes?: number | undefined;
}

/** Options of `serveStateless`, the handlers aside. */
export interface StatelessServerOptions extends Omit<ServeDatagramsOptions, "replies" | "onError" | "limits"> {
  /** When values are checked against their schemas. Default `receive`: what the clients send. */
  readonly validate?: ValidationPolicy | undefined;
  /** Stands around each message of a client, before its handler. Default: nothing. */
  readonly around?: Interceptor<StatelessMessage> | undefined;
  /** Counts the calls of `metrics()` by method and code, and how long handlers take. Default false: a clock is read twice for each. */
  readonly metrics?: boolean | undefined;
  /** Bounds of its queues, of one answer, and of its handlers. */
  readonly limits?: StatelessServerLimits | undefined;
  /**
   * Told of what nobody awaits: what a handler threw, an event that its schema does not allow, an answer that could not be
   * sent. Of what makes no sense, the first 100 in a second; then their number. The source is the address of the sender; it is missing for errors of the datagram socket.
   * Default: on the kernel's network the first failure that is no doing of a client is a warning of the process
   * (`ZOCALO_NO_ON_ERROR`); the channel `zocalo:error` has all.
   */
  readonly onError?: OnError<Address> | undefined;
}

/** All options of `serveStateless`: the handlers are required as soon as the contract's server offers anything. */
export type ServeStatelessOptions<Server extends StatelessMethods> = StatelessServerOptions &
  HandlersOption<Server, StatelessContext>;

/** Options whose types do not matter here. */
export type AnyServerOptions = StatelessServerOptions & { readonly handlers?: object | undefined };

const { replies: _replies, ...DATAGRAMS_RULES } = SERVE_DATAGRAMS_RULES;
const {
  maxAmplification: _factor,
  maxRepliesPerSource: _maxReplies,
  ...LIMIT_RULES
}: RulesOf<DatagramServerLimits> = {
  ...DATAGRAM_SERVER_LIMIT_RULES,
  maxDatagramBytes: DATAGRAM_BYTES,
};
/** What the options of `serveStateless` must look like. */
export const SERVE_STATELESS_RULES: RulesOf<AnyServerOptions> = {
  ...DATAGRAMS_RULES,
  handlers: OBJECT,
  validate: oneOf("receive", "both", "none"),
  around: FUNCTION,
  metrics: FLAG,
  limits: object(LIMIT_RULES),
};
