/** From Zócalo's TLS settings to the platform's. */

import tls from "node:tls";
import { UsageError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import type { TlsMaterial, TlsOptions } from "../io/network/tls.ts";
import { problemOf } from "./tls-material.ts";

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

function materials(value: TlsMaterial | readonly TlsMaterial[] | undefined): (string | Buffer)[] | undefined {
  if (value === undefined) return undefined;
  return (Array.isArray(value) ? (value as readonly TlsMaterial[]) : [value as TlsMaterial]).map(material);
}

/** The certificates, keys and trusted authorities of one side. Throws the platform's error when they do not fit. */
function secureContext(options: TlsOptions): tls.SecureContext {
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
