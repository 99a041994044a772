import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import { runInScope, type Scope } from "../guard/scope.ts";
import { RealWork } from "./real-work.ts";

const scope: Scope = {
  place: "test",
  seed: 1,
  world: {},
  leaked: (error) => assert.fail(error),
  failed: (reason) => assert.fail(String(reason)),
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

test("work that is done at once is never pending", () => {
  runInScope(scope, () => {
    crypto.pbkdf2Sync("a", "b", 1, 8, "sha1");
    crypto.scryptSync("a", "b", 8);
    zlib.gzipSync("x");
    fs.readFileSync(file);
    crypto.createHash("sha256").update("x").digest();
  });
  assert.deepEqual(work.pending(), []);
});

test("work outside of the world is none of its business", async () => {
  const reading = fs.promises.readFile(file);
  assert.deepEqual(work.pending(), []);
  await reading;
});
