/**
 * What TLS may be asked for, checked before a socket is opened: what goes through to the engine unchecked ends the process there,
 * or fails each handshake.
 */

import { Address } from "../../core/address/address.ts";
import { isEncodable } from "../../core/bytes/utf8.ts";
import { UsageError } from "../../core/errors.ts";
import {
  ANY_TEXT,
  checkOptions,
  FLAG,
  OBJECT,
  oneOf,
  OPERATION_RULES,
  type OptionRule,
  type RulesOf,
  TEXT,
} from "../../core/options/check-options.ts";
import type { OperationContext, OperationOptions } from "../operation/deadline.ts";
import type { TlsIdentity, TlsOptions } from "../network/tls.ts";

/** RFC 7301 section 3.1: a name has a length of one byte, and all of them together one of two bytes. */
const LONGEST_PROTOCOL_NAME = 255;
const LONGEST_PROTOCOL_LIST = 65_535;

const isMaterial = (value: unknown): boolean =>
  (typeof value === "string" || value instanceof Uint8Array) && value.length > 0;
const MATERIAL: OptionRule = { wanted: "PEM text, or its bytes, that is not empty", holds: isMaterial };
const KEY: OptionRule = { ...MATERIAL, secret: true };
const MATERIALS: OptionRule = {
  wanted: "PEM text, its bytes, or an array of them, that is not empty",
  holds: (value) =>
    isMaterial(value) || (Array.isArray(value) && value.length > 0 && Array.from(value).every(isMaterial)),
};
const PASSPHRASE: OptionRule = { ...ANY_TEXT, secret: true };

const PROTOCOLS: OptionRule = {
  wanted: "an array of names of 1 to 255 bytes of UTF-8 each, all of them in 65535 bytes",
  holds: (value) => {
    if (!Array.isArray(value)) return false;
    const lengths = Array.from(value, (name) =>
      typeof name === "string" && isEncodable(name) ? Buffer.byteLength(name) : 0,
    );
    const whole = lengths.reduce((sum, length) => sum + 1 + length, 0);
    return lengths.every((length) => length > 0 && length <= LONGEST_PROTOCOL_NAME) && whole <= LONGEST_PROTOCOL_LIST;
  },
};

/** What {@link TlsOptions} must look like. */
export const TLS_RULES: RulesOf<TlsOptions> = {
  cert: MATERIAL,
  key: KEY,
  passphrase: PASSPHRASE,
  ca: MATERIALS,
  crl: MATERIALS,
  servername: {
    wanted: "a host name or an IP address",
    holds: (value) => typeof value === "string" && canonicalHost(value) !== undefined,
  },
  alpn: PROTOCOLS,
  insecure: FLAG,
  clientCertificate: oneOf("none", "ask", "require"),
  sni: OBJECT,
  minVersion: oneOf("TLSv1.2", "TLSv1.3"),
  ciphers: TEXT,
};

const IDENTITY_RULES: RulesOf<TlsIdentity> = {
  cert: { ...MATERIAL, required: true },
  key: { ...KEY, required: true },
  passphrase: PASSPHRASE,
};

/** Options of `StreamSocket.startTls`. */
export interface StartTlsOptions extends OperationOptions, TlsOptions {
  /** Which side of the handshake this program is. */
  readonly role: "client" | "server";
}

/** What {@link StartTlsOptions} must look like. */
export const START_TLS_RULES: RulesOf<StartTlsOptions> = {
  ...OPERATION_RULES,
  ...TLS_RULES,
  role: { ...oneOf("client", "server"), required: true },
};

/** The settings of a client, complete. */
export type ClientTls = TlsOptions & { readonly role: "client" };
/** The settings of a server, complete. */
export type ServerTls = TlsOptions & { readonly role: "server" };

/**
 * Completes the settings of a client that has connected to `host`; undefined when nobody knows its name. `path` stands before
 * the names of the options in errors. Throws `OPTION_INVALID`.
 */
export function clientTls(
  context: OperationContext,
  given: TlsOptions,
  host: string | undefined,
  path: string,
): ClientTls {
  checkPair(context, given, path);
  const servername = given.servername ?? host;
  if (servername === undefined && given.insecure !== true) {
    const detail = `${path}servername is missing: this connection was not made to a host name, so name the host of the certificate`;
    throw invalid(context, detail);
  }
  // RFC 6066 section 3: without the dot at the end of an absolute name.
  const name = servername === undefined ? {} : { servername: canonicalHost(servername) ?? servername };
  return { ...given, ...name, role: "client" };
}

/** Completes the settings of a server: it needs an identity to show. Throws `OPTION_INVALID`. */
export function serverTls(context: OperationContext, given: TlsOptions, path: string): ServerTls {
  checkPair(context, given, path);
  const sni = given.sni === undefined ? undefined : identitiesByName(context, given.sni, `${path}sni.`);
  if (given.cert === undefined && (sni === undefined || Object.keys(sni).length === 0)) {
    const detail = `a server needs a certificate: give ${path}cert and ${path}key, or identities in ${path}sni`;
    throw invalid(context, detail);
  }
  if (given.clientCertificate === "require" && given.ca === undefined) {
    const detail = `${path}clientCertificate "require" needs ${path}ca, the authority that signs the clients' certificates; without it any certificate of a public authority would be accepted`;
    throw invalid(context, detail);
  }
  return { ...given, ...(sni === undefined ? {} : { sni }), role: "server" };
}

function checkPair(context: OperationContext, { cert, key, passphrase, sni }: TlsOptions, path: string): void {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid(context, `${path}cert and ${path}key belong together; one of them is missing`);
  }
  if (passphrase !== undefined && key === undefined && sni === undefined) {
    throw invalid(context, `${path}passphrase works only with ${path}key`);
  }
}

/** The identities by the names as clients send them: in lower case, without a dot at the end. */
function identitiesByName(
  context: OperationContext,
  given: Readonly<Record<string, TlsIdentity>>,
  path: string,
): Readonly<Record<string, TlsIdentity>> {
  const identities = new Map<string, TlsIdentity>();
  for (const [entry, identity] of Object.entries(given)) {
    const wildcard = entry.startsWith("*.") ? "*." : "";
    const name = canonicalHost(entry.slice(wildcard.length));
    if (name === undefined) throw invalid(context, `${path}${entry} is no host name, nor one behind "*."`);
    if (identities.has(wildcard + name)) throw invalid(context, `${path}${entry} is there twice`);
    identities.set(wildcard + name, checkOptions(context, identity ?? null, IDENTITY_RULES, `${path}${entry}.`));
  }
  return Object.fromEntries(identities);
}

/** A host as it stands in a certificate: an IP address, or a name in lower case and without a dot at the end. */
function canonicalHost(text: string): string | undefined {
  try {
    return Address.parse({ transport: "tls", host: text, port: 0 }).host.replace(/\.$/, "");
  } catch {
    return undefined;
  }
}

function invalid(context: OperationContext, detail: string): UsageError {
  return new UsageError("OPTION_INVALID", { ...context, detail });
}
