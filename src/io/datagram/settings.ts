/** The limits of a datagram socket, checked and complete. */

import { countFrom, type RulesOf } from "../../core/options/check-options.ts";
import type { ReceiveQueueLimits } from "./inbound.ts";
import type { SendQueueLimits } from "./outbound.ts";
import type { BindOptions, DatagramLimits } from "./public.ts";
import { MAX_IPV6_PAYLOAD_BYTES } from "./outgoing.ts";

/** What a datagram socket works with. */
export interface DatagramSettings {
  readonly receiveQueue: ReceiveQueueLimits;
  readonly sendQueue: SendQueueLimits;
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
