import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { bind } from "../../src/index.ts";
import { run, serving, start } from "./program.ts";
import { portOf } from "../fixtures/port-of.ts";

test("over a stream each text is a line, and so is each reply", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "upper"]);
  const { code, stdout, stderr } = await run(t, ["send", address, "hola", "adiós", "--count", "2"]);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "HOLA\nADIÓS\nHOLA\nADIÓS\n" });
  assert.match(stderr, /^(reply from tcp:\S+ in \d+\.\d\d ms, \d bytes\n){4}4 sent, 4 replies\n$/);
});

test("a reply without a line end counts when the server ends", async (t) => {
  const server = net.createServer((socket) => socket.end("half")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  const port = await portOf(server);
  const { code, stdout } = await run(t, ["send", `tcp://127.0.0.1:${port}`, "x"]);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "half\n" });
});

test("no reply in time fails; --wait 0 expects none", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "discard"]);
  const silent = await run(t, ["send", address, "x", "--wait", "20"]);
  assert.equal(silent.code, 1);
  assert.match(silent.stderr, /^zocalo: TIMEOUT tcp:\S+: no reply within 20 ms/);
  assert.deepEqual(await run(t, ["send", address, "x", "--wait", "0"]), {
    code: 0,
    signal: null,
    stdout: "",
    stderr: "",
  });
});

test("the connection is made as connect makes it", async (t) => {
  const { code, stderr } = await run(t, ["send", "unix:/no/such/listener.sock", "x", "--wait-for-server", "20"]);
  assert.equal(code, 1);
  assert.match(stderr, /^zocalo: PATH_NOT_FOUND/);
});

test("--count is a loop: any number of messages begins at once, and Ctrl-C ends it", async (t) => {
  const box = await bind("udp://127.0.0.1:0");
  t.after(() => box.close());
  const options = ["--count", "9007199254740991", "--interval", "3600000", "--wait", "0"];
  const datagrams = start(t, ["send", String(box.localAddress), "hola", ...options]);
  assert.equal(String((await box.receive()).data), "hola");
  const { server, address } = await serving(t, ["tcp://127.0.0.1:0"]);
  const lines = start(t, ["send", address, "adiós", ...options]);
  await server.shows(/^adiós\n$/);
  for (const sending of [datagrams, lines]) {
    sending.child.kill("SIGINT");
    assert.equal((await sending.ended).signal, "SIGINT");
  }
});
