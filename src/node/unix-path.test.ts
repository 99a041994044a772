import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { connect, type Listener, listen, type ZocaloError } from "../index.ts";
import { expectError } from "../testing/expect-error.ts";
import type { SocketFile } from "./socket-file.ts";
import { isFilePath, makeSocketFile } from "./unix-path.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";

const folder = temporaryFolder();

const unix = { skip: process.platform === "win32" };
const library = JSON.stringify(new URL("../index.js", import.meta.url).href);
const context = { op: "listen", local: "unix:x" };

/** A server of node:net under a name, as another program would have it. */
async function listening(path: string): Promise<net.Server> {
  const server = net.createServer((socket) => socket.destroy()).listen(path);
  await once(server, "listening");
  return server;
}

/** A socket file whose server is gone, as after a crash. */
async function stale(path: string): Promise<void> {
  const server = await listening(`${path}.living`);
  renameSync(`${path}.living`, path);
  server.close();
  await once(server, "close");
}

async function works(listener: Listener): Promise<void> {
  const [called, peer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
  called.abort();
  peer.abort();
}

/** A socket file with a server of node:net behind it; `remove` leaves that server alone. */
async function made(path: string, mode?: number): Promise<{ file: SocketFile; server: net.Server }> {
  const server = net.createServer((socket) => socket.destroy());
  const file = await makeSocketFile(path, mode, context, async (name) => {
    server.listen(name);
    await once(server, "listening");
  });
  return { file, server };
}

test("names of files are told from abstract ones", unix, () => {
  assert.deepEqual([isFilePath("/run/x.sock"), isFilePath("x.sock"), isFilePath("\0abstract")], [true, true, false]);
});

test("the file has its name and its rights, and nothing else is left in the folder", unix, async () => {
  mkdirSync(join(folder, "masked"));
  // Without a mode the mask of the process decides, as it does for a folder.
  const masked = statSync(join(folder, "masked")).mode & 0o777;
  for (const mode of [0o600, 0o660, 0o777, undefined]) {
    const place = mkdtempSync(join(folder, "made-"));
    const path = join(place, "x.sock");
    const { file, server } = await made(path, mode);
    assert.deepEqual(readdirSync(place), ["x.sock"]);
    assert.equal(statSync(path).mode & 0o777, mode ?? masked);
    file.remove();
    assert.deepEqual(readdirSync(place), []);
    file.remove();
    server.close();
  }
});

test("nobody can reach the file before it has its rights, in the main thread as in a worker", unix, async () => {
  // What a program sees that looks for the file from inside the opening: a folder that only its owner can enter.
  const path = join(folder, "private.sock");
  let looked = 0;
  const server = net.createServer();
  const file = await makeSocketFile(path, 0o600, context, async (name) => {
    server.listen(name);
    await once(server, "listening");
    looked += 1;
    assert.equal(existsSync(path), false);
    const inside = readdirSync(folder).find((entry) => entry.startsWith(`${basename(path)}.`));
    assert.equal(statSync(join(folder, inside as string)).mode & 0o777, 0o700);
  });
  assert.equal(looked, 1);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  file.remove();
  server.close();

  const worker = new Worker(
    `import(${library}).then(async ({ listen }) => {
      const { parentPort } = await import("node:worker_threads");
      const { statSync } = await import("node:fs");
      const listener = await listen("unix:" + ${JSON.stringify(path)}, { mode: 0o600 });
      parentPort.postMessage(statSync(${JSON.stringify(path)}).mode & 0o777);
      await listener.close();
    })`,
    { eval: true },
  );
  // Both are listened for at once: the end may come in the same turn as the message.
  const [[mode]] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
  assert.equal(mode, 0o600);
  assert.equal(existsSync(path), false);
});

test("a listener removes its own file only: a successor's, whatever way it came there, stays", unix, async () => {
  const path = join(folder, "successor.sock");
  const waysIn: Readonly<Record<string, () => Promise<Listener>>> = {
    "after the file was removed": async () => {
      fs.unlinkSync(path);
      return await listen(`unix:${path}`);
    },
    "by a rename over it": async () => {
      const listener = await listen(`unix:${path}.next`);
      renameSync(`${path}.next`, path);
      return listener;
    },
  };
  for (const [name, comeIn] of Object.entries(waysIn)) {
    const before = await listen(`unix:${path}`);
    const next = await comeIn();
    await before.close();
    assert.ok(existsSync(path), name);
    const [call, peer] = await Promise.all([connect(`unix:${path}`), next.accept()]);
    call.abort();
    peer.abort();
    await next.close();
    rmSync(path, { force: true });
  }
});

test("a file of another kind, or nothing, in the place of the own one: closing does not mind", unix, async () => {
  const path = join(folder, "gone.sock");
  const replacements: readonly (readonly [replace: () => void, stays: boolean])[] = [
    [() => undefined, false],
    [() => fs.writeFileSync(path, "precious"), true],
    [() => mkdirSync(path), true],
  ];
  for (const [replace, stays] of replacements) {
    const listener = await listen(`unix:${path}`);
    fs.unlinkSync(path);
    replace();
    await listener.close();
    assert.equal(existsSync(path), stays);
    rmSync(path, { recursive: true, force: true });
  }
});

test("an owner or a group that is given to the file later does not keep it from being removed", unix, async () => {
  const path = join(folder, "given.sock");
  const listener = await listen(`unix:${path}`);
  fs.chmodSync(path, 0o666);
  fs.utimesSync(path, 1, 1);
  await listener.close();
  assert.equal(existsSync(path), false);
});

test("the file goes with the listener although the program has gone to another folder", unix, async () => {
  const program = `
    import { listen } from ${library};
    const listener = await listen("unix:relative.sock");
    process.chdir("/");
    await listener.close();
  `;
  const place = mkdtempSync(join(folder, "relative-"));
  const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd: place });
  assert.equal(status, 0);
  assert.deepEqual(readdirSync(place), []);
});

test("a program that ends with open listeners leaves no files", unix, async () => {
  for (const end of ["process.exit(0)", "listener.unref(); other.unref()", "throw new Error('expected')"]) {
    const place = mkdtempSync(join(folder, "ends-"));
    const program = `
      import { listen } from ${library};
      const [listener, other] = [await listen("unix:a.sock"), await listen("unix:b.sock")];
      ${end};
    `;
    spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd: place, stdio: "ignore" });
    assert.deepEqual(readdirSync(place), [], end);
  }
});

test("a path as long as one may be works, with names of any length", unix, async () => {
  const most = process.platform === "linux" ? 107 : 103;
  for (const nameBytes of [1, 8, 60]) {
    const base = mkdtempSync(join(tmpdir(), "z"));
    const place = join(base, "d".repeat(most - base.length - 2 - nameBytes));
    mkdirSync(place);
    const path = join(place, "n".repeat(nameBytes));
    assert.equal(path.length, most);
    const listener = await listen(`unix:${path}`, { mode: 0o600 });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await works(listener);
    await expectError(listen(`unix:${path}`), { code: "ADDRESS_IN_USE" });
    await listener.close();
    assert.deepEqual(readdirSync(place), []);
    rmSync(base, { recursive: true });
  }
});

test(
  "the socket file of a server that is gone is replaced; what else has the name stays, and is named",
  unix,
  async () => {
    const path = join(folder, "wanted.sock");
    await stale(path);
    const listener = await listen(`unix:${path}`);
    await works(listener);
    await listener.close();

    const target = join(folder, "target.sock");
    await stale(target);
    const others: readonly (readonly [make: () => void, says: RegExp])[] = [
      [() => fs.writeFileSync(path, "precious"), /^a file that is no socket has that name; remove it/],
      [() => mkdirSync(path), /^a folder has that name/],
      [() => symlinkSync(target, path), /^a link has that name/],
    ];
    for (const [make, says] of others) {
      make();
      const before = fs.lstatSync(path).ino;
      const error = await expectError(listen(`unix:${path}`), { code: "ADDRESS_IN_USE", op: "listen", side: "system" });
      assert.match(error.detail, says);
      assert.equal(fs.lstatSync(path).ino, before);
      rmSync(path, { recursive: true });
    }
    assert.ok(existsSync(target));
  },
);

test("a living server keeps its path; a second one of the same thread does not even connect to it", unix, async () => {
  const path = join(folder, "living.sock");
  await using listener = await listen(`unix:${path}`);
  const refused = expectError(listen(`unix:${path}`), { code: "ADDRESS_IN_USE", op: "listen" });
  assert.match((await refused).detail, /^a server listens at that path already/);
  await works(listener);
  assert.deepEqual([listener.stats.accepted, listener.stats.open], [1, 0]);
});

test("the server of another program is found by calling it", unix, async () => {
  const path = join(folder, "foreign.sock");
  const server = await listening(path);
  const called = once(server, "connection");
  await expectError(listen(`unix:${path}`), { code: "ADDRESS_IN_USE" });
  await called;
  assert.ok(existsSync(path));
  server.close();
});

test("of several that find one stale socket only one gets the address, and keeps it", unix, async (t) => {
  const path = join(folder, "contested.sock");
  const rename = t.mock.method(fs, "renameSync");
  for (let round = 0; round < 5; round += 1) {
    rename.mock.resetCalls();
    await stale(path);
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => listen(`unix:${path}`)));
    const listeners = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") assert.equal((outcome.reason as ZocaloError).code, "ADDRESS_IN_USE");
    }
    const [listener, ...others] = listeners;
    t.after(() => Promise.all(listeners.map((one) => one.close())));
    assert.ok(listener !== undefined && others.length === 0, `${listeners.length} listeners at one address`);
    // Only the stale file was moved. Who moves that of the winner, if only for a moment, lets a third one have its name.
    assert.equal(rename.mock.callCount(), 1);
    await works(listener);
    await listener.close();
  }
});

test("of several processes that find one stale socket only one gets the address, and keeps it", unix, async (t) => {
  const path = join(folder, "processes.sock");
  const program = `
    import { connect, serve, ZocaloError } from ${library};
    process.stdin.once("data", async () => {
      const server = await serve("unix:" + ${JSON.stringify(path)}, (peer) => peer.write(String(process.pid)))
        .catch((error) => error);
      console.log(server instanceof ZocaloError ? server.code : "open");
    });
    console.log("ready");
  `;
  await stale(path);
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const exits = children.map((child) => once(child, "exit"));
  t.after(async () => {
    for (const child of children) child.kill();
    await Promise.all(exits);
  });
  await Promise.all(children.map((child) => once(child.stdout, "data")));
  const told = children.map((child) => once(child.stdout, "data"));
  for (const child of children) child.stdin.write("go\n");
  const outcomes = (await Promise.all(told)).map(([data]) => String(data).trim());
  assert.deepEqual(outcomes.toSorted(), ["ADDRESS_IN_USE", "ADDRESS_IN_USE", "ADDRESS_IN_USE", "open"]);
  await using call = await connect(`unix:${path}`);
  assert.equal(String(await call.read()), String(children[outcomes.indexOf("open")]?.pid));
});

test(
  "while another program replaces a stale socket, or has died in the middle of it, nobody else does",
  unix,
  async () => {
    const path = join(folder, "claimed.sock");
    await stale(path);
    const claim = `${path}.${statSync(path).ino}`;
    fs.writeFileSync(claim, "");
    const error = await expectError(listen(`unix:${path}`), { code: "ADDRESS_IN_USE", op: "listen" });
    assert.ok(error.detail.endsWith(`if there is none, remove ${claim}`), error.detail);
    rmSync(claim);
    const listener = await listen(`unix:${path}`);
    await works(listener);
    await listener.close();
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("claimed.sock")),
      [],
    );
  },
);

test("where the file system has no hard links, the file is renamed", unix, async (t) => {
  t.mock.method(fs, "linkSync", () => {
    throw Object.assign(new Error("link EPERM"), { code: "EPERM" });
  });
  const path = join(folder, "renamed.sock");
  const listener = await listen(`unix:${path}`, { mode: 0o600 });
  await works(listener);
  await expectError(listen(`unix:${path}`), { code: "ADDRESS_IN_USE" });
  await listener.close();
  await stale(path);
  const next = await listen(`unix:${path}`);
  await works(next);
  await next.close();
  assert.equal(existsSync(path), false);
});

test("a file that takes the place of a stale one meanwhile gets its name back", unix, async (t) => {
  const path = join(folder, "faster.sock");
  await stale(path);
  const rename = fs.renameSync;
  let faster: net.Server | undefined;
  t.mock.method(fs, "renameSync", (from: fs.PathLike, to: fs.PathLike) => {
    if (faster === undefined) {
      // Between the look and the move, another server has taken the path.
      fs.unlinkSync(path);
      faster = net.createServer((socket) => socket.destroy()).listen(path);
    }
    rename(from, to);
  });
  await expectError(listen(`unix:${path}`), { code: "ADDRESS_IN_USE" });
  const call = net.connect({ path });
  await once(call, "connect");
  call.destroy();
  faster?.close();
});
