import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { makeRevocationList, testCertificates } from "../../test/fixtures/certificates.ts";
import type { TlsOptions } from "../io/network/tls.ts";
import { problemOf } from "./tls-context.ts";

const { authority, server } = await testCertificates();
const der = new X509Certificate(server.cert).raw;
const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const own = createPrivateKey(server.key);
const locked = own.export({ type: "pkcs8", format: "pem", cipher: "aes-128-cbc", passphrase: "open" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });
const failed = Object.assign(new Error("words"), { reason: "words" });

function told(options: TlsOptions, failure?: unknown): string | undefined {
  const problem = problemOf(options, failure);
  return problem === undefined ? undefined : `${problem.code} ${problem.detail("tls.")}`;
}

test("authorities: each piece holds a certificate, and each certificate can be read", () => {
  const good: readonly TlsOptions["ca"][] = [
    undefined,
    authority.cert,
    Buffer.from(authority.cert),
    `# comments\n${authority.cert}\n${server.cert}`,
    [authority.cert, Buffer.from(server.cert)],
    authority.cert.replaceAll("BEGIN CERTIFICATE", "BEGIN X509 CERTIFICATE").replaceAll("END CERT", "END X509 CERT"),
  ];
  for (const ca of good) assert.equal(told({ ca }), undefined);
  const none = /^CERTIFICATE_INVALID tls\.ca holds no certificate/;
  const bad: readonly (readonly [TlsOptions["ca"], RegExp])[] = [
    ["not a certificate", none],
    ["/etc/ssl/certs/ca.pem", none],
    [server.key, none],
    [authority.cert.slice(0, 200), none],
    [der, /^CERTIFICATE_INVALID tls\.ca holds no certificate; it is in DER, and must be in PEM/],
    [[authority.cert, "x"], none],
    [broken, /cannot be read: number 1 of 1 \(/],
    [`${authority.cert}\n${broken}`, /cannot be read: number 2 of 2 \(/],
  ];
  for (const [ca, says] of bad) {
    assert.match(told({ ca }) ?? "", says);
    // Also the second time.
    assert.match(told({ ca }) ?? "", says);
  }
});

test("the option is named because of which there is no context", async () => {
  const crl = await makeRevocationList(authority, []);
  const rows: readonly (readonly [TlsOptions, RegExp])[] = [
    [{ ...server, ciphers: "NONSENSE" }, /^OPTION_INVALID tls\.ciphers names no cipher/],
    [{ ...server, crl: "x" }, /^CERTIFICATE_INVALID tls\.crl holds no revocation list/],
    [{ ...server, crl: [crl, "x"] }, /^CERTIFICATE_INVALID tls\.crl holds no revocation list/],
    [{ cert: "x", key: server.key }, /^CERTIFICATE_INVALID tls\.cert holds no certificate, /],
    [{ cert: der, key: server.key }, /^CERTIFICATE_INVALID tls\.cert holds no certificate; it is in DER/],
    [{ cert: broken, key: server.key }, /^CERTIFICATE_INVALID tls\.cert holds a certificate that cannot be read/],
    [{ cert: server.cert, key: "x" }, /^CERTIFICATE_INVALID tls\.key holds no private key that can be read/],
    [{ cert: server.cert, key: server.cert }, /^CERTIFICATE_INVALID tls\.key holds no private key that can be read/],
    [
      { cert: server.cert, key: own.export({ type: "pkcs8", format: "der" }) },
      /^CERTIFICATE_INVALID tls\.key holds no private key; it is in DER/,
    ],
    [{ cert: server.cert, key: locked }, /^CERTIFICATE_INVALID tls\.key is encrypted; give its passphrase$/],
    [
      { cert: server.cert, key: locked, passphrase: "no" },
      /^CERTIFICATE_INVALID tls\.passphrase does not open the key$/,
    ],
    [{ cert: server.cert, key: authority.key }, /^CERTIFICATE_INVALID tls\.cert and tls\.key do not belong together/],
    [server, /^CERTIFICATE_INVALID tls\.cert and tls\.key cannot be used \(words\)/],
  ];
  for (const [options, says] of rows) assert.match(told(options, failed) ?? "", says);
});

test("a certificate and a key of different kinds make a context, and do not belong together", () => {
  assert.match(told({ cert: server.cert, key: rsa }) ?? "", /do not belong together/);
  assert.equal(told(server), undefined);
  assert.equal(told({ cert: server.cert, key: locked, passphrase: "open" }), undefined);
  assert.equal(told({ cert: `${server.cert}\n${authority.cert}`, key: Buffer.from(server.key) }), undefined);
});

test("nothing of a key is told", () => {
  for (const options of [
    { cert: server.cert, key: "secret words" },
    { cert: server.cert, key: `${server.key}secret` },
  ]) {
    assert.doesNotMatch(told(options, failed) ?? "", /secret/);
  }
});
