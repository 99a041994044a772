import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { run, serving } from "./program.ts";

const skip = process.platform === "win32" && "the commands are for a POSIX shell";

test("a child for each connection: its stdin and stdout are the connection", { skip }, async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--exec", "tr a-z A-Z; echo end $ZOCALO_REMOTE"]);
  const { code, stdout } = await run(t, ["connect", address], { input: "hola\n" });
  assert.equal(code, 0);
  assert.match(stdout, /^HOLA\nend tcp:\/\/127\.0\.0\.1:\d+\n$/);
});

test("a child that ends closes the connection; one that cannot be started does too", { skip }, async (t) => {
  for (const [command, said] of [
    ["echo bye", "bye\n"],
    ["no-such-command-here", ""],
  ] as const) {
    const { server, address } = await serving(t, ["tcp://127.0.0.1:0", "--exec", command, "--once", "-v"]);
    const client = net.connect(Number(new URL(address).port), "127.0.0.1");
    let text = "";
    for await (const bytes of client) text += String(bytes);
    assert.equal(text, said);
    const { code, stderr } = await server.ended;
    assert.equal(code, 0);
    assert.match(stderr, said === "" ? /exec: ended with exit code 127/ : /exec: ended with exit code 0/);
  }
});

test("when the peer goes, the child and its children are ended", { skip }, async (t) => {
  const command = "sleep 1000 & echo $! $$; wait";
  const { server, port } = await serving(t, ["tcp://127.0.0.1:0", "--exec", command, "-v"]);
  const client = net.connect(port, "127.0.0.1");
  client.on("error", () => undefined);
  const [bytes] = (await once(client, "data")) as [Buffer];
  const pids = bytes.toString().trim().split(" ").map(Number);
  assert.equal(pids.length, 2);
  client.resetAndDestroy();
  await server.tells(/exec: ended with SIGTERM/);
  // The shell was told to end with its whole group; the group's last member is gone when nobody can be signalled.
  for (const pid of pids) {
    while (isRunning(pid)) await new Promise((resolve) => setImmediate(resolve));
  }
});

test("when the server stops, the children are ended", { skip }, async (t) => {
  const { server, port } = await serving(t, ["tcp://127.0.0.1:0", "--exec", "echo $$; exec sleep 1000"]);
  const client = net.connect(port, "127.0.0.1");
  const [bytes] = (await once(client, "data")) as [Buffer];
  server.child.kill("SIGTERM");
  await once(client.resume(), "end");
  assert.equal((await server.ended).code, 0);
  assert.ok(!isRunning(Number(bytes.toString())));
});

test("over UDP a child for each datagram: the datagram is its stdin, its stdout the answer", { skip }, async (t) => {
  const { address } = await serving(t, ["udp://127.0.0.1:0", "--exec", "cat; echo , you are $ZOCALO_REMOTE"]);
  const { code, stdout } = await run(t, ["send", address, "one", "two"]);
  assert.equal(code, 0);
  assert.match(stdout, /^one, you are udp:\/\/127\.0\.0\.1:\d+\ntwo, you are udp:\S+\n$/);
});

test("over UDP with --public the answer is never longer than the datagram", { skip }, async (t) => {
  const { server, address } = await serving(t, ["udp://127.0.0.1:0", "--exec", "cat; echo more", "--public", "-v"]);
  const { code } = await run(t, ["send", address, "x", "--wait", "0"]);
  assert.equal(code, 0);
  await server.tells(/^exec: not answered: the answer has more than 1 byte$/m);
});

/** A process that has ended and that nobody has asked about (a zombie) does not run. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
