/** The load balancers of the page about deployment, with their files as they stand there, while one of two servers is drained. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, type ZocaloError } from "../../src/index.ts";
import { lines } from "../../src/framing.ts";
import { connectSession } from "../../src/protocol.ts";
import { RunningProgram } from "../cli/program.ts";
import { nextTurn } from "../fixtures/gate.ts";
import { freePort, launched, missing } from "../fixtures/programs.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { asked } from "../sockets/rolling-contract.ts";

const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";
const SHOUT = join(repositoryRoot, "build/examples/deploy/server.js");
const BALANCED = fileURLToPath(new URL("balanced-program.js", import.meta.url));
const READY_MS = 20_000;
/** Most clients of one test. */
const MOST = 5_000;
const SESSIONS = 50;
/** Calls of a session that may fail when the server is gone. */
const MOST_MORE = 100;

interface Backend {
  readonly program: RunningProgram;
  readonly port: number;
  readonly readyPort: number;
}

async function shout(t: TestContext): Promise<Backend> {
  const env = { ADDRESS: "tcp://127.0.0.1:0", READY_HOST: "127.0.0.1", READY_PORT: "0", PROXIES: "127.0.0.1" };
  const program = new RunningProgram(t, process.execPath, [SHOUT], { env });
  const [, port, readyPort] = await program.shows(/^serving \S+:(\d+), ready at .*port: (\d+)/m);
  return { program, port: Number(port), readyPort: Number(readyPort) };
}

async function balanced(t: TestContext): Promise<Backend> {
  const program = new RunningProgram(t, process.execPath, [BALANCED]);
  const [, port, readyPort] = await program.shows(/ports: (\d+) (\d+)/);
  return { program, port: Number(port), readyPort: Number(readyPort) };
}

/** Starts a balancer with its file, the addresses of which become those of this test; answers its own. */
async function balance(t: TestContext, name: "haproxy" | "nginx", backends: readonly Backend[]): Promise<string> {
  const own = await freePort();
  const folder = temporaryFolder(t);
  const [file, form] = name === "haproxy" ? ["haproxy.cfg", "bind :7000"] : ["nginx.conf", "listen 7000"];
  let text = readFileSync(join(repositoryRoot, "examples/deploy", file), "utf8");
  text = text.replace(form, form.replace(/:?7000/, `127.0.0.1:${own}`));
  for (const [index, { port, readyPort }] of backends.entries()) {
    const check = name === "haproxy" ? ` port ${readyPort}` : "";
    text = text.replace(`192.0.2.1${index + 1}:7000`, `127.0.0.1:${port}${check}`);
  }
  assert.ok(!text.includes("192.0.2."), "every address was replaced");
  const path = join(folder, file);
  writeFileSync(path, text);
  if (name === "haproxy") launched(t, ["haproxy", "-db", "-f", path]);
  else
    launched(t, [
      "nginx",
      "-p",
      folder,
      "-c",
      path,
      "-g",
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr;`,
    ]);
  return `tcp://127.0.0.1:${own}`;
}

/** A client that asks one line and goes. */
async function ask(address: string): Promise<void> {
  const text = (await connect(address, { retry: { timeoutMs: READY_MS } })).framed(lines());
  await text.send("hola");
  const answer = await text.receive();
  if (answer === "goodbye") assert.equal(await text.receive(), "HOLA");
  else assert.equal(answer, "HOLA");
  await text.close();
}

/** A client that stays, and comes back when it is asked to leave; resolves when `signal` has aborted and it is answered once more. */
async function stay(address: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const text = (await connect(address)).framed(lines());
    const said = await text.receive({ until: signal });
    if (said !== "goodbye") assert.ok(signal.aborted, `the balancer has ended the connection: ${said}`);
    await text.close();
    if (signal.aborted) return await ask(address);
  }
}

for (const name of ["haproxy", "nginx"] as const) {
  const skip = missing(name) || (name === "nginx" && missing(STREAM_MODULE));
  test(`${name}: a server is drained, and no client notices`, { skip }, async (t) => {
    const [first, second] = [await shout(t), await shout(t)];
    const address = await balance(t, name, [first, second]);
    await ask(address);
    const over = new AbortController();
    const staying = Array.from({ length: 4 }, () => stay(address, over.signal));
    const { program } = first;
    // nginx does not ask who is ready: it learns that a server is gone from a client, which it sends to the next one.
    const most = name === "haproxy" ? MOST : 0;
    const coming = (async () => {
      for (let count = 0; count < most && !over.signal.aborted; count += 1) await ask(address);
    })();
    program.child.kill("SIGTERM");
    while ((await fetch(`http://127.0.0.1:${first.readyPort}/`)).status !== 503);
    await Promise.all(Array.from({ length: 10 }, () => ask(address)));
    const { code, stderr } = await program.ended;
    assert.deepEqual([code, stderr], [0, ""]);
    await Promise.all(Array.from({ length: 10 }, () => ask(address)));
    over.abort();
    await Promise.all([coming, ...staying]);
  });
}

test("haproxy: the sessions of a server that is drained go on at the other one", {
  skip: missing("haproxy"),
}, async (t) => {
  const [first, second] = [await balanced(t), await balanced(t)];
  const address = await balance(t, "haproxy", [first, second]);
  const open = () => connectSession(asked, address, { retry: { timeoutMs: READY_MS } });
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, open));
  t.after(() => sessions.forEach((session) => session.abort()));
  const at = await Promise.all(sessions.map((session) => session.remote.who()));
  const [one, two] = [String(first.program.child.pid), String(second.program.child.pid)];
  assert.ok(at.includes(one) && at.includes(two), "both have clients");

  first.program.child.kill("SIGTERM");
  let isGone = false;
  const moved = sessions.map(async (session) => {
    for (let left = MOST_MORE; left > 0; left -= isGone ? 1 : 0) {
      const who = await session.remote.who().catch((error: unknown) => {
        // What a server that leaves did not take is asked again.
        assert.equal((error as ZocaloError).outcome, "none", String(error));
      });
      if (who === two) return;
      await nextTurn();
    }
    assert.fail("a session stays where it was");
  });
  const { code, stderr } = await first.program.ended;
  isGone = true;
  assert.deepEqual([code, stderr], [0, ""]);
  await Promise.all(moved);
});
