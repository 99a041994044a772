import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test, type TestContext } from "node:test";
import { PROGRAM, RunningProgram, serving } from "./program.ts";

/*
 * What a person at a terminal sees. `script` of util-linux runs a command on a terminal of its own; its stdin is the
 * keyboard, its stdout the screen.
 */

const { stdout: version } = spawnSync("/bin/sh", ["-c", "script --version"], { encoding: "utf8" });
const skip = version.includes("util-linux") ? false : "script of util-linux is not installed";

const ESCAPE = "\u001b[";

function onTerminal(t: TestContext, args: readonly string[], env: Record<string, string | undefined>): RunningProgram {
  // The shell makes room for the command: one that stayed would be interrupted by Ctrl-C itself, and answer 130.
  const command = `exec ${[process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(" ")}`;
  // Node takes the terminal of a continuous integration run for one without colours.
  const base = { TERM: "xterm-256color", NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };
  return new RunningProgram(t, "script", ["-qefc", command, "/dev/null"], { env: { ...base, ...env } });
}

test("colours on a terminal, none with NO_COLOR", { skip }, async (t) => {
  for (const [env, coloured] of [
    [{}, true],
    [{ NO_COLOR: "1" }, false],
    [{ TERM: "dumb" }, false],
  ] as const) {
    const failed = onTerminal(t, ["connect", "unix:/no/such/listener.sock"], env);
    const { code, stdout } = await failed.ended;
    assert.equal(code, 1);
    assert.match(stdout, /PATH_NOT_FOUND/);
    assert.equal(stdout.includes(ESCAPE), coloured, JSON.stringify([env, stdout]));
  }
});

test("a person talks to a server, ends with Ctrl-D, and is let go when the server ends", { skip }, async (t) => {
  const { server, address } = await serving(t, ["tcp://127.0.0.1:0"]);
  const person = onTerminal(t, ["connect", address], {});
  person.child.stdin.write("hola\n");
  await server.shows(/^hola\n$/);
  server.child.stdin.write("adiós\n");
  await person.shows(/adiós/);
  person.child.stdin.write("\u0004");
  server.child.stdin.end();
  assert.equal((await person.ended).code, 0);

  const second = await serving(t, ["tcp://127.0.0.1:0"], { input: "bye\n" });
  const waiting = onTerminal(t, ["connect", second.address], {});
  await waiting.shows(/bye/);
  second.server.child.kill("SIGTERM");
  assert.equal((await waiting.ended).code, 0);
});

test("Ctrl-C ends a server with 0, and a transfer by the signal", { skip }, async (t) => {
  const server = onTerminal(t, ["listen", "tcp://127.0.0.1:0", "--reply", "echo"], {});
  await server.shows(/listening on/);
  server.child.stdin.write("\u0003");
  assert.equal((await server.ended).code, 0);
  const waiting = onTerminal(t, ["listen", "tcp://127.0.0.1:0"], {});
  await waiting.shows(/listening on/);
  waiting.child.stdin.write("\u0003");
  assert.equal((await waiting.ended).code, 130);
});
