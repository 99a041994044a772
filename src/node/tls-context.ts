/** From Zócalo's TLS settings to the platform's. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import tls from "node:tls";
import { type ErrorCode, UsageError } from "../core/errors.ts";
import type { TlsMaterial, TlsOptions } from "../io/network/tls.ts";
import type { OperationContext } from "../io/operation/deadline.ts";

const contexts = new WeakMap<TlsOptions, tls.SecureContext>();
/** Those of `sni`, by the entry's name. */
const namedContexts = new WeakMap<TlsOptions, Map<string, tls.SecureContext>>();

/** The context of an options object, made once: a listener uses one for all its connections. */
export function contextOf(options: TlsOptions): tls.SecureContext {
  let context = contexts.get(options);
  if (context === undefined) {
    context = secureContext(options);
    contexts.set(options, context);
  }
  return context;
}

/** The context of one identity in `sni`, made once. */
export function namedContextOf(options: TlsOptions, name: string): tls.SecureContext {
  const named = namedContexts.get(options) ?? new Map<string, tls.SecureContext>();
  namedContexts.set(options, named);
  const context = named.get(name) ?? secureContext({ ...options, ...options.sni?.[name] });
  named.set(name, context);
  return context;
}

/**
 * Makes the contexts of these settings, and throws a `UsageError` that names the option when they do not do. `path` stands
 * before the names of the options.
 */
export function checkTls(options: TlsOptions, context: OperationContext, path: string): void {
  const missing = passedOver(options);
  if (missing !== undefined) throw new UsageError("UNSUPPORTED", { ...context, detail: `${path}${missing}` });
  checkIdentity(options, context, path, () => contextOf(options));
  for (const [name, identity] of Object.entries(options.sni ?? {})) {
    const own = { ...options, ...identity };
    checkIdentity(own, context, `${path}sni.${name}.`, () => namedContextOf(options, name));
  }
}

/** An option that this runtime would take and pass over, in the words of the error. */
function passedOver({ crl, ciphers }: TlsOptions): string | undefined {
  const { deno, bun } = process.versions;
  if (deno === undefined && bun === undefined) return undefined;
  if (crl !== undefined) return "crl does not work on this runtime, which looks at no revocation lists; Node does";
  // Bun heeds the list for TLS 1.2; the suites of 1.3 have names of their own (RFC 8446 section B.4).
  if (ciphers === undefined || (deno === undefined && !ciphers.includes("TLS_"))) return undefined;
  return `ciphers does not work on this runtime${deno === undefined ? " for TLS 1.3" : ""}; leave it out, or use Node`;
}

function checkIdentity(options: TlsOptions, context: OperationContext, path: string, make: () => unknown): void {
  let cause: unknown;
  try {
    make();
  } catch (error) {
    cause = error;
  }
  const problem = problemOf(options, cause);
  if (problem === undefined) return;
  throw new UsageError(problem.code, { ...context, side: "local", detail: problem.detail(path), cause });
}

function material(value: TlsMaterial): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value);
}

function listOf(value: TlsMaterial | readonly TlsMaterial[]): readonly TlsMaterial[] {
  return Array.isArray(value) ? (value as readonly TlsMaterial[]) : [value as TlsMaterial];
}

/** The certificates, keys and trusted authorities of one side. Throws the platform's error when they do not fit. */
function secureContext(options: TlsOptions): tls.SecureContext {
  const { cert, key, passphrase, ca, crl, ciphers, minVersion = "TLSv1.2" } = options;
  const settings: tls.SecureContextOptions = { minVersion };
  if (cert !== undefined) settings.cert = material(cert);
  if (key !== undefined) settings.key = material(key);
  if (passphrase !== undefined) settings.passphrase = passphrase;
  if (ca !== undefined) settings.ca = listOf(ca).map(material);
  if (crl !== undefined) settings.crl = listOf(crl).map(material);
  if (ciphers !== undefined) settings.ciphers = ciphers;
  return tls.createSecureContext(settings);
}

/** What is wrong with which option; `detail` begins with its name, behind which `path` stands. */
interface MaterialProblem {
  readonly code: ErrorCode;
  readonly detail: (path: string) => string;
}

/** A certificate in PEM, as OpenSSL reads them (openssl-x509(1)). */
const CERTIFICATES = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[\s\S]*?-----END \1-----/g;
/** The first byte of a certificate or a key in DER: an ASN.1 sequence. */
const DER = "\x30";

/** The authorities that were looked at last: many connections trust the same. */
let trusted: TlsOptions["ca"];

/**
 * The problem of settings from which the platform made a context, or could not and threw `failure`; undefined when there is
 * none. OpenSSL passes over authorities that it cannot read, and over a certificate and a key of different kinds.
 */
export function problemOf(options: TlsOptions, failure: unknown): MaterialProblem | undefined {
  const { ca } = options;
  if (ca !== trusted) {
    for (const authorities of ca === undefined ? [] : listOf(ca)) {
      const problem = certificateProblem(authorities);
      if (problem !== undefined) return invalid((path) => `${path}ca ${problem}`);
    }
    trusted = ca;
  }
  if (failure === undefined) return fitTogether(options) ? undefined : MISFITS;
  return blame(options, reasonOf(failure));
}

/** Which option it is because of which the platform makes no context. */
function blame(options: TlsOptions, reason: string): MaterialProblem {
  const { cert, key, passphrase, crl, ciphers } = options;
  if (ciphers !== undefined && refuses({ ciphers })) {
    return { code: "OPTION_INVALID", detail: (path) => `${path}ciphers names no cipher that this platform has` };
  }
  if (crl !== undefined && refuses({ crl: listOf(crl).map(textOf) })) {
    return invalid((path) => `${path}crl holds no revocation list; it must be PEM (-----BEGIN X509 CRL-----)`);
  }
  const unreadable = cert === undefined ? undefined : certificateProblem(cert);
  if (unreadable !== undefined) return invalid((path) => `${path}cert ${unreadable}`);
  const locked = key === undefined ? undefined : keyProblem(key, passphrase);
  if (locked !== undefined) return invalid((path) => `${path}${locked}`);
  if (!fitTogether(options)) return MISFITS;
  return invalid((path) => `${path}cert and ${path}key cannot be used (${reason}); renew them`);
}

const MISFITS = invalid(
  (path) => `${path}cert and ${path}key do not belong together; give the key of that certificate`,
);

function invalid(detail: MaterialProblem["detail"]): MaterialProblem {
  return { code: "CERTIFICATE_INVALID", detail };
}

/** Whether the platform makes no context of this alone. */
function refuses(settings: tls.SecureContextOptions): boolean {
  try {
    tls.createSecureContext(settings);
    return false;
  } catch {
    return true;
  }
}

/** In the words behind the name of the option. */
function certificateProblem(given: TlsMaterial): string | undefined {
  const text = textOf(given);
  const found = text.match(CERTIFICATES) ?? [];
  if (found.length === 0) {
    const form = text.startsWith(DER) ? "; it is in DER, and must be in PEM" : ", as PEM has it behind";
    return `holds no certificate${form} (-----BEGIN CERTIFICATE-----)`;
  }
  for (const [index, one] of found.entries()) {
    try {
      void new X509Certificate(one);
    } catch (error) {
      return `holds a certificate that cannot be read: number ${index + 1} of ${found.length} (${reasonOf(error)})`;
    }
  }
  return undefined;
}

/** With the name of the option. */
function keyProblem(key: TlsMaterial, passphrase: string | undefined): string | undefined {
  try {
    createPrivateKey({ key: textOf(key), ...(passphrase === undefined ? {} : { passphrase }) });
    return undefined;
  } catch {
    const text = textOf(key);
    if (/ENCRYPTED/.test(text)) {
      return passphrase === undefined ? "key is encrypted; give its passphrase" : "passphrase does not open the key";
    }
    const form = text.startsWith(DER) ? "; it is in DER, and must be in PEM" : " that can be read";
    return `key holds no private key${form} (-----BEGIN PRIVATE KEY-----)`;
  }
}

function fitTogether({ cert, key, passphrase }: TlsOptions): boolean {
  if (cert === undefined || key === undefined) return true;
  try {
    const own = createPrivateKey({ key: textOf(key), ...(passphrase === undefined ? {} : { passphrase }) });
    return new X509Certificate(textOf(cert)).checkPrivateKey(own);
  } catch {
    // The platform has read them in its way, or the problem is another one.
    return true;
  }
}

function textOf(given: TlsMaterial): string {
  return typeof given === "string" ? given : Buffer.from(given).toString("latin1");
}

function reasonOf(error: unknown): string {
  const { reason, message } = error as { readonly reason?: unknown; readonly message?: unknown };
  return String(reason ?? message);
}
