/**
 * The TLVs of a version 2 header (proxy-protocol.txt sections 2.2.1 to 2.2.8): splitting, checking and decoding.
 */

import { type Invalid, NO_DETAILS, type ProxyDetails, type ProxySsl, type ProxyTlv, proxyTlvTypes } from "./header.ts";

/** Section 2.2.5. */
const MAX_UNIQUE_ID_BYTES = 128;

/** Section 2.2.6: flags and verify result, before the sub-TLVs; in bytes. */
const SSL_FIXED_BYTES = 5;

const SSL_TEXTS = {
  version: 0x21,
  commonName: 0x22,
  cipher: 0x23,
  signatureAlgorithm: 0x24,
  keyAlgorithm: 0x25,
} as const;

/** Splits bytes into TLVs; the values are copies. Linear in the bytes. */
export function splitTlvs(bytes: Uint8Array, invalid: Invalid): ProxyTlv[] {
  const tlvs: ProxyTlv[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 3) throw invalid(`${bytes.length - at} bytes are left, too few for another TLV`);
    const type = bytes[at] ?? 0;
    const length = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    at += 3;
    if (length > bytes.length - at) {
      throw invalid(`${typeName(type)} claims ${length} bytes, ${bytes.length - at} are left`);
    }
    tlvs.push({ type, value: Uint8Array.from(bytes.subarray(at, at + length)) });
    at += length;
  }
  return tlvs;
}

/** Decodes the registered TLVs. A registered type stands at most once, except for NOOP. */
export function decodeTlvs(tlvs: readonly ProxyTlv[], invalid: Invalid): ProxyDetails {
  if (tlvs.length === 0) return NO_DETAILS;
  const single = byType(tlvs, Object.values(proxyTlvTypes), invalid);
  const text = (type: number): string | undefined => decodeText(type, single.get(type), invalid);
  const uniqueId = single.get(proxyTlvTypes.uniqueId);
  if (uniqueId !== undefined && uniqueId.length > MAX_UNIQUE_ID_BYTES) {
    throw invalid(`${typeName(proxyTlvTypes.uniqueId)} has ${uniqueId.length} bytes, more than ${MAX_UNIQUE_ID_BYTES}`);
  }
  const alpn = single.get(proxyTlvTypes.alpn);
  const ssl = single.get(proxyTlvTypes.ssl);
  return {
    alpn: alpn === undefined ? undefined : Buffer.from(alpn).toString("latin1"),
    authority: text(proxyTlvTypes.authority),
    uniqueId,
    ssl: ssl === undefined ? undefined : decodeSsl(ssl, invalid),
    networkNamespace: text(proxyTlvTypes.networkNamespace),
  };
}

/**
 * Verifies the checksum of a whole header, if it has one (section 2.2.3): CRC32C over all bytes of the header with the
 * four bytes of the checksum as zeros.
 */
export function verifyChecksum(header: Uint8Array, tlvsAt: number, tlvs: readonly ProxyTlv[], invalid: Invalid): void {
  const at = checksumOffset(tlvs);
  if (at === undefined) return;
  const sent = tlvs.find((tlv) => tlv.type === proxyTlvTypes.crc32c)?.value ?? new Uint8Array();
  if (sent.length !== 4) throw invalid(`the CRC32C checksum has ${sent.length} bytes instead of 4`);
  const zeroed = Uint8Array.from(header).fill(0, tlvsAt + at, tlvsAt + at + 4);
  if (crc32c(zeroed) !== Buffer.from(sent).readUInt32BE()) throw invalid("the CRC32C checksum does not match");
}

/** Where the value of the CRC32C TLV begins, counted from the first TLV; undefined when there is none. */
export function checksumOffset(tlvs: readonly ProxyTlv[]): number | undefined {
  let at = 0;
  for (const tlv of tlvs) {
    if (tlv.type === proxyTlvTypes.crc32c) return at + 3;
    at += 3 + tlv.value.length;
  }
  return undefined;
}

function decodeSsl(value: Uint8Array, invalid: Invalid): ProxySsl {
  if (value.length < SSL_FIXED_BYTES) {
    throw invalid(`${typeName(proxyTlvTypes.ssl)} has ${value.length} bytes, fewer than ${SSL_FIXED_BYTES}`);
  }
  const flags = value[0] ?? 0;
  const verifyResult = Buffer.from(value).readUInt32BE(1);
  const single = byType(splitTlvs(value.subarray(SSL_FIXED_BYTES), invalid), Object.values(SSL_TEXTS), invalid);
  const text = (type: number): string | undefined => decodeText(type, single.get(type), invalid);
  const certificateOnConnection = (flags & 0x02) !== 0;
  const certificateInSession = (flags & 0x04) !== 0;
  return {
    tls: (flags & 0x01) !== 0,
    certificateOnConnection,
    certificateInSession,
    verified: verifyResult === 0 && (certificateOnConnection || certificateInSession),
    verifyResult,
    version: text(SSL_TEXTS.version),
    commonName: text(SSL_TEXTS.commonName),
    cipher: text(SSL_TEXTS.cipher),
    signatureAlgorithm: text(SSL_TEXTS.signatureAlgorithm),
    keyAlgorithm: text(SSL_TEXTS.keyAlgorithm),
  };
}

/**
 * The values of some types. Two TLVs of one type are an error: two readers of one header could each believe another.
 */
function byType(tlvs: readonly ProxyTlv[], types: readonly number[], invalid: Invalid): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  for (const { type, value } of tlvs) {
    if (type === proxyTlvTypes.noop || !types.includes(type)) continue;
    if (values.has(type)) throw invalid(`${typeName(type)} stands twice`);
    values.set(type, value);
  }
  return values;
}

function decodeText(type: number, value: Uint8Array | undefined, invalid: Invalid): string | undefined {
  return value === undefined ? undefined : decodeUtf8(value, typeName(type), invalid);
}

function typeName(type: number): string {
  return `the TLV of type 0x${type.toString(16).padStart(2, "0")}`;
}

/** The polynomial 0x1EDC6F41 with its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  return value;
});

/** The checksum of some bytes, 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}

/** Throws on bytes that are not UTF-8, and keeps a byte order mark. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of some bytes; `what` names them in the error. */
export function decodeUtf8(bytes: Uint8Array, what: string, invalid: Invalid): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid(`${what} is not UTF-8`);
  }
}
