/** Workers of node:cluster share the port of a server, as with `node:net` and `node:dgram`. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { bind, connect, listen } from "../../src/index.ts";
import { textToEnd } from "../../src/testing/stream/check.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("cluster-program.js", import.meta.url));
const WORKERS = 3;
/** The primary hands connections round; a worker that is starved by the machine may miss some. */
const MOST_TRIES = 1_000;

interface Told {
  readonly pid: number;
  readonly address: string;
  readonly client: string;
}

/** What answers at an address now. */
async function answerAt(address: string): Promise<number> {
  if (!address.startsWith("udp:")) {
    await using call = await connect(address);
    return Number(await textToEnd(call));
  }
  await using box = await bind("udp://127.0.0.1:0", { remote: address });
  await box.send("who is there?");
  return Number(await box.receive().then(({ data }) => String(data)));
}

for (const address of ["tcp://127.0.0.1:0", "tcp://[::1]:0"]) {
  test(`workers share a port in turn, and those that are left go on: ${address}`, () => share(address));
}

test("workers share a port where the kernel chooses who accepts", async () => {
  await share("tcp://127.0.0.1:0", { NODE_CLUSTER_SCHED_POLICY: "none" });
});

/** An address that no other test has: the whole of 127.0.0.0/8 is this machine on Linux. */
const { pid } = process;
const OWN_HOST = `127.${64 + ((pid >> 16) & 63)}.${(pid >> 8) & 255}.${1 + (pid & 127)}`;

test("workers share a datagram socket whose port they name", { skip: process.platform !== "linux" }, async () => {
  await share(`udp://${OWN_HOST}:7001`, { NODE_CLUSTER_SCHED_POLICY: "none" });
});

const posix = { skip: process.platform === "win32" };

test("closeOn: a worker whose server has closed on a signal leaves its primary, and ends", posix, async () => {
  await share("tcp://127.0.0.1:0", undefined, "signal");
});

for (const policy of ["rr", "none"]) {
  test(`workers share a Unix socket, whose file goes with the last of them: ${policy}`, posix, async (t) => {
    const path = join(temporaryFolder(t), "shared.sock");
    await share(`unix:${path}`, policy === "rr" ? undefined : { NODE_CLUSTER_SCHED_POLICY: policy });
    assert.ok(!existsSync(path));
  });
}

/** What the only worker of a cluster says of an address on which it cannot listen. */
async function refusal(address: string, options: object = {}): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, address, "1", "message", JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  child.stdin.end();
  await ended;
  return (JSON.parse(line) as readonly [{ readonly error: string }])[0].error;
}

test("a worker says what it cannot do with a Unix socket, and how to do it", posix, async (t) => {
  const folder = temporaryFolder(t);
  const gone = join(folder, "gone.sock");
  const program = `require("net").createServer().listen(${JSON.stringify(gone)}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", program]), "close");
  assert.match(
    await refusal(`unix:${gone}`),
    /^ADDRESS_IN_USE: .* gone .* the primary must remove the file, or listen there once/,
  );
  assert.ok(existsSync(gone));

  await (await listen(`unix:${gone}`)).close();
  await share(`unix:${gone}`);

  const living = await listen(`unix:${join(folder, "living.sock")}`);
  assert.match(await refusal(String(living.localAddress)), /^ADDRESS_IN_USE: .* a server listens at that path already/);
  await living.close();

  const file = join(folder, "file");
  writeFileSync(file, "");
  assert.match(await refusal(`unix:${file}`), /^ADDRESS_IN_USE: .* a file that is no socket/);
  assert.match(await refusal(`unix:${join(folder, "none", "x.sock")}`), /^PATH_NOT_FOUND: /);
  assert.match(await refusal(`unix:${join(folder, "m.sock")}`, { mode: 0o600 }), /^UNSUPPORTED: .* process\.umask/);
});

async function share(asked: string, env?: NodeJS.ProcessEnv, order = "message"): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, asked, String(WORKERS), order], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const told = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? "null");
  try {
    const workers = (await told()) as readonly Told[];
    const address = workers[0]?.address ?? "";
    assert.deepEqual(
      workers.map((worker) => worker.address),
      Array.from({ length: WORKERS }, () => address),
    );
    assert.equal(new Set(workers.map(({ client }) => client)).size, WORKERS, "clients of workers share a port");
    const pids = new Set(workers.map((worker) => worker.pid));
    if (env === undefined) {
      const seen = new Set<number>();
      for (let tries = 0; seen.size < WORKERS && tries < MOST_TRIES; tries += 1) seen.add(await answerAt(address));
      assert.deepEqual(seen, pids);
    }
    for (const worker of workers) {
      assert.ok(pids.has(await answerAt(address)), "somebody else answers");
      child.stdin.write("close\n");
      pids.delete(worker.pid);
      assert.equal(await told(), pids.size);
    }
    // The address is free again, while the primary still runs.
    await (await (address.startsWith("udp:") ? bind(address) : listen(address))).close();
    child.stdin.end();
    assert.deepEqual(
      await told(),
      Array.from({ length: WORKERS }, () => [0, null, true]),
    );
    assert.deepEqual(await ended, [0, null]);
  } finally {
    child.kill("SIGKILL");
  }
}
