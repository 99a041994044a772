/** The limits of a datagram socket, checked and complete. */

import { countFrom, FROM_ZERO, oneOf, type RulesOf } from "../../core/options/check-options.ts";
import type { ReceiveQueueLimits } from "./inbound.ts";
import type { SendQueueLimits } from "./outbound.ts";
import type { DatagramLimits } from "./public.ts";
import { MAX_IPV6_PAYLOAD_BYTES } from "./outgoing.ts";

/** What a datagram socket works with. */
export interface DatagramSettings {
  readonly receiveQueue: ReceiveQueueLimits;
  readonly sendQueue: SendQueueLimits;
  readonly maxDatagramBytes: number;
  readonly dnsMaxAgeMs: number;
}

/** What {@link DatagramLimits} must look like. */
export const DATAGRAM_RULES: RulesOf<DatagramLimits> = {
  receiveQueueDatagrams: countFrom(1),
  receiveQueueBytes: countFrom(1),
  receiveQueuePolicy: oneOf("drop-oldest", "drop-newest", "block", "strict"),
  sendQueueDatagrams: countFrom(1),
  sendQueueBytes: countFrom(1),
  maxDatagramBytes: countFrom(1),
  dnsMaxAgeMs: FROM_ZERO,
};
const DEFAULT_DATAGRAMS = 4096;
const DEFAULT_BYTES = 4_194_304;
/** Names are looked up again after so long (docs/semantics.md, rule B1). */
export const DEFAULT_DNS_MAX_AGE_MS = 60_000;

/** Fills in the defaults. */
export function datagramSettings(options: DatagramLimits): DatagramSettings {
  return {
    receiveQueue: {
      maxDatagrams: options.receiveQueueDatagrams ?? DEFAULT_DATAGRAMS,
      maxBytes: options.receiveQueueBytes ?? DEFAULT_BYTES,
      policy: options.receiveQueuePolicy ?? "drop-oldest",
    },
    sendQueue: {
      maxDatagrams: options.sendQueueDatagrams ?? DEFAULT_DATAGRAMS,
      maxBytes: options.sendQueueBytes ?? DEFAULT_BYTES,
    },
    maxDatagramBytes: options.maxDatagramBytes ?? MAX_IPV6_PAYLOAD_BYTES,
    dnsMaxAgeMs: options.dnsMaxAgeMs ?? DEFAULT_DNS_MAX_AGE_MS,
  };
}
