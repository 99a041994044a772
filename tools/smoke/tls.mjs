// TLS works: names and authorities are checked, ALPN, SNI, certificates of clients, STARTTLS; what a runtime would pass over is
// UNSUPPORTED there.
import { readFileSync } from "node:fs";
import { connect, serve } from "zocalo";

// Made by tools/smoke.mjs: a certificate for 127.0.0.1 and one for shop.example, each its own authority.
const { home, shop } = JSON.parse(readFileSync(new URL("identities.json", import.meta.url), "utf8"));
const timeoutMs = 5000;

function check(condition, what) {
  if (!condition) throw new Error(`${what} does not work`);
}

async function codeOf(promise) {
  return await promise.then(
    () => "none",
    (error) => error.code,
  );
}

const settings = {
  ...home,
  alpn: ["plaza/2", "plaza/1"],
  sni: { "shop.example": shop },
  ca: home.cert,
  clientCertificate: "ask",
};
const listener = await serve(
  "tls://127.0.0.1:0",
  async (peer) => {
    await peer.write(`${peer.tls?.alpn} ${peer.tls?.authorized}\n`);
    for await (const bytes of peer) await peer.write(bytes);
  },
  { tls: settings },
);
const open = (tls) => connect(listener.localAddress, { tls, timeoutMs });

const call = await open({ ca: home.cert, alpn: ["plaza/1"], cert: home.cert, key: home.key });
check(call.tls?.authorized === true, "checking a certificate");
check(call.tls.alpn === "plaza/1", "ALPN");
check(String(await call.readUntil("\n")) === "plaza/1 true\n", "the certificate of a client");
await call.write(Buffer.alloc(300_000, 7));
check(
  (await call.readExactly(300_000)).every((byte) => byte === 7),
  "reading over TLS",
);
await call.close();

const named = await open({ ca: shop.cert, servername: "shop.example" });
check(named.tls?.peerCertificate?.subject === "shop.example", "SNI");
named.abort();
check((await codeOf(open({ ca: home.cert, servername: "other.example" }))) === "CERTIFICATE_NAME_MISMATCH", "the name");
check((await codeOf(open({ ca: shop.cert }))) === "CERTIFICATE_UNTRUSTED", "the authority");
check(
  (await codeOf(open({ cert: home.cert, key: shop.key }))) === "CERTIFICATE_INVALID",
  "comparing certificate and key",
);
const { deno, bun } = process.versions;
const elsewhere = deno !== undefined || bun !== undefined;
const list = "-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n";
check(((await codeOf(open({ crl: list }))) === "UNSUPPORTED") === elsewhere, "refusing crl");
const ciphers = "TLS_AES_256_GCM_SHA384";
check((await codeOf(open({ ca: home.cert, ciphers }))) === (elsewhere ? "UNSUPPORTED" : "none"), "ciphers");
await listener.close();

const plain = await serve("tcp://127.0.0.1:0", async (peer) => {
  await peer.readUntil("STARTTLS\n");
  await peer.write("go\n");
  await peer.startTls({ role: "server", ...home, timeoutMs });
  await peer.write("in private\n");
});
const upgraded = await connect(plain.localAddress, { timeoutMs });
await upgraded.write("STARTTLS\n");
await upgraded.readUntil("\n");
await upgraded.startTls({ role: "client", ca: home.cert, timeoutMs });
check(String(await upgraded.readUntil("\n")) === "in private\n", "STARTTLS");
await upgraded.close();
await plain.close({ timeoutMs });
console.log("TLS, ALPN, SNI, certificates of clients and STARTTLS work");
