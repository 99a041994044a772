/**
 * Reading a PROXY header of either version from the first bytes of a connection.
 */
import { checkOptions, countFrom, type RulesOf, TEXT } from "../options/check-options.ts";
import { ProtocolError, UsageError } from "../errors.ts";
import { FIXED_BYTES, type ProxyHeader } from "./header.ts";
import { parseV1 } from "./parse-v1.ts";
import { parseV2 } from "./parse-v2.ts";

const OP = "parseProxyHeader";
const RULES: RulesOf<ProxyParseOptions> = {
  maxBytes: countFrom(FIXED_BYTES),
  op: TEXT,
  remote: TEXT,
};

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
  /** What it says. */
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
 * Servers that are told of their proxies with `proxyProtocol` do this by themselves. Call it where the bytes come in another
 * way, for connections from trusted proxies only, and then always: a header that anyone may send lets anyone choose an
 * address.
 *
 * @example
 * ```ts
 * import { parseProxyHeader } from "zocalo";
 * const bytes = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 4000 443\r\nGET / HTTP/1.1\r\n");
 * const found = parseProxyHeader(bytes);
 * console.log(String(found?.header.source), String(bytes.subarray(found?.length)).trim()); // tcp://192.0.2.1:4000 GET / HTTP/1.1
 * ```
 *
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 *
 * @throws ProtocolError `PROXY_HEADER_INVALID`: the detail says what is wrong; close the connection. UsageError
 *   `OPTION_INVALID`: these are no bytes, or an option is not valid.
 */
export function parseProxyHeader(bytes: Uint8Array, options: ProxyParseOptions = {}): ParsedProxyHeader | undefined {
  const { maxBytes = DEFAULT_MAX_PROXY_HEADER_BYTES, op = "accept", remote } = checkOptions({ op: OP }, options, RULES);
  if (!(bytes instanceof Uint8Array)) {
    throw new UsageError("OPTION_INVALID", { op: OP, detail: "bytes must be a Uint8Array" });
  }
  const invalid = (problem: string): ProtocolError => {
    const detail = `the peer did not send a valid PROXY protocol header: ${problem}`;
    return new ProtocolError("PROXY_HEADER_INVALID", { op, detail, remote });
  };
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (first === 0x50) return parseV1(bytes, invalid);
  if (first === 0x0d) return parseV2(bytes, maxBytes, invalid);
  throw invalid(`it begins with byte 0x${first.toString(16).padStart(2, "0")}, as neither version does`);
}
