/** What the datagrams of one contract have in common. */

import type { Contract } from "../../core/contract/contract.ts";
import { UsageError } from "../../core/errors.ts";
import type { DatagramHead } from "../../core/stateless/datagram.ts";
import { type OptionRule, wholeNumber } from "../../core/options/check-options.ts";
import { MAX_IPV6_PAYLOAD_BYTES } from "../datagram/settings.ts";
import type { SessionCodec } from "../contract/format.ts";

/** Rule B4 (docs/semantics.md): what passes almost every network in one piece (RFC 8085 section 3.2, RFC 9000 section 14). */
export const DEFAULT_DATAGRAM_BYTES = 1200;
/** The rule of the option: less would hold no call. */
export const DATAGRAM_BYTES: OptionRule = wholeNumber(128, MAX_IPV6_PAYLOAD_BYTES);

/** The codecs by their numbers in a datagram; none has the number 0. */
const CODECS: readonly (SessionCodec | undefined)[] = [undefined, "msgpack", "json", "bytes"];

/** The codec of a number; undefined for an unknown one. */
export function codecOf(number: number): SessionCodec | undefined {
  return CODECS[number];
}

/** The head of the datagrams of a contract in a codec. */
export function headOf(contract: Contract, codec: SessionCodec): DatagramHead {
  return { codec: CODECS.indexOf(codec), hash: BigInt(`0x${contract.hash}`) };
}

/** The error of a datagram that would be larger than the limit. */
export function tooLarge(op: string, bytes: number, maxBytes: number, remote: string): UsageError {
  const detail = `it would need a datagram of ${bytes} bytes, and ${maxBytes} is the limit; send less, or use a session`;
  return new UsageError("DATAGRAM_TOO_LARGE", { op, detail, remote, outcome: "none" });
}
