import assert from "node:assert/strict";
import { ChildProcess } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { portOf } from "../../../test/fixtures/port-of.ts";
import { runProgram } from "./program.ts";

/** Runs a program that ignores SIGTERM, until `end` ends it; answers its exit code. The time is that of the test. */
async function codeOf(t: TestContext, end: () => void): Promise<number> {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"] });
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = names.map((name) => [name, process.listeners(name)] as const);
  t.after(() => {
    for (const [name, listeners] of before) {
      process.removeAllListeners(name);
      for (const listener of listeners) process.on(name, listener);
    }
  });
  const server = net.createServer((socket) => t.after(() => socket.destroy())).listen(0, "127.0.0.1");
  t.after(() => server.close());
  const port = await portOf(server);
  const stop = new AbortController();
  const program = `process.on("SIGTERM", () => undefined); require("node:net").connect(${port}, "127.0.0.1")`;
  const code = runProgram([process.execPath, "-e", program], {}, stop.signal);
  await once(server, "connection");
  stop.abort();
  end();
  return await code;
}

test("a program that ignores SIGTERM gets SIGKILL 5 seconds later", async (t) => {
  assert.equal(await codeOf(t, () => t.mock.timers.tick(5_000)), 137);
});

test("another signal is SIGKILL at once, but not the same one from npx", async (t) => {
  const kill = t.mock.method(ChildProcess.prototype, "kill");
  const sent = (): readonly unknown[] => kill.mock.calls.map((call) => call.arguments[0]);
  const code = await codeOf(t, () => {
    process.emit("SIGINT", "SIGINT");
    t.mock.timers.tick(300);
    process.emit("SIGTERM", "SIGTERM");
    assert.deepEqual(sent(), ["SIGTERM"]);
    t.mock.timers.tick(1);
    process.emit("SIGINT", "SIGINT");
    assert.deepEqual(sent(), ["SIGTERM", "SIGKILL"]);
  });
  assert.equal(code, 137);
});
