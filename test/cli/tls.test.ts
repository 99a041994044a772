import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { makeIdentity, testCertificates } from "../fixtures/certificates.ts";
import { run, serving } from "./program.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

interface Files {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

async function certificateFiles(t: TestContext): Promise<Files> {
  const folder = temporaryFolder(t);
  const { authority, server } = await testCertificates();
  const client = await makeIdentity(authority, { name: "client" });
  const texts = {
    ca: authority.cert,
    cert: server.cert,
    key: server.key,
    clientCert: client.cert,
    clientKey: client.key,
  };
  const paths = Object.entries(texts).map(async ([name, text]) => {
    const path = join(folder, `${name}.pem`);
    await writeFile(path, text);
    return [name, path];
  });
  return Object.fromEntries(await Promise.all(paths)) as Files;
}

test("a server with a certificate, clients that trust its authority, nobody, or everybody", async (t) => {
  const { ca, cert, key } = await certificateFiles(t);
  const { address } = await serving(t, ["tls://127.0.0.1:0", "--cert", cert, "--key", key, "--reply", "upper"]);
  const trusting = await run(t, ["connect", address, "--ca", ca], { input: "hola" });
  assert.deepEqual({ code: trusting.code, stdout: trusting.stdout }, { code: 0, stdout: "HOLA" });
  const wary = await run(t, ["connect", address]);
  assert.equal(wary.code, 1);
  assert.match(wary.stderr, /^zocalo: CERTIFICATE_UNTRUSTED tls:\S+: .*--ca FILE.*--insecure\n$/);
  const careless = await run(t, ["connect", address, "--insecure", "-v"], { input: "hola" });
  assert.deepEqual({ code: careless.code, stdout: careless.stdout }, { code: 0, stdout: "HOLA" });
  assert.match(
    careless.stderr,
    /^connected: tls:\S+ with tls:\S+ \(IPv4\), TLSv1\.3 \S+, certificate "server" \(not trusted: \S+\)$/m,
  );
  const named = await run(t, ["connect", address, "--ca", ca, "--servername", "elsewhere.example"]);
  assert.equal(named.code, 1);
  assert.match(named.stderr, /^zocalo: CERTIFICATE_NAME_MISMATCH .*--servername NAME\n$/);
});

test("names that TLS cannot carry are told before anything is sent", async (t) => {
  for (const flag of ["--alpn=h2,", "--alpn=", `--alpn=${"x".repeat(256)}`, "--servername=", "--servername=a b"]) {
    for (const words of [["connect"], ["send", "hola"]] as const) {
      const [command, ...text] = words;
      const { code, stderr } = await run(t, [command, flag, "tls://127.0.0.1:1", ...text]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^zocalo: OPTION_INVALID tls:\/\/127\.0\.0\.1:1: --(?:alpn|servername) \w+ must be /);
    }
  }
  const listening = await run(t, ["listen", "tls://127.0.0.1:0", "--self-signed", "--alpn=h2,"]);
  assert.equal(listening.code, 2);
  assert.match(listening.stderr, /--alpn \w+ must be an array of names of 1 to 255 bytes/);
});

test("--self-signed makes a certificate for the run", async (t) => {
  const { address } = await serving(t, ["tls://127.0.0.1:0", "--self-signed", "--reply", "echo"]);
  const { code, stdout } = await run(t, ["send", address, "hola", "--insecure"]);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "hola\n" });
  assert.equal((await run(t, ["send", address, "hola"])).code, 1);
});

test("with --ca a server wants a certificate of that authority from its clients", async (t) => {
  const { ca, cert, key, clientCert, clientKey } = await certificateFiles(t);
  const tls = ["--cert", cert, "--key", key, "--ca", ca];
  const { address } = await serving(t, ["tls://127.0.0.1:0", ...tls, "--reply", "echo"]);
  const known = await run(t, ["send", address, "hola", "--ca", ca, "--cert", clientCert, "--key", clientKey]);
  assert.deepEqual({ code: known.code, stdout: known.stdout }, { code: 0, stdout: "hola\n" });
  const unknown = await run(t, ["send", address, "hola", "--ca", ca]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^zocalo: (CERTIFICATE_REQUIRED|CONNECTION_RESET) /);
});

test("--alpn agrees on a protocol", async (t) => {
  const { address } = await serving(t, [
    "tls://127.0.0.1:0",
    "--self-signed",
    "--alpn",
    "h9, plaza",
    "--reply",
    "echo",
  ]);
  const { code, stderr } = await run(t, ["send", address, "x", "--insecure", "--alpn", "plaza", "-v"]);
  assert.equal(code, 0);
  assert.match(stderr, /ALPN plaza,/);
});
