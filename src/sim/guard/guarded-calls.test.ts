import assert from "node:assert/strict";
import crypto from "node:crypto";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { test } from "node:test";
import { allowed, testLeaks } from "../../../test/sim/guarded-scene.ts";
import { builtin } from "./builtin.ts";
import { guardedCalls } from "./guarded-calls.ts";

// The rules are those of docs/semantics.md.
test("every module of rule E4 is covered, and nothing twice", () => {
  const calls = guardedCalls();
  const labels = calls.map(({ label }) => label);
  for (const area of ["net", "tls", "http", "https", "http2", "dgram", "dns", "child_process", "worker_threads"]) {
    assert.ok(
      labels.some((label) => label.startsWith(area)),
      area,
    );
  }
  for (const label of [
    "globalThis.fetch",
    "globalThis.Date",
    "globalThis.setTimeout",
    "Math.random",
    "dns.resolve4",
    "process.exit",
  ]) {
    assert.ok(labels.includes(label), label);
  }
  const places = new Map<object, Set<PropertyKey>>();
  for (const { owner, name, label } of calls) {
    const names = places.get(owner) ?? new Set();
    assert.equal(names.has(name), false, label);
    places.set(owner, names.add(name));
  }
});

test("a module that the runtime has not is a typed error", () => {
  assert.throws(() => builtin("no-such-module"), { code: "UNSUPPORTED", op: "simulate" });
});

const bytes = Buffer.from("hola");
const curve = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = crypto.generateKeyPairSync("rsa", { modulusLength: 1024 });
const edwards = crypto.generateKeyPairSync("ed25519");
const { subtle } = globalThis.crypto;
const ecdsa = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
const oaep = await subtle.generateKey(
  { name: "RSA-OAEP", modulusLength: 1024, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
  true,
  ["encrypt", "decrypt", "wrapKey"],
);
const secret = await subtle.importKey("raw", new Uint8Array(16), "AES-CBC", true, ["encrypt"]);

testLeaks("SIM_CLOCK_LEAK", {
  "fs.mkdtemp": () => fs.mkdtemp("plaza-", () => undefined),
  "fs.mkdtempSync": () => fs.mkdtempSync("plaza-"),
  "fs.promises.mkdtemp": () => fs.promises.mkdtemp("plaza-"),
  "URL.createObjectURL": () => URL.createObjectURL(new Blob([])),
  "Math.random": () => Math.random(),
  "crypto.randomBytes": () => crypto.randomBytes(4),
  "crypto.randomUUID as an import": () => randomUUID(),
  "webcrypto getRandomValues": () => globalThis.crypto.getRandomValues(new Uint8Array(1)),
  "crypto.pseudoRandomBytes": () => crypto.pseudoRandomBytes(4),
  "crypto.generateKeySync": () => crypto.generateKeySync("hmac", { length: 64 }),
  "crypto.generateKeyPairSync": () => crypto.generateKeyPairSync("ec", { namedCurve: "P-256" }),
  "crypto.generatePrimeSync": () => crypto.generatePrimeSync(32),
  "ECDH generateKeys": () => crypto.createECDH("prime256v1").generateKeys(),
  "Diffie-Hellman generateKeys": () => crypto.getDiffieHellman("modp14").generateKeys(),
  "subtle.generateKey": () => crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]),
  "crypto.sign on a curve": () => crypto.sign("sha256", bytes, curve.privateKey),
  "crypto.sign on a curve, by text": () =>
    crypto.sign("sha256", bytes, curve.privateKey.export({ type: "pkcs8", format: "pem" })),
  "crypto.sign with RSA-PSS": () =>
    crypto.sign("sha256", bytes, { key: rsa.privateKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING }),
  "crypto.createSign": () => crypto.createSign("sha256").update("x").sign(curve.privateKey),
  "crypto.publicEncrypt": () => crypto.publicEncrypt(rsa.publicKey, bytes),
  "crypto.createDiffieHellman": () => crypto.createDiffieHellman(64),
  "subtle.sign on a curve": () => subtle.sign({ name: "ECDSA", hash: "SHA-256" }, ecdsa.privateKey, bytes),
  "subtle.encrypt with RSA": () => subtle.encrypt("RSA-OAEP", oaep.publicKey, bytes),
  "subtle.wrapKey with RSA": () => subtle.wrapKey("raw", secret, oaep.publicKey, "RSA-OAEP"),
  "webcrypto randomUUID": () => globalThis.crypto.randomUUID(),
});

test("what gives the same each time is allowed", async () => {
  await allowed(async () => {
    assert.equal(crypto.createHash("sha256").update("x").digest().length, 32);
    const padding = crypto.constants.RSA_NO_PADDING;
    assert.equal(crypto.publicEncrypt({ key: rsa.publicKey, padding }, Buffer.alloc(128)).length, 128);
    assert.deepEqual(...twice(() => crypto.sign("sha256", bytes, rsa.privateKey)));
    assert.deepEqual(...twice(() => crypto.createSign("sha256").update("x").sign({ key: rsa.privateKey })));
    assert.deepEqual(...twice(() => crypto.sign(null, bytes, edwards.privateKey)));
    assert.throws(() => crypto.sign("sha256", bytes, "no key"), { code: /^ERR_/ });
    const cipher = await subtle.encrypt({ name: "AES-CBC", iv: new Uint8Array(16) }, secret, bytes);
    assert.equal(cipher.byteLength, 16);
  });
});

function twice<T>(make: () => T): [T, T] {
  return [make(), make()];
}
