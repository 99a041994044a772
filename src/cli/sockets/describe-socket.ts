/** A connection in words, for `-v`. */

import type { Address, StreamEnd, StreamSocket, TlsInfo } from "../../index.ts";
import { visibleText } from "../terminal/visible-text.ts";

/** The facts of a connection for an event. */
export interface ConnectionFacts {
  readonly local: string;
  readonly remote: string;
  readonly family: string;
  readonly tls?: TlsFacts | undefined;
}

interface TlsFacts extends Pick<TlsInfo, "protocol" | "cipher" | "alpn" | "authorized" | "authorizationError"> {
  readonly certificate: string | undefined;
  readonly fingerprint256: string | undefined;
}

/** Addresses, family and TLS of a connection. */
export function connectionFacts(socket: StreamSocket): ConnectionFacts {
  const { localAddress, remoteAddress, tls } = socket;
  const names = { local: String(localAddress), remote: String(remoteAddress), family: familyOf(localAddress) };
  return tls === undefined ? names : { ...names, tls: tlsFacts(tls) };
}

/** The same in one line: `tcp://127.0.0.1:5000 with tcp://127.0.0.1:7000 (IPv4)`. */
export function connectionText(facts: ConnectionFacts): string {
  const { tls } = facts;
  const plain = `${facts.local} with ${facts.remote} (${facts.family})`;
  if (tls === undefined) return plain;
  const alpn = tls.alpn === undefined ? "" : `, ALPN ${tls.alpn}`;
  return `${plain}, ${tls.protocol} ${tls.cipher}${alpn}, ${certificateText(tls)}`;
}

/** How a connection came to its end, with the bytes that it carried. */
export function endFacts(socket: StreamSocket, end: StreamEnd): { readonly how: string } & Record<string, unknown> {
  const { bytesReceived, bytesSent } = socket;
  return { remote: String(socket.remoteAddress), how: end.how, code: end.error?.code, bytesReceived, bytesSent };
}

/** `IPv4`, `IPv6` or `Unix`. */
function familyOf(address: Address): string {
  return address.family === "unix" ? "Unix" : `IPv${address.family}`;
}

function tlsFacts(tls: TlsInfo): TlsFacts {
  const { protocol, cipher, alpn, authorized, authorizationError, peerCertificate } = tls;
  const certificate = peerCertificate?.subject;
  const fingerprint256 = peerCertificate?.fingerprint256;
  return { protocol, cipher, alpn, authorized, authorizationError, certificate, fingerprint256 };
}

function certificateText(tls: TlsFacts): string {
  if (tls.certificate === undefined) return "no certificate from the peer";
  const trust = tls.authorized ? "trusted" : `not trusted: ${tls.authorizationError ?? "unknown"}`;
  return `certificate "${visibleText(tls.certificate)}" (${trust})`;
}
