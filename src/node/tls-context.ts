/** From Zócalo's TLS settings to the platform's. */

import tls from "node:tls";
import type { TlsMaterial, TlsOptions } from "../io/tls.ts";

function material(value: TlsMaterial): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value);
}

function materials(value: TlsMaterial | readonly TlsMaterial[] | undefined): (string | Buffer)[] | undefined {
  if (value === undefined) return undefined;
  return (Array.isArray(value) ? (value as readonly TlsMaterial[]) : [value as TlsMaterial]).map(material);
}

/** The certificates, keys and trusted authorities of one side. Throws the platform's error when they do not fit. */
export function secureContext(options: TlsOptions): tls.SecureContext {
  const { cert, key, passphrase, ca, crl, ciphers, minVersion = "TLSv1.2" } = options;
  const settings: tls.SecureContextOptions = { minVersion };
  if (cert !== undefined) settings.cert = material(cert);
  if (key !== undefined) settings.key = material(key);
  if (passphrase !== undefined) settings.passphrase = passphrase;
  const authorities = materials(ca);
  if (authorities !== undefined) settings.ca = authorities;
  const lists = materials(crl);
  if (lists !== undefined) settings.crl = lists;
  if (ciphers !== undefined) settings.ciphers = ciphers;
  return tls.createSecureContext(settings);
}
