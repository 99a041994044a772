import { createPrivateKey, webcrypto } from "node:crypto";
import { X509Certificate, X509CrlGenerator } from "@peculiar/x509";
import { generate } from "selfsigned";

/*
 * Certificates for tests, made once per process: an authority, and identities that it has signed. Elliptic curves, because
 * their keys are made in a millisecond.
 */

/** A certificate and its key, in PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

const EC = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;
const DAY_MS = 86_400_000;

/** An authority of its own. */
export async function makeAuthority(name: string): Promise<Identity> {
  const made = await generate([{ name: "commonName", value: name }], {
    ...EC,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** What a certificate says. */
export interface CertificateRequest {
  /** Common name. */
  readonly name: string;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  /** Validity in days from now; the past is negative. Default: from yesterday to tomorrow. */
  readonly fromDays?: number;
  readonly toDays?: number;
}

/** A certificate that `authority` has signed. */
export async function makeIdentity(authority: Identity, request: CertificateRequest): Promise<Identity> {
  const { name, dns = [], ips = [], fromDays = -1, toDays = 1 } = request;
  const made = await generate([{ name: "commonName", value: name }], {
    ...EC,
    ca: { key: authority.key, cert: authority.cert },
    notBeforeDate: new Date(Date.now() + fromDays * DAY_MS),
    notAfterDate: new Date(Date.now() + toDays * DAY_MS),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          ...dns.map((value) => ({ type: 2 as const, value })),
          ...ips.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** The library leaves out a zero in front, without which the number is a negative one (X.690 section 8.3). */
function serialNumberOf(cert: string): string {
  const { serialNumber } = new X509Certificate(cert);
  return /^[89a-f]/i.test(serialNumber) ? `00${serialNumber}` : serialNumber;
}

/** The list of the certificates that an authority has taken back, in PEM. */
export async function makeRevocationList(authority: Identity, revoked: readonly Identity[]): Promise<string> {
  const key = createPrivateKey(authority.key).export({ format: "der", type: "pkcs8" });
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const crl = await X509CrlGenerator.create(
    {
      issuer: new X509Certificate(authority.cert).subject,
      thisUpdate: new Date(Date.now() - DAY_MS),
      nextUpdate: new Date(Date.now() + DAY_MS),
      entries: revoked.map(({ cert }) => ({ serialNumber: serialNumberOf(cert) })),
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      signingKey: await webcrypto.subtle.importKey("pkcs8", key, curve, false, ["sign"]),
    },
    webcrypto as Parameters<typeof X509CrlGenerator.create>[1],
  );
  return crl
    .toString("pem")
    .replaceAll("-----BEGIN CRL-----", "-----BEGIN X509 CRL-----")
    .replaceAll("-----END CRL-----", "-----END X509 CRL-----");
}

/** What most tests need: an authority, and a server on loopback that it vouches for. */
export interface TestCertificates {
  readonly authority: Identity;
  readonly server: Identity;
}

let made: Promise<TestCertificates> | undefined;

/** The certificates of this process. */
export function testCertificates(): Promise<TestCertificates> {
  made ??= (async () => {
    const authority = await makeAuthority("Zocalo test authority");
    const server = await makeIdentity(authority, { name: "server", dns: ["localhost"], ips: ["127.0.0.1", "::1"] });
    return { authority, server };
  })();
  return made;
}
