/**
 * Reading a PROXY header of either version from the first bytes of a connection.
 */
import { ProtocolError } from "../errors.ts";
import type { ProxyHeader } from "./header.ts";
import { parseV1 } from "./parse-v1.ts";
import { parseV2 } from "./parse-v2.ts";

/** The longest version 2 header that is taken by default, in bytes; usual ones, with TLVs, have some hundred. */
const DEFAULT_MAX_PROXY_HEADER_BYTES = 4096;

/** Options of {@link parseProxyHeader}. */
export interface ProxyParseOptions {
  /**
   * The longest version 2 header that is taken, in bytes, its 16 fixed bytes included; default 4,096. A longer one is
   * refused as soon as its length is read. A version 1 line has at most 107 bytes by the specification.
   */
  readonly maxBytes?: number | undefined;
  /** The operation that an error names; default `accept`. */
  readonly op?: string | undefined;
  /** The address of the proxy, for errors. */
  readonly remote?: string | undefined;
}

/** A header, and how many bytes it takes; what follows is the client's. */
export interface ParsedProxyHeader {
  readonly header: ProxyHeader;
  /** In bytes, from the first one of the connection. */
  readonly length: number;
}

/**
 * Reads the PROXY header with which the bytes of a connection must begin.
 *
 * Give it all the bytes that came so far. It answers `undefined` when they are right so far and more are needed, and
 * throws at the first byte that cannot be part of a header, however the bytes are cut. (The part of a version 2 header
 * after its 16 fixed bytes is checked when it is complete; `maxBytes` bounds it.) It looks at no byte after the header.
 *
 * Call it for connections from trusted proxies only, and then always: a header that anyone may send lets anyone choose
 * an address.
 *
 * @throws ProtocolError `PROXY_HEADER_INVALID`: the detail says what is wrong; close the connection.
 */
export function parseProxyHeader(bytes: Uint8Array, options: ProxyParseOptions = {}): ParsedProxyHeader | undefined {
  const invalid = (problem: string): ProtocolError =>
    new ProtocolError("PROXY_HEADER_INVALID", {
      op: options.op ?? "accept",
      detail: `the peer did not send a valid PROXY protocol header: ${problem}`,
      remote: options.remote,
    });
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (first === 0x50) return parseV1(bytes, invalid);
  if (first === 0x0d) return parseV2(bytes, options.maxBytes ?? DEFAULT_MAX_PROXY_HEADER_BYTES, invalid);
  throw invalid(`it begins with byte 0x${first.toString(16).padStart(2, "0")}, as neither version does`);
}
