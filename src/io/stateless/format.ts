/** What the datagrams of one contract have in common. */

import type { Contract } from "../../core/contract/contract.ts";
import { UsageError } from "../../core/errors.ts";
import type { DatagramHead } from "../../core/stateless/datagram.ts";
import type { SessionCodec } from "../contract/format.ts";

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
