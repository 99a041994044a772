/** TLS handshakes that fail: what each side is told, whose fault it is, and which option to look at. */

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test, type TestContext } from "node:test";
import {
  connect,
  type DiagnosticEvent,
  type ErrorCode,
  type ErrorSide,
  listen,
  type TlsOptions,
  ZocaloError,
} from "../../../src/index.ts";
import { makeAuthority, makeIdentity, makeRevocationList, testCertificates } from "../../fixtures/certificates.ts";

const { authority, server } = await testCertificates();
const trusting = { ca: authority.cert };

/** One side's error; undefined where it hears of none. */
interface Told {
  readonly code: ErrorCode;
  readonly side: ErrorSide;
  readonly says: RegExp;
}

interface Row {
  readonly name: string;
  readonly serving?: TlsOptions;
  readonly calling?: TlsOptions;
  readonly client: Told | readonly ErrorCode[];
  readonly server: Told;
}

/** Does the handshake; what the client is told, at the latest by its first read, and what the server is. */
async function shakeHands(t: TestContext, { serving, calling }: Row): Promise<readonly [unknown, unknown]> {
  const listener = await listen("tls://127.0.0.1:0", { tls: { ...server, ...serving } });
  const local = listener.localAddress.toString();
  const heard = new Promise<unknown>((resolve) => {
    const hear = (message: unknown): void => {
      const event = message as DiagnosticEvent;
      if (event.local === local) resolve(event.error);
    };
    subscribe("zocalo:error", hear);
    t.after(() => unsubscribe("zocalo:error", hear));
  });
  // A server that has let the client in learns of its alert at the first read.
  const accepted = listener.accept().then(
    (peer) => peer.read(),
    () => heard,
  );
  const client = await connect(listener.localAddress, { tls: { ...trusting, ...calling } })
    .then((called) => called.readExactly(1).finally(() => called.abort()))
    .catch((error: unknown) => error);
  const told = await Promise.race([heard, accepted.catch((error: unknown) => error)]);
  await listener.close();
  return [client, told];
}

function assertTold(error: unknown, expected: Told | readonly ErrorCode[], who: string): void {
  assert.ok(error instanceof ZocaloError, `${who}: ${String(error)}`);
  if (Array.isArray(expected)) {
    assert.ok((expected as readonly ErrorCode[]).includes(error.code), `${who}: ${error.message}`);
    return;
  }
  const { code, side, says } = expected as Told;
  assert.deepEqual([error.code, error.side], [code, side], `${who}: ${error.message}`);
  assert.match(error.detail, says, who);
}

const failed = (says: RegExp): Told => ({ code: "TLS_FAILED", side: "remote", says });
const stranger = await makeIdentity(await makeAuthority("another"), { name: "stranger" });
const expired = await makeIdentity(authority, { name: "old", ips: ["127.0.0.1"], fromDays: -3, toDays: -1 });

const rows: readonly Row[] = [
  {
    name: "no cipher in common",
    serving: { ciphers: "TLS_AES_128_GCM_SHA256" },
    calling: { ciphers: "TLS_AES_256_GCM_SHA384" },
    client: failed(/cipher in common/),
    server: failed(/cipher in common/),
  },
  {
    name: "no protocol in common",
    serving: { alpn: ["chat"] },
    calling: { alpn: ["mail"] },
    client: failed(/`alpn`/),
    server: failed(/`alpn`/),
  },
  {
    name: "the client does not trust the server",
    calling: { ca: stranger.cert },
    client: { code: "CERTIFICATE_UNTRUSTED", side: "remote", says: /give its authority as `ca`$/ },
    server: failed(/^the peer closed the connection during the TLS handshake|^the TLS handshake failed/),
  },
  {
    name: "the certificate of the server has expired",
    serving: expired,
    client: { code: "CERTIFICATE_EXPIRED", side: "remote", says: /^the certificate has expired/ },
    server: failed(/^the peer closed the connection during the TLS handshake|^the TLS handshake failed/),
  },
  {
    name: "a client without the certificate that is required",
    serving: { ...trusting, clientCertificate: "require" },
    client: { code: "CERTIFICATE_REQUIRED", side: "local", says: /give `cert` and `key`$/ },
    server: { code: "CERTIFICATE_REQUIRED", side: "remote", says: /^the client showed no certificate/ },
  },
  {
    name: "a client with the certificate of a stranger",
    serving: { ...trusting, clientCertificate: "require" },
    calling: stranger,
    // Node judges it behind the handshake and cannot send an alert.
    client: ["CONNECTION_RESET"],
    server: { code: "CERTIFICATE_UNTRUSTED", side: "remote", says: /^no trusted authority/ },
  },
  {
    name: "a client that has no list of the authority",
    calling: { crl: await makeRevocationList(await makeAuthority("third"), []) },
    client: { code: "CERTIFICATE_INVALID", side: "local", says: /^`crl` has no list of the authority/ },
    server: failed(/^the peer closed the connection during the TLS handshake|^the TLS handshake failed/),
  },
];

for (const row of rows) {
  test(row.name, async (t) => {
    const [client, told] = await shakeHands(t, row);
    assertTold(client, row.client, "client");
    assertTold(told, row.server, "server");
  });
}
