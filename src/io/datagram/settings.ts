/** How a datagram socket is opened, bounded and closed: what may be asked, what is the default, and why. */

import type { AddressLike } from "../../core/address/address.ts";
import {
  ANYTHING,
  countFrom,
  FLAG,
  FROM_ZERO,
  OPERATION_RULES,
  options as object,
  OVERFLOW,
  type OverflowPolicy,
  type RulesOf,
  SIGNAL,
  TEXT,
  wholeNumber,
} from "../../core/options/check-options.ts";
import type { OperationOptions } from "../operation/deadline.ts";

/** 65535 of the IPv4 total length (RFC 791 section 3.1), less 20 of its header and 8 of UDP's (RFC 768). */
export const MAX_IPV4_PAYLOAD_BYTES = 65_507;
/** 65535 of the IPv6 payload length (RFC 8200 section 3), less 8 of UDP's header. */
export const MAX_IPV6_PAYLOAD_BYTES = 65_527;

/** Limits of a datagram socket; each is there by default. */
export interface DatagramLimits {
  /**
   * Datagrams that may wait for `receive`. Default 4096: a burst that a busy program catches up with in some milliseconds.
   * Checked after each batch of the network, so that one batch more may be held for a moment.
   */
  readonly maxReceiveQueueDatagrams?: number | undefined;
  /**
   * Payload bytes that may wait for `receive`. Default 4194304 (4 MiB). One datagram is always kept, however large. What the
   * datagrams pin in memory beside their payload, about 320 bytes each, may be 2 MiB more.
   */
  readonly maxReceiveQueueBytes?: number | undefined;
  /** Datagrams that may wait in `send` calls that were not awaited; more rejects with `QUEUE_FULL`. Default 4096. */
  readonly maxSendQueueDatagrams?: number | undefined;
  /**
   * Payload bytes that may wait likewise. Default 4194304 (4 MiB). A single call is always accepted when nothing waits. What
   * the calls pin in memory beside the payload, about 1,000 bytes each, may be 2 MiB more: send many with one `sendMany`.
   */
  readonly maxSendQueueBytes?: number | undefined;
  /**
   * Largest payload in bytes; a larger one rejects with `DATAGRAM_TOO_LARGE` before the kernel is asked. Default: what UDP
   * can carry, 65507 to an IPv4 and 65527 to an IPv6 address (RFC 768 with RFC 791 and RFC 8200 section 3). Above about
   * 1200 the network may have to fragment, and losing one fragment loses the datagram (RFC 8085 section 3.2).
   */
  readonly maxDatagramBytes?: number | undefined;
}

/** What the kernel is told about a UDP socket. */
export interface UdpOptions {
  /**
   * Lets several sockets bind the address (SO_REUSEADDR). Default: true for a multicast group, where each of them gets
   * every datagram; false otherwise, because on Linux the newest socket would silently take the datagrams of the others.
   */
  readonly reuseAddress?: boolean | undefined;
  /** Several processes bind one port and the kernel spreads the senders over them (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean | undefined;
  /** On `[::]`, take IPv6 only. Default false: IPv4 peers come too, with their IPv4 addresses. */
  readonly ipv6Only?: boolean | undefined;
  /**
   * Size of the kernel's receive buffer in bytes; the kernel caps it (Linux: net.core.rmem_max). What it gave:
   * `udp.bufferSizes()`. Default of `bind`: the system's. Servers ask for 4194304 (4 MiB), since many send to them at a time,
   * and go on with less.
   */
  readonly receiveBufferBytes?: number | undefined;
  /** Size of the kernel's send buffer in bytes; the kernel caps it (Linux: net.core.wmem_max). Default: the system's. */
  readonly sendBufferBytes?: number | undefined;
}

/** Options of `bind`. `signal` and `timeoutMs` end the opening only; they never close an open datagram socket. */
export interface BindOptions extends OperationOptions {
  /**
   * Connects the datagram socket to one peer: only its datagrams arrive, `send` takes no address, and when its machine says
   * that nobody listens there (ICMP port unreachable) the next call rejects with `CONNECTION_REFUSED`. A name is looked up
   * once, now. No packet is sent: UDP has no handshake.
   */
  readonly remote?: AddressLike | undefined;
  /** Bounds of its queues and of one datagram. */
  readonly limits?: DatagramLimits | undefined;
  /**
   * What gives way when the receive queue is full. Default `drop-oldest`: datagrams age, and under overload the oldest
   * question is the one whose sender has already given up or asked again, so that answering the newest keeps a service
   * useful where answering in order would make every answer late.
   *
   * - `drop-oldest`, `drop-newest`: the oldest datagram in the queue is dropped, or the one that arrives.
   * - `block`: nothing is taken from the kernel until there is room; what it drops then, `udp.kernelDrops()` counts. Costs nothing
   *   under a flood. `UNSUPPORTED` on a runtime that cannot stop receiving.
   * - `strict`: no loss goes unnoticed. What is in the queue is still given out; then one call rejects with `QUEUE_FULL` and
   *   says how many datagrams were dropped at that place, and reception goes on.
   */
  readonly overflow?: OverflowPolicy | undefined;
  /** How long the addresses of a host name are used before it is looked up again, in milliseconds. Default 60000. */
  readonly dnsMaxAgeMs?: number | undefined;
  /** What the kernel is told about the socket. */
  readonly udp?: UdpOptions | undefined;
}

/** Options of `DatagramSocket.close`. */
export interface DatagramCloseOptions extends OperationOptions {
  /** Longest wait in milliseconds in which the kernel takes nothing of what was accepted. Default 2000; 0 drops it. */
  readonly lingerMs?: number | undefined;
}

/** Options of `collect`. */
export interface CollectOptions {
  /** How long it gathers, in milliseconds; 0 takes what is there, `Infinity` leaves the end to `max` or `until`. */
  readonly forMs: number;
  /** Ends it early when so many have come. Default 1024, so that strangers cannot make it grow. */
  readonly max?: number | undefined;
  /** Gives it up: the call rejects with the signal's reason, and what it has gathered stays for whoever receives next. */
  readonly signal?: AbortSignal | undefined;
  /** Ends it early and in order: the call resolves with what it has gathered. */
  readonly until?: AbortSignal | undefined;
}

/** What {@link CollectOptions} must look like. */
export const COLLECT_RULES: RulesOf<CollectOptions> = {
  forMs: { ...FROM_ZERO, required: true },
  max: countFrom(1),
  signal: SIGNAL,
  until: SIGNAL,
};

/** Which senders and which network interface a group is joined for. */
export interface GroupOptions {
  /** Where to join: an interface's name (`lo`, `eth0`) or one of its addresses. Default: the system chooses. */
  readonly interface?: string | undefined;
  /** Only datagrams of this sender, an IP address (source-specific multicast, RFC 4607). Default: any sender (RFC 1112). */
  readonly source?: string | undefined;
}

/** What {@link GroupOptions} must look like. */
export const GROUP_RULES: RulesOf<GroupOptions> = { interface: TEXT, source: TEXT };

/** Bounds of a queue. */
export interface QueueLimits {
  readonly maxDatagrams: number;
  readonly maxBytes: number;
}

/** Bounds of the receive queue, and what happens beyond them. */
export interface ReceiveQueueLimits extends QueueLimits {
  readonly policy: OverflowPolicy;
}

/** What a datagram socket works with. */
export interface DatagramSettings {
  readonly receiveQueue: ReceiveQueueLimits;
  readonly sendQueue: QueueLimits;
  readonly maxDatagramBytes: number;
  readonly dnsMaxAgeMs: number;
}

/** What {@link DatagramLimits} must look like. */
export const DATAGRAM_LIMIT_RULES: RulesOf<DatagramLimits> = {
  maxReceiveQueueDatagrams: countFrom(1),
  maxReceiveQueueBytes: countFrom(1),
  maxSendQueueDatagrams: countFrom(1),
  maxSendQueueBytes: countFrom(1),
  maxDatagramBytes: countFrom(1),
};
const LARGEST_INT = 2_147_483_647;

/** What servers ask for to receive in: some thousand datagrams, which come while the program does something else. */
export const SERVER_RECEIVE_BUFFER_BYTES = 4_194_304;

/** What {@link BindOptions} must look like. */
export const BIND_RULES: RulesOf<BindOptions> = {
  ...OPERATION_RULES,
  limits: object(DATAGRAM_LIMIT_RULES),
  overflow: OVERFLOW,
  dnsMaxAgeMs: FROM_ZERO,
  // Read as an address.
  remote: ANYTHING,
  udp: object({
    reuseAddress: FLAG,
    reusePort: FLAG,
    ipv6Only: FLAG,
    receiveBufferBytes: wholeNumber(1, LARGEST_INT),
    sendBufferBytes: wholeNumber(1, LARGEST_INT),
  } satisfies RulesOf<UdpOptions>),
};

/** What {@link DatagramCloseOptions} must look like. */
export const CLOSE_RULES: RulesOf<DatagramCloseOptions> = { ...OPERATION_RULES, lingerMs: FROM_ZERO };
export const DEFAULT_CLOSE_LINGER_MS = 2000;

const DEFAULT_DATAGRAMS = 4096;
const DEFAULT_BYTES = 4_194_304;
/** Names are looked up again after so long (docs/semantics.md, rule B1). */
export const DEFAULT_DNS_MAX_AGE_MS = 60_000;

/** Fills in the defaults. */
export function datagramSettings({ limits = {}, overflow, dnsMaxAgeMs }: BindOptions): DatagramSettings {
  return {
    receiveQueue: {
      maxDatagrams: limits.maxReceiveQueueDatagrams ?? DEFAULT_DATAGRAMS,
      maxBytes: limits.maxReceiveQueueBytes ?? DEFAULT_BYTES,
      policy: overflow ?? "drop-oldest",
    },
    sendQueue: {
      maxDatagrams: limits.maxSendQueueDatagrams ?? DEFAULT_DATAGRAMS,
      maxBytes: limits.maxSendQueueBytes ?? DEFAULT_BYTES,
    },
    maxDatagramBytes: limits.maxDatagramBytes ?? MAX_IPV6_PAYLOAD_BYTES,
    dnsMaxAgeMs: dnsMaxAgeMs ?? DEFAULT_DNS_MAX_AGE_MS,
  };
}
