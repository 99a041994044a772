import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Address } from "../../index.ts";
import { clientTls, serverTls } from "./tls-flags.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";

const folder = temporaryFolder();
const file = join(folder, "some.pem");
writeFileSync(file, "PEM");

const tls = Address.parse("tls://127.0.0.1:7000");
const tcp = Address.parse("tcp://127.0.0.1:7000");
const PEM = Buffer.from("PEM");

test("without TLS there are no settings, and every flag of TLS is refused", async () => {
  assert.equal(clientTls(tcp, {}), undefined);
  assert.equal(await serverTls(tcp, {}), undefined);
  for (const flags of [
    { cert: file },
    { key: file },
    { ca: file },
    { alpn: "a" },
    { insecure: true },
    { servername: "a" },
  ]) {
    assert.throws(() => clientTls(tcp, flags), { code: "OPTION_INVALID" });
  }
  await assert.rejects(serverTls(tcp, { selfSigned: true }), { detail: "--self-signed needs a tls:// address" });
});

test("a client's settings", () => {
  const flags = { ca: file, cert: file, key: file, servername: "a.example", alpn: "one, two", insecure: true };
  const settings = { ca: PEM, cert: PEM, key: PEM, servername: "a.example", alpn: ["one", "two"], insecure: true };
  assert.deepEqual(clientTls(tls, flags), settings);
  // An option that is undefined would hide the default of the library.
  assert.ok(!("servername" in (clientTls(tls, {}) ?? {})));
  assert.throws(() => clientTls(tls, { cert: file }), { detail: "--cert and --key belong together" });
  assert.throws(() => clientTls(tls, { ca: join(folder, "none") }), { detail: /--ca .*none: there is no such file/ });
});

test("a server's settings", async () => {
  const settings = await serverTls(tls, { cert: file, key: file, ca: file });
  assert.deepEqual(settings, { cert: PEM, key: PEM, ca: PEM, alpn: undefined, clientCertificate: "require" });
  await assert.rejects(serverTls(tls, {}), { code: "OPTION_INVALID" });
  await assert.rejects(serverTls(tls, { selfSigned: true, cert: file }), { code: "OPTION_INVALID" });
  const made = await serverTls(tls, { selfSigned: true });
  assert.match(String(made?.cert), /^-----BEGIN CERTIFICATE-----/);
});
