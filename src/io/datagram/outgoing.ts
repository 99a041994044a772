/** From what a program hands to `send` to a datagram for the network, checked. */

import type { Address } from "../../core/address/address.ts";
import { UsageError } from "../../core/errors.ts";
import type { DatagramInput } from "./public.ts";
import { MAX_IPV4_PAYLOAD_BYTES, MAX_IPV6_PAYLOAD_BYTES } from "./settings.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { OutgoingDatagram } from "../network/datagrams.ts";
import { textBytes } from "../operation/text-bytes.ts";

/** One datagram to `to`, or to the peer of a connected datagram socket. */
export function outgoing(
  data: DatagramInput | undefined,
  to: Address | undefined,
  peer: Address | undefined,
  maxDatagramBytes: number,
  context: (remote: string | undefined) => OperationContext,
): OutgoingDatagram {
  const receiver = to ?? peer;
  const here = (): OperationContext => context(receiver?.toString());
  const bytes = bytesOf(data, here);
  if (bytes === undefined) {
    const detail = "data must be a string, a Uint8Array, or an array of them";
    throw new UsageError("OPTION_INVALID", { ...here(), detail, outcome: "none" });
  }
  const most = Math.min(maxDatagramBytes, receiver?.family === 4 ? MAX_IPV4_PAYLOAD_BYTES : MAX_IPV6_PAYLOAD_BYTES);
  if (bytes.length > most) {
    const detail = `the datagram has ${bytes.length} bytes; at most ${most} fit into one to that address`;
    throw new UsageError("DATAGRAM_TOO_LARGE", { ...here(), detail, outcome: "none" });
  }
  return { data: bytes, to };
}

function bytesOf(data: DatagramInput | undefined, context: () => OperationContext): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data;
  if (typeof data === "string") return textBytes(data, "data", context);
  if (!Array.isArray(data)) return undefined;
  // A hole counts as undefined.
  const pieces = Array.from(data, (piece: unknown) => {
    return typeof piece === "string" || piece instanceof Uint8Array ? bytesOf(piece, context) : undefined;
  });
  return pieces.every((piece) => piece !== undefined) ? Buffer.concat(pieces) : undefined;
}

/** The bytes that a payload will have. */
export function lengthOf(data: DatagramInput): number {
  if (data instanceof Uint8Array) return data.length;
  if (typeof data === "string") return Buffer.byteLength(data, "utf8");
  let bytes = 0;
  for (const piece of Array.isArray(data) ? (data as readonly (string | Uint8Array)[]) : []) bytes += lengthOf(piece);
  return bytes;
}
