import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, listen, type ZocaloError } from "../index.ts";
import { lacksFolder, maskedBy, removeStaleSocket, setSocketMode } from "./unix-path.ts";

const folder = mkdtempSync(join(tmpdir(), "zocalo-path-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const unix = { skip: process.platform === "win32" };

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

test("only the socket of a server that is gone is removed", unix, async () => {
  const path = join(folder, "stale.sock");
  await stale(path);
  assert.equal(await removeStaleSocket(path), true);
  assert.equal(existsSync(path), false);

  const living = join(folder, "living.sock");
  const server = await listening(living);
  assert.equal(await removeStaleSocket(living), false);
  server.close();

  const file = join(folder, "file");
  writeFileSync(file, "precious");
  for (const other of [file, folder, join(folder, "nothing"), "\0abstract"]) {
    assert.equal(await removeStaleSocket(other), false, other);
  }
  assert.equal(statSync(file).size, 8);
});

test("of several that find one stale socket only one gets the address, and keeps it", unix, async () => {
  const path = join(folder, "wanted.sock");
  for (let round = 0; round < 5; round += 1) {
    await stale(path);
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => listen(`unix:${path}`)));
    const doors = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") assert.equal((outcome.reason as ZocaloError).code, "ADDRESS_IN_USE");
    }
    const [door, ...others] = doors;
    assert.ok(door !== undefined && others.length === 0, `${doors.length} doors at one address`);
    const [call, peer] = await Promise.all([connect(`unix:${path}`), door.accept()]);
    call.abort();
    peer.abort();
    await door.close();
  }
});

test("a link to a stale socket is somebody else's file, and stays", unix, async () => {
  const target = join(folder, "target.sock");
  await stale(target);
  const link = join(folder, "link.sock");
  symlinkSync(target, link);
  assert.equal(await removeStaleSocket(link), false);
  assert.ok(existsSync(target) && existsSync(link));
});

test("a missing folder is told from a path in a folder; abstract names have none", () => {
  assert.equal(lacksFolder(join(folder, "x.sock")), false);
  assert.equal(lacksFolder(join(folder, "nowhere", "x.sock")), true);
  assert.equal(lacksFolder("\0abstract"), false);
});

test("what is made under a mask is never open to more, and the mask of the process stays", unix, () => {
  const before = process.umask(0o002);
  try {
    for (const mode of [0o600, 0o660, 0o777, undefined]) {
      const path = join(folder, `made-${mode}`);
      maskedBy(mode, () => writeFileSync(path, "", { mode: 0o777 }));
      assert.equal(statSync(path).mode & 0o777, mode ?? 0o775);
      setSocketMode(path, 0o640);
      assert.equal(statSync(path).mode & 0o777, 0o640);
    }
    const failure = new Error("no");
    const failing = (): never => {
      throw failure;
    };
    assert.throws(() => maskedBy(0o600, failing), failure);
  } finally {
    assert.equal(process.umask(before), 0o002);
  }
});
