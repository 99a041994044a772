/** The limits of a mailbox, checked and complete. */

import { UsageError } from "../core/errors.ts";
import type { ReceiveQueueLimits } from "./datagram-inbound.ts";
import type { SendQueueLimits } from "./datagram-outbound.ts";
import type { MailboxLimits, ReceiveQueuePolicy } from "./datagram-socket.ts";
import { MAX_IPV6_PAYLOAD_BYTES } from "./outgoing.ts";

/** What a mailbox works with. */
export interface MailboxSettings {
  readonly receiveQueue: ReceiveQueueLimits;
  readonly sendQueue: SendQueueLimits;
  readonly maxDatagramBytes: number;
  readonly dnsMaxAgeMs: number;
}

const POLICIES: readonly ReceiveQueuePolicy[] = ["drop-oldest", "drop-newest", "block", "strict"];
const DEFAULT_DATAGRAMS = 4096;
const DEFAULT_BYTES = 4_194_304;
const DEFAULT_DNS_MAX_AGE_MS = 60_000;

/** Reads the limits of a mailbox; each has a default. */
export function mailboxSettings(options: MailboxLimits): MailboxSettings {
  const policy = options.receiveQueuePolicy ?? "drop-oldest";
  if (!POLICIES.includes(policy)) {
    const detail = `receiveQueuePolicy must be one of ${POLICIES.join(", ")}, not ${policy as string}`;
    throw new UsageError("OPTION_INVALID", { op: "bind", detail });
  }
  return {
    receiveQueue: {
      maxDatagrams: atLeast(1, "receiveQueueDatagrams", options.receiveQueueDatagrams, DEFAULT_DATAGRAMS),
      maxBytes: atLeast(1, "receiveQueueBytes", options.receiveQueueBytes, DEFAULT_BYTES),
      policy,
    },
    sendQueue: {
      maxDatagrams: atLeast(1, "sendQueueDatagrams", options.sendQueueDatagrams, DEFAULT_DATAGRAMS),
      maxBytes: atLeast(1, "sendQueueBytes", options.sendQueueBytes, DEFAULT_BYTES),
    },
    maxDatagramBytes: atLeast(1, "maxDatagramBytes", options.maxDatagramBytes, MAX_IPV6_PAYLOAD_BYTES),
    dnsMaxAgeMs: atLeast(0, "dnsMaxAgeMs", options.dnsMaxAgeMs, DEFAULT_DNS_MAX_AGE_MS),
  };
}

function atLeast(least: number, name: string, value: number | undefined, standard: number): number {
  if (value === undefined) return standard;
  if (typeof value === "number" && value >= least) return value;
  const detail = `${name} must be a number from ${least} on, or Infinity for no limit, not ${value}`;
  throw new UsageError("OPTION_INVALID", { op: "bind", detail });
}
