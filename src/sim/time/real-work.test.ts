import assert from "node:assert/strict";
import { ChildProcess } from "node:child_process";
import crypto from "node:crypto";
import dgram from "node:dgram";
import dns from "node:dns";
import fs from "node:fs";
import net from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import zlib from "node:zlib";
import { runInScope, type Scope } from "../guard/scope.ts";
import { RealWork } from "./real-work.ts";

const scope: Scope = {
  place: "test",
  seed: 1,
  world: {},
  now: () => 0,
  leaked: (error) => assert.fail(error),
  unhandled: (reason) => assert.fail(String(reason)),
};
/** References as other modules may hold them. Real work must not be a leak, nor a leak real work. */
const early = {
  setTimeout,
  setImmediate,
  MessageChannel,
  Worker,
  listen: Reflect.get(net.Server.prototype, "listen") as (this: net.Server, at: net.ListenOptions) => net.Server,
  connect: Reflect.get(net.Socket.prototype, "connect") as (this: net.Socket, to: net.SocketConnectOpts) => net.Socket,
  createSocket: dgram.createSocket,
  lookup: dns.lookup,
  lookupService: dns.lookupService,
  spawn: Reflect.get(ChildProcess.prototype, "spawn") as (this: ChildProcess, options: object) => unknown,
  watch: fs.watch,
  watchFile: fs.watchFile,
  randomBytes: crypto.randomBytes,
  generateKeyPairSync: crypto.generateKeyPairSync,
};
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: { compile(bytes: Uint8Array): Promise<unknown> };
};
const file = fileURLToPath(import.meta.url);
let work: RealWork;
beforeEach(() => {
  work = new RealWork(scope.world);
});
afterEach(() => work.stop());

/** Waits for the end of all pending work as the scheduler does. */
async function quiet(): Promise<void> {
  while (work.pending().length > 0) await new Promise<void>((resolve) => work.whenDone(resolve));
}

const WORK: Readonly<Record<string, () => Promise<unknown>>> = {
  "fs.readFile": () => new Promise((resolve) => fs.readFile(file, resolve)),
  "fs.promises.readFile": () => fs.promises.readFile(file),
  "a file handle": async () => {
    await using handle = await fs.promises.open(file);
    return await handle.read();
  },
  "crypto.pbkdf2": () => new Promise((resolve) => crypto.pbkdf2("a", "b", 1000, 8, "sha1", resolve)),
  "crypto.scrypt": () => new Promise((resolve) => crypto.scrypt("a", "b", 8, resolve)),
  "subtle.digest": () => crypto.subtle.digest("SHA-256", Buffer.alloc(100_000)),
  "subtle.deriveBits": async () => {
    const key = await crypto.subtle.importKey("raw", new Uint8Array(3), "PBKDF2", false, ["deriveBits"]);
    return await crypto.subtle.deriveBits(
      { name: "PBKDF2", salt: Buffer.from("b"), iterations: 9, hash: "SHA-1" },
      key,
      64,
    );
  },
  "WebAssembly.compile": () => wasm.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
  "an immediate of the runtime": () => new Promise((resolve) => early.setImmediate(resolve)),
  "zlib.gzip": () => new Promise((resolve) => zlib.gzip(Buffer.alloc(1_000_000), resolve)),
};

for (const [label, begin] of Object.entries(WORK)) {
  test(`pending until it is done: ${label}`, async () => {
    const result = runInScope(scope, begin);
    const state = { done: false };
    void result.then(() => (state.done = true));
    assert.notEqual(work.pending().length, 0);
    // Work may begin other work: what counts is that none is forgotten.
    while (!state.done) {
      await quiet();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await result;
    assert.deepEqual(work.pending(), []);
  });
}

test("work that is done at once is never pending, and never counts", async () => {
  runInScope(scope, () => {
    clearImmediate(early.setImmediate(() => undefined));
    crypto.pbkdf2Sync("a", "b", 1, 8, "sha1");
    crypto.scryptSync("a", "b", 8);
    zlib.gzipSync("x");
    fs.readFileSync(file);
    crypto.createHash("sha256").update("x").digest();
  });
  assert.deepEqual(work.pending(), []);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(work.takeDone(), []);
});

test("cryptography counts alike, whether it was looked at before it was done or not", async () => {
  const counts: string[] = [];
  for (const looks of [true, false]) {
    const digest = runInScope(scope, () => crypto.subtle.digest("SHA-256", Buffer.alloc(10)));
    if (looks) await quiet();
    await digest;
    await quiet();
    counts.push(String(work.takeDone()));
  }
  assert.equal(counts[0], counts[1]);
  assert.match(counts[0] ?? "", /crypto\.subtle\.digest 1/);
});

/** What leads out of the world by references that were taken before, on the loopback interface. */
const LEAKS: Readonly<Record<string, readonly [begin: () => unknown, label: RegExp]>> = {
  "a saved listen": [
    () => {
      const server = early.listen.call(net.createServer(), { port: 0, host: "127.0.0.1" });
      return new Promise<void>((resolve) => server.once("listening", () => server.close(() => resolve())));
    },
    /Server\.listen/,
  ],
  "a saved connect": [
    () => early.connect.call(new net.Socket(), { port: 9, host: "127.0.0.1" }).on("error", () => undefined),
    /connect/,
  ],
  "a saved createSocket": [() => early.createSocket("udp4").close(), /createSocket/],
  "a saved lookup": [() => early.lookup("localhost", () => undefined), /dns\.lookup$/],
  "a saved lookupService": [() => early.lookupService("127.0.0.1", 9, () => undefined), /lookupService/],
  "a saved Worker": [() => new early.Worker("", { eval: true }), /Worker/],
  "a saved spawn": [() => early.spawn.call(new ChildProcess(), { file: "true", args: ["true"] }), /spawn/],
  "a saved watch": [() => early.watch(".").close(), /fs\.watch/],
  "a saved watchFile": [() => early.watchFile(".", () => undefined).unref() && fs.unwatchFile("."), /watchFile/],
  "a saved setTimeout": [() => clearTimeout(early.setTimeout(() => undefined, 1)), /setTimeout/],
  "a saved MessageChannel": [() => new early.MessageChannel().port1.close(), /MessageChannel/],
  "a saved randomBytes": [() => early.randomBytes(4), /randomBytes/],
  "a saved generateKeyPairSync": [() => early.generateKeyPairSync("ec", { namedCurve: "P-256" }), /generateKeyPair/],
};

for (const [name, [begin, label]] of Object.entries(LEAKS)) {
  test(`a leak, and no work: ${name}`, async () => {
    const leaks: string[] = [];
    await runInScope({ ...scope, leaked: ({ op }) => void leaks.push(op) }, begin);
    assert.notEqual(leaks.length, 0);
    assert.match(leaks[0] ?? "", label);
    assert.deepEqual(
      work.pending().filter((kind) => !kind.startsWith("FS")),
      [],
    );
  });
}

test("work outside of the world is none of its business", async () => {
  const reading = fs.promises.readFile(file);
  assert.deepEqual(work.pending(), []);
  await reading;
});
