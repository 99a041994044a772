/** No file descriptors left: what was asked for fails with a typed error, and a server survives it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/index.ts";
import { gone } from "./listeners.ts";

/** Enough for Node to start, and soon used up. */
const DESCRIPTORS = 80;
const CLIENTS = 40;
/** A path of so many bytes is too long for the name that its socket gets first, and short enough for the one that stays. */
const LONG_PATH_BYTES = 101;

const INDEX = JSON.stringify(new URL("../../src/index.js", import.meta.url).href);
const PROGRAM = `
  import { bind, connect, listen, serve, serveDatagrams } from ${INDEX};
  import { closeSync, openSync } from "node:fs";
  process.on("unhandledRejection", (reason) => { console.error(reason); process.exit(70); });
  const server = await serve("tcp://127.0.0.1:0", async (peer) => {
    for await (const bytes of peer) await peer.write(bytes);
  });
  const held = [];
  const fill = () => { try { for (;;) held.push(openSync("/dev/null")); } catch { return; } };
  const free = (count) => { for (const fd of held.splice(0, count)) closeSync(fd); };
  const { port } = server.localAddress;
  const calls = {
    connect: () => connect("tcp://127.0.0.1:" + port),
    name: () => connect("tcp://localhost:" + port),
    tls: () => connect("tls://127.0.0.1:" + port),
    unix: () => connect("unix:" + process.env.TMPDIR + "/no-such.sock"),
    listen: () => listen("tcp://127.0.0.1:0"),
    path: () => listen("unix:" + process.env.TMPDIR + "/listener.sock"),
    longPath: () => listen("unix:" + (process.env.TMPDIR + "/").padEnd(${LONG_PATH_BYTES}, "n")),
    serve: () => serve("tcp://127.0.0.1:0", () => undefined),
    bind: () => bind("udp://127.0.0.1:0"),
    serveDatagrams: () => serveDatagrams("udp://127.0.0.1:0", () => undefined),
  };
  const actions = {
    // Ten are left for connections.
    fill: () => { fill(); free(10); },
    calls: async () => {
      for (let turn = 0; server.stats.open > 0 || turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      const codes = {};
      for (const [name, call] of Object.entries(calls)) {
        fill();
        codes[name] = await call().then(() => "opened", (error) => error.code);
      }
      free(Infinity);
      return codes;
    },
    end: async () => {
      const { cut } = await server.close({ timeoutMs: 10_000 });
      setImmediate(() => process.disconnect());
      return { cut, open: server.stats.open };
    },
  };
  process.on("message", async (name) => process.send({ name, answer: await actions[name]() ?? null }));
  process.send({ name: "ready", answer: port });
`;

const posix = { skip: process.platform === "win32" };

test("a server without descriptors goes on, and every opening call says what is the matter", posix, async (t) => {
  const command = `ulimit -n ${DESCRIPTORS} && exec "$0" --input-type=module -e "$1"`;
  const folder = mkdtempSync(join(tmpdir(), "zocalo-descriptors-"));
  const child = spawn("/bin/sh", ["-c", command, process.execPath, PROGRAM], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  const exited = once(child, "exit");
  const answer = async (): Promise<unknown> => ((await once(child, "message")) as [{ answer: unknown }])[0].answer;
  const tell = (name: string): Promise<unknown> => {
    const answered = answer();
    child.send(name);
    return answered;
  };
  const port = Number(await answer());
  await tell("fill");

  // More than it has descriptors for: some are served, the others are closed by the system library at once.
  const outcomes = await Promise.all(Array.from({ length: CLIENTS }, () => askRaw(port)));
  const served = outcomes.filter((one) => one.reply === "hola").length;
  assert.ok(served > 0 && served < CLIENTS, `${served} were served`);
  for (const { socket } of outcomes) socket.destroy();
  await Promise.all(outcomes.map(({ socket }) => gone(socket)));

  const codes = (await tell("calls")) as Record<string, string>;
  for (const [name, code] of Object.entries(codes)) assert.equal(code, "TOO_MANY_OPEN_FILES", name);
  assert.deepEqual(readdirSync(folder), [], "what an opening call had begun is removed");

  const call = await connect(`tcp://127.0.0.1:${port}`);
  await call.write("hola");
  assert.equal(String(await call.readExactly(4)), "hola");
  await call.close();
  assert.deepEqual(await tell("end"), { cut: 0, open: 0 });
  assert.deepEqual(await exited, [0, null]);
});

/** Asks, and waits for the answer or for the end. */
async function askRaw(port: number): Promise<{ readonly socket: net.Socket; readonly reply: string }> {
  const socket = net.connect({ host: "127.0.0.1", port });
  socket.write("hola");
  const reply = await new Promise<string>((resolve) => {
    socket.once("data", (bytes) => resolve(String(bytes))).once("close", () => resolve(""));
    socket.on("error", () => resolve(""));
  });
  return { socket, reply };
}
