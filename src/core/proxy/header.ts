/**
 * The PROXY protocol: how a proxy tells the server behind it who the client is, in a few bytes before everything else.
 * The specification is `proxy-protocol.txt` of HAProxy, versions 1 (a line of text) and 2 (binary).
 */
import type { Address } from "../address/address.ts";

/** One type-length-value item of a version 2 header (section 2.2). */
export interface ProxyTlv {
  /** The type, 0 to 255; the registered ones are in {@link proxyTlvTypes}. */
  readonly type: number;
  /** The bytes; at most 65,535. */
  readonly value: Uint8Array;
}

/**
 * The registered types of {@link ProxyTlv} (sections 2.2.1 to 2.2.7). 0xE0 to 0xEF are free for applications.
 *
 * @example
 * ```ts
 * import { Address, formatProxyHeader, proxyTlvTypes } from "zocalo";
 * const source = Address.parse("tcp://192.0.2.1:4000");
 * const destination = Address.parse("tcp://192.0.2.2:443");
 * const authority = { type: proxyTlvTypes.authority, value: Buffer.from("shop.example") };
 * console.log(formatProxyHeader({ version: 2, source, destination, tlvs: [authority] }).length); // 43
 * ```
 */
export const proxyTlvTypes = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  noop: 0x04,
  uniqueId: 0x05,
  ssl: 0x20,
  networkNamespace: 0x30,
} as const;

/** What the proxy says about the TLS connection between the client and itself (section 2.2.6). */
export interface ProxySsl {
  /** The client used TLS. */
  readonly tls: boolean;
  /** The client gave a certificate over the current connection. */
  readonly certificateOnConnection: boolean;
  /** The client gave a certificate at least once in the TLS session. */
  readonly certificateInSession: boolean;
  /** The client gave a certificate and the proxy found it valid. False when there was no certificate. */
  readonly verified: boolean;
  /** The result of the verification as sent; 0 also when there was no certificate, so prefer `verified`. */
  readonly verifyResult: number;
  /** The TLS version, as in `TLSv1.3`. */
  readonly version: string | undefined;
  /** The common name of the client's certificate. */
  readonly commonName: string | undefined;
  /** The name of the cipher, as in `ECDHE-RSA-AES128-GCM-SHA256`. */
  readonly cipher: string | undefined;
  /** The algorithm that signed the proxy's certificate, as in `RSA-SHA256`. */
  readonly signatureAlgorithm: string | undefined;
  /** The kind of key of the proxy's certificate, as in `RSA2048`. */
  readonly keyAlgorithm: string | undefined;
}

/**
 * What a proxy says about a connection that it passes on. What a version 1 header has no place for, and what the proxy left
 * out, is undefined.
 *
 * @example
 * ```ts
 * import { serve } from "zocalo";
 * await using server = await serve("tcp://127.0.0.1:0", async (peer) => {
 *   const { destination, authority, ssl } = peer.proxy ?? {};
 *   await peer.write(`${authority ?? "?"} at ${destination?.hostPort ?? "?"}, ${ssl?.commonName ?? "no certificate"}`);
 * }, { proxyProtocol: { from: ["127.0.0.1"] } });
 * console.log(server.localAddress.port > 0); // true
 * ```
 */
export interface ProxyHeader {
  /** 1 (text) or 2 (binary). */
  readonly version: 1 | 2;
  /**
   * `proxy`: the connection is made for a client. `local`: the proxy made it for itself, as for a health check, or
   * (version 1 `UNKNOWN`) it cannot say for whom; the addresses of the connection itself are the right ones.
   */
  readonly command: "proxy" | "local";
  /** The client; undefined when the header does not say: use the address of the connection itself. */
  readonly source: Address | undefined;
  /** The address that the client connected to; undefined when the header does not say. */
  readonly destination: Address | undefined;
  /** The application protocol that was negotiated, as in `h2` (one character per byte). */
  readonly alpn: string | undefined;
  /** The host name that the client asked for, in TLS the server name. The client chose it: do not trust it. */
  readonly authority: string | undefined;
  /** The proxy's id of the connection, at most 128 bytes. */
  readonly uniqueId: Uint8Array | undefined;
  /** The TLS connection between client and proxy. */
  readonly ssl: ProxySsl | undefined;
  /** The name of the network namespace. */
  readonly networkNamespace: string | undefined;
  /** Every TLV in the order sent; empty in version 1, and where the header has no addresses. */
  readonly tlvs: readonly ProxyTlv[];
}

/** The registered TLVs of a header, decoded. */
export type ProxyDetails = Pick<ProxyHeader, "alpn" | "authority" | "uniqueId" | "ssl" | "networkNamespace">;

/** The details of a header without TLVs. */
export const NO_DETAILS: ProxyDetails = Object.freeze({
  alpn: undefined,
  authority: undefined,
  uniqueId: undefined,
  ssl: undefined,
  networkNamespace: undefined,
});

/** A header that names no addresses. */
export function headerWithoutAddresses(version: 1 | 2, command: "proxy" | "local"): ProxyHeader {
  return { version, command, source: undefined, destination: undefined, ...NO_DETAILS, tlvs: [] };
}

/** The bytes with which every version 2 header begins (section 2.2). */
export const SIGNATURE: Uint8Array = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** Version 2: signature, version and command, family and protocol, length; in bytes. */
export const FIXED_BYTES = 16;

/** Version 2: the address block of two IPv4 addresses and ports, of two IPv6, of two paths; in bytes. */
export const ADDRESS_BYTES: Readonly<Record<1 | 2 | 3, number>> = { 1: 12, 2: 36, 3: 216 };

/** Version 2: each path of an AF_UNIX block, in bytes. */
export const UNIX_PATH_BYTES = 108;

/** Makes the error to throw when the bytes cannot be a header: what is wrong with them. */
export type Invalid = (problem: string) => Error;
