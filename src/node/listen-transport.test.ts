import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect, type Listener, listen, nodeNetwork, UsageError, ZocaloError } from "../index.ts";
import { expectError } from "../testing/expect-error.ts";
import { hasReusePort } from "./listen-transport.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { portOf } from "../../test/fixtures/port-of.ts";

const folder = temporaryFolder();

const linux = process.platform === "linux";
const unix = { skip: process.platform === "win32" };

async function works(listener: Listener): Promise<void> {
  const [called, peer] = await Promise.all([connect(listener.localAddress), listener.accept()]);
  await called.write("hola");
  assert.equal(String(await peer.readExactly(4)), "hola");
  called.abort();
  peer.abort();
}

test("the system chooses a port where 0 is asked for, and the listener tells which", async () => {
  for (const address of ["tcp://127.0.0.1:0", "tcp://[::1]:0"]) {
    await using listener = await listen(address);
    assert.ok(listener.localAddress.port > 0);
    assert.ok(listener.interop.native instanceof net.Server);
    await works(listener);
  }
});

test("a connection to a listener on all addresses tells the one that it came to", async () => {
  await using listener = await listen("tcp://0.0.0.0:0");
  const [called, peer] = await Promise.all([
    connect(`tcp://127.0.0.1:${listener.localAddress.port}`),
    listener.accept(),
  ]);
  assert.equal(String(peer.localAddress), String(called.remoteAddress));
  called.abort();
  peer.abort();
});

test("ipv6Only leaves IPv4 to others", async () => {
  await using six = await listen("tcp://[::]:0", { tcp: { ipv6Only: true } });
  await using four = await listen(`tcp://0.0.0.0:${six.localAddress.port}`);
  const called = await connect(`tcp://127.0.0.1:${six.localAddress.port}`);
  const peer = await four.accept();
  called.abort();
  peer.abort();
});

test("mode sets the permission bits of the socket file", unix, async () => {
  for (const mode of [0o600, 0o660, 0o777]) {
    const path = join(folder, `mode-${mode}.sock`);
    await using listener = await listen(`unix:${path}`, { mode });
    assert.equal(statSync(path).mode & 0o777, mode);
    await works(listener);
  }
});

test("a folder that does not exist is PATH_NOT_FOUND", unix, async () => {
  await expectError(listen(`unix:${folder}/nowhere/x.sock`), { code: "PATH_NOT_FOUND", op: "listen" });
  await expectError(connect(`unix:${folder}/nowhere/x.sock`), { code: "PATH_NOT_FOUND", op: "connect" });
});

test("abstract names have no file", { skip: !linux }, async () => {
  await using listener = await listen(`unix:@zocalo-test-${process.pid}`);
  assert.equal(String(listener.localAddress), `unix:@zocalo-test-${process.pid}`);
  await works(listener);
  await expectError(listen(listener.localAddress), { code: "ADDRESS_IN_USE" });
  await expectError(listen(listener.localAddress, { mode: 0o600 }), { code: "OPTION_INVALID", type: UsageError });
  await listener.close();
  await expectError(connect(listener.localAddress), { code: "CONNECTION_REFUSED" });
});

test("an address that this machine has not is ADDRESS_NOT_AVAILABLE; a name that nobody knows is told by listen", async () => {
  await expectError(listen("tcp://192.0.2.1:0"), { code: "ADDRESS_NOT_AVAILABLE", op: "listen", side: "system" });
  const resolve = (): Promise<never> => Promise.reject(new ZocaloError("NAME_NOT_FOUND", { op: "resolve" }));
  const network = { ...nodeNetwork, sockets: { ...nodeNetwork.sockets, resolve } };
  const unknown = listen("tcp://server.example:0", { network });
  await expectError(unknown, { code: "NAME_NOT_FOUND", op: "listen", local: "tcp://server.example:0" });
});

test("reusePort shares a port where the platform has it, and is UNSUPPORTED elsewhere", async () => {
  if (!hasReusePort()) {
    const refused = listen("tcp://127.0.0.1:0", { tcp: { reusePort: true } });
    await expectError(refused, { code: "UNSUPPORTED", op: "listen", type: UsageError });
    return;
  }
  await using first = await listen("tcp://127.0.0.1:0", { tcp: { reusePort: true } });
  await using second = await listen(first.localAddress, { tcp: { reusePort: true } });
  assert.equal(second.localAddress.port, first.localAddress.port);
});

test("a descriptor that is no listening socket is refused", unix, async () => {
  await expectError(listen("tcp://127.0.0.1:0", { fd: 99_999 }), { code: "OPTION_INVALID", op: "listen" });
});

test("fd takes over a socket that another process has opened", unix, async () => {
  const parent = net.createServer().listen(0, "127.0.0.1");
  const port = await portOf(parent);
  const program = `
    import { listen } from ${JSON.stringify(new URL("../index.js", import.meta.url).href)};
    const listener = await listen("tcp://127.0.0.1:${port}", { fd: 3 });
    console.log(String(listener.localAddress));
    const peer = await listener.accept();
    await peer.write("from the child");
    await peer.close();
    await listener.close();
  `;
  const { fd } = Reflect.get(parent, "_handle") as { readonly fd: number };
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit", fd],
  });
  const exited = once(child, "exit");
  assert.ok(child.stdout !== null);
  assert.equal(String((await once(child.stdout, "data"))[0]).trim(), `tcp://127.0.0.1:${port}`);
  parent.close();
  await using called = await connect(`tcp://127.0.0.1:${port}`);
  assert.equal(String(await called.readExactly(14)), "from the child");
  assert.equal(await called.read(), null);
  await called.close();
  assert.deepEqual(await exited, [0, null]);
});

test("clients of node:net on a Unix socket", unix, async () => {
  await using listener = await listen(`unix:${join(folder, "raw.sock")}`);
  const raw = net.connect({ path: listener.localAddress.path });
  const peer = await listener.accept();
  raw.end("question");
  assert.equal(String(await peer.readExactly(8)), "question");
  assert.equal(await peer.read(), null);
  assert.equal(peer.remoteAddress.path, "");
  await peer.close();
});
