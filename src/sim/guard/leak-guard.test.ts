import assert from "node:assert/strict";
import child, { spawn } from "node:child_process";
import crypto, { randomUUID } from "node:crypto";
import dgram from "node:dgram";
import dns, { lookup } from "node:dns";
import dnsPromises from "node:dns/promises";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net, { connect } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import tls from "node:tls";
import { Worker } from "node:worker_threads";
import { UsageError, type ZocaloError } from "../../core/errors.ts";
import { raiseGuard } from "./leak-guard.ts";
import { runInScope, type Scope } from "./scope.ts";

/** Nothing listens there; were the guard to fail, nothing is reached either. */
const NOWHERE = { host: "127.0.0.1", port: 9 };

let leaks: ZocaloError[] = [];
let lower = (): void => undefined;
const scope: Scope = {
  place: "plaza",
  seed: 1,
  world: {},
  leaked: (error) => void leaks.push(error),
  failed: (reason) => assert.fail(String(reason)),
};

beforeEach(() => {
  leaks = [];
  lower = raiseGuard();
});
afterEach(() => lower());

async function leakOf(action: () => unknown): Promise<UsageError> {
  try {
    const result = await runInScope(scope, action);
    (result as { destroy?: () => void } | undefined)?.destroy?.();
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(leaks.pop(), error, "the world was not told");
    assert.equal(leaks.length, 0);
    assert.equal(error.local, "plaza");
    return error;
  }
  return assert.fail("nothing was raised");
}

/** References taken before the guard went up, as other modules hold them. */
const early = {
  connect: net.connect,
  createConnection: net.createConnection,
  createServer: net.createServer,
  createSocket: dgram.createSocket,
  httpServer: http.createServer,
  fork: child.fork,
};

const NETWORK: Readonly<Record<string, () => unknown>> = {
  "net.connect": () => net.connect(NOWHERE),
  "net.connect as an import": () => connect(NOWHERE),
  "net.connect taken early": () => early.connect(NOWHERE),
  "net.createConnection taken early": () => early.createConnection(NOWHERE),
  "net.Socket": () => new net.Socket().connect(NOWHERE),
  "net.Server": () => early.createServer().listen(0),
  "a Unix socket": () => net.connect("/nowhere.sock"),
  "tls.connect": () => tls.connect(NOWHERE),
  "http.get": () => http.get("http://127.0.0.1:9/"),
  "http.request": () => http.request("http://127.0.0.1:9/"),
  "http.Server": () => early.httpServer().listen(0),
  "https.get": () => https.get("https://127.0.0.1:9/"),
  "http2.connect": () => http2.connect("http://127.0.0.1:9"),
  fetch: () => fetch("http://127.0.0.1:9/"),
  "dgram bind": () => dgram.createSocket("udp4").bind(0),
  "dgram send, taken early": () => early.createSocket("udp4").send("x", 9, "127.0.0.1"),
  "dns.lookup": () => dns.lookup("localhost", () => undefined),
  "dns.lookup as an import": () => lookup("localhost", () => undefined),
  "dns.resolve4": () => dns.resolve4("localhost", () => undefined),
  "dns.Resolver": () => new dns.Resolver().resolve4("localhost", () => undefined),
  "dns/promises lookup": () => dnsPromises.lookup("localhost"),
  "dns/promises Resolver": () => new dnsPromises.Resolver().resolve6("localhost"),
  "child_process.spawn": () => child.spawn(process.execPath, ["--version"]),
  "child_process.spawn as an import": () => spawn(process.execPath, ["--version"]),
  "child_process.execFileSync": () => child.execFileSync(process.execPath, ["--version"]),
  "child_process.fork taken early": () => early.fork("/nowhere.js"),
  "process.exit": () => process.exit(0),
  "process.kill": () => process.kill(process.pid, 0),
  BroadcastChannel: () => new BroadcastChannel("plaza"),
  "worker_threads.Worker": () => new Worker("", { eval: true }),
};

const CLOCK: Readonly<Record<string, () => unknown>> = {
  setTimeout: () => setTimeout(() => undefined, 1),
  setInterval: () => setInterval(() => undefined, 1),
  setImmediate: () => setImmediate(() => undefined),
  "timers.setTimeout": () => timers.setTimeout(() => undefined, 1),
  "timers/promises": () => timersPromises.setTimeout(1),
  "new Date()": () => new Date(),
  "Date()": () => Date(),
  "Date.now": () => Date.now(),
  "performance.now": () => performance.now(),
  "process.hrtime": () => process.hrtime(),
  "process.hrtime.bigint": () => process.hrtime.bigint(),
  "AbortSignal.timeout": () => AbortSignal.timeout(1000),
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
  MessageChannel: () => new MessageChannel(),
  "webcrypto randomUUID": () => globalThis.crypto.randomUUID(),
};

for (const [label, action] of Object.entries(NETWORK)) {
  test(`SIM_LEAK: ${label}`, async () => {
    assert.equal((await leakOf(action)).code, "SIM_LEAK");
  });
}

for (const [label, action] of Object.entries(CLOCK)) {
  test(`SIM_CLOCK_LEAK: ${label}`, async () => {
    assert.equal((await leakOf(action)).code, "SIM_CLOCK_LEAK");
  });
}

test("the guard follows the program through promises, ticks and real asynchronous work", async () => {
  const caught = await runInScope(scope, async () => {
    await Promise.resolve();
    await new Promise<void>((resolve) => process.nextTick(resolve));
    await new Promise((resolve) => crypto.pbkdf2("a", "b", 1, 8, "sha1", resolve));
    try {
      Math.random();
      return "nothing";
    } catch (error) {
      return (error as ZocaloError).code;
    }
  });
  assert.equal(caught, "SIM_CLOCK_LEAK");
});

test("what depends on nothing outside is allowed inside", () => {
  runInScope(scope, () => {
    assert.equal(new Date(0).toISOString(), "1970-01-01T00:00:00.000Z");
    assert.ok(new Date(5) instanceof Date);
    assert.equal(Date.parse("1970-01-01T00:00:00Z"), 0);
    assert.equal(crypto.createHash("sha256").update("x").digest().length, 32);
    clearTimeout(undefined);
  });
  assert.deepEqual(leaks, []);
});

test("code outside keeps the real ones while a world runs", async () => {
  assert.ok(Date.now() > 0 && new Date().getTime() > 0 && typeof Date() === "string");
  assert.ok(Math.random() < 1 && performance.now() > 0 && process.hrtime.bigint() > 0n);
  assert.equal(crypto.randomBytes(4).length, 4);
  await timersPromises.setTimeout(1);
  const server = net.createServer((socket) => socket.end("real")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  const text = await new Promise((resolve) => net.connect(port, "127.0.0.1").setEncoding("utf8").once("data", resolve));
  assert.equal(text, "real");
  server.close();
  assert.deepEqual(leaks, []);
});

test("when the last world has ended everything is as it was", () => {
  lower();
  const before = { date: Date, setTimeout, connect: net.connect, fetch, random: Math.random };
  const first = raiseGuard();
  const second = raiseGuard();
  assert.notEqual(Date, before.date);
  first();
  first();
  assert.notEqual(net.connect, before.connect);
  second();
  assert.deepEqual({ date: Date, setTimeout, connect: net.connect, fetch, random: Math.random }, before);
  assert.equal(connect, before.connect);
});
