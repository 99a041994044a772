import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { inspect } from "../../src/inspect.ts";
import { run, RunningProgram, SPANISH, type StartOptions } from "../cli/program.ts";
import { ask, listOf } from "./asking.ts";

/* A program that knows nothing of the inspector, started with it. */

const SERVER = `
import { serve } from "zocalo";
const server = await serve("tcp://127.0.0.1:0", async (peer) => { await peer.read(); });
console.log("listening on " + server.localAddress);
process.stdin.once("end", () => server.close()).resume();
`;

interface Started {
  readonly program: RunningProgram;
  readonly url: string;
  readonly pid: string;
  /** Where the sockets of programs are found. */
  readonly runtime: string;
}

function startProgram(t: TestContext, code: string, options: StartOptions = {}): RunningProgram {
  const args = ["--import=zocalo/inspect", "--input-type=module", "--eval", code];
  return new RunningProgram(t, process.execPath, args, { cwd: repositoryRoot, ...options });
}

async function startServer(t: TestContext, env: Record<string, string> = {}): Promise<Started> {
  const runtime = temporaryFolder(t);
  const program = startProgram(t, SERVER, { env: { XDG_RUNTIME_DIR: runtime, ...env } });
  const [, url = ""] = await program.tells(/can be inspected at (\S+)\n/);
  await program.shows(/listening on/);
  return { program, url, pid: String(program.child.pid), runtime };
}

test("a program is inspected from its first socket on, and ends by itself", async (t) => {
  const { program, url } = await startServer(t);
  const [server] = await listOf(url, "/servers", "servers");
  assert.ok(String(program.stdout).includes(String(server?.["address"])));
  program.child.stdin.end();
  const { code, signal } = await program.ended;
  assert.deepEqual([code, signal], [0, null]);
});

test("a program that opens nothing has no inspector, and prints nothing", async (t) => {
  const program = startProgram(t, `import "zocalo"; console.log("done");`);
  const { code, stdout, stderr } = await program.ended;
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "done\n", stderr: "" });
});

test("whoever watches does not keep the program alive", async (t) => {
  const { program, url } = await startServer(t);
  // A connection that stays, and one that is not even a request.
  const watching = ask(url, "/servers").then(
    () =>
      new Promise((resolve) =>
        net.connect(Number(new URL(url).port), "127.0.0.1", () => resolve(undefined)).on("error", () => undefined),
      ),
  );
  await watching;
  program.child.stdin.end();
  assert.equal((await program.ended).code, 0);
});

test("the environment configures it; what it cannot do does not stop the program", async (t) => {
  const { url } = await startServer(t, { ZOCALO_INSPECT_ALLOW: "drain", ZOCALO_INSPECT_PAYLOADS: "1" });
  const { text } = await ask(url, "/");
  assert.match(text, /"payloads":true,"allow":\["drain"\]/);
  const wrong = startProgram(t, SERVER, { env: { ZOCALO_INSPECT_PORT: "eighty" } });
  await wrong.tells(/^zocalo: process \d+ cannot be inspected: .*OPTION_INVALID.*port/m);
  await wrong.shows(/listening on/);
  wrong.child.stdin.end();
  assert.equal((await wrong.ended).code, 0);
});

test("zocalo inspect finds a program by its number, and its socket is of its user alone", {
  skip: process.platform === "win32",
}, async (t) => {
  const { program, pid, url, runtime } = await startServer(t);
  const env = { XDG_RUNTIME_DIR: runtime };
  const byNumber = await run(t, ["inspect", pid], { env });
  assert.deepEqual([byNumber.code, byNumber.stderr], [0, ""]);
  assert.match(byNumber.stdout, /^ID +KIND +ADDRESS .*\n\d+ +connections +tcp:\/\/127\.0\.0\.1:\d+/);
  const byAddress = await run(t, ["inspect", url, "servers", "--json"], { env });
  assert.equal((JSON.parse(byAddress.stdout) as { servers: unknown[] }).servers.length, 1);
  const [folder = ""] = readdirSync(runtime);
  const file = join(runtime, folder, `${pid}.sock`);
  assert.deepEqual([lstatSync(join(runtime, folder)).mode & 0o777, lstatSync(file).mode & 0o777], [0o700, 0o600]);
  const spanish = await run(t, ["inspect", pid, "sessions"], { env: { ...env, ...SPANISH } });
  assert.deepEqual([spanish.code, spanish.stdout], [0, "nada\n"]);
  const dump = JSON.parse((await run(t, ["inspect", pid, "dump"], { env })).stdout) as Record<string, unknown>;
  assert.deepEqual(Object.keys(dump), [
    "format",
    "version",
    "about",
    "servers",
    "sessions",
    "connections",
    "datagrams",
    "errors",
  ]);
  // One that is killed leaves its file; the next program removes it.
  program.child.kill("SIGKILL");
  await program.ended;
  assert.ok(existsSync(file));
  const gone = await run(t, ["inspect", pid], { env });
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /^zocalo: INSPECTOR: no inspector of process \d+ .*--import=zocalo\/inspect\n$/);
  const next = startProgram(t, SERVER, { env });
  await next.tells(/can be inspected at/);
  assert.deepEqual(readdirSync(join(runtime, folder)), [`${String(next.child.pid)}.sock`]);
});

test("a folder that others can enter is not used", { skip: process.platform === "win32" }, async (t) => {
  const runtime = temporaryFolder(t);
  const folder = join(runtime, `zocalo-inspect-${process.getuid?.() ?? 0}`);
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const program = startProgram(t, SERVER, { env: { XDG_RUNTIME_DIR: runtime, TMPDIR: temporaryFolder(t) } });
  await program.tells(/can be inspected at/);
  assert.deepEqual(readdirSync(folder), []);
});

test("inspect on a path needs no token, and refuses what is no socket", {
  skip: process.platform === "win32",
}, async (t) => {
  const path = join(temporaryFolder(t), "look.sock");
  await using inspector = await inspect({ path });
  assert.equal(inspector.url, `unix:${path}`);
  assert.equal((await ask(inspector.url, "/servers")).status, 200);
  assert.equal((await ask(inspector.url, "/servers", { headers: { origin: "http://localhost" } })).status, 200);
  assert.equal((await ask(inspector.url, "/servers", { headers: { origin: "http://evil.example" } })).status, 403);
  const file = join(temporaryFolder(t), "file");
  writeFileSync(file, "");
  await assert.rejects(inspect({ path: file }), { code: "ADDRESS_IN_USE" });
  await assert.rejects(inspect({ path, port: 1 }), { code: "OPTION_INVALID" });
});
