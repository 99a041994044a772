import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { run, serving } from "./program.ts";

/** A bound socket of `node:dgram`. */
async function rawDatagramSocket(t: TestContext): Promise<dgram.Socket> {
  const socket = dgram.createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  return socket;
}

async function ask(socket: dgram.Socket, port: number, text: string): Promise<string> {
  const answer = once(socket, "message") as Promise<[Buffer]>;
  socket.send(text, port, "127.0.0.1");
  return (await answer)[0].toString();
}

test("the services answer datagrams, never with more than they got", async (t) => {
  const datagramSocket = await rawDatagramSocket(t);
  const answers = { echo: "straße", upper: "STRASSE", time: /^\d{4}-\d\d$/, chargen: ' !"#$%&' };
  for (const [service, expected] of Object.entries(answers)) {
    const { address, port } = await serving(t, ["udp://127.0.0.1:0", "--reply", service]);
    assert.match(address, /^udp:\/\/127\.0\.0\.1:\d+$/);
    const answer = await ask(datagramSocket, port, "straße");
    if (typeof expected === "string") assert.equal(answer, expected);
    else assert.match(answer, expected);
    assert.ok(Buffer.byteLength(answer) <= Buffer.byteLength("straße"));
  }
});

test("without --reply it shows each datagram on a line, and sends stdin to the last sender", async (t) => {
  const { server, port } = await serving(t, ["udp://127.0.0.1:0", "-v"]);
  const [one, two] = [await rawDatagramSocket(t), await rawDatagramSocket(t)];
  one.send("first", port, "127.0.0.1");
  await server.shows(/^first\n$/);
  two.send("second\n", port, "127.0.0.1");
  await server.shows(/^first\nsecond\n$/);
  const answer = once(two, "message") as Promise<[Buffer]>;
  server.child.stdin.write("to the last\n");
  assert.equal((await answer)[0].toString(), "to the last\n");
  server.child.kill("SIGINT");
  const { signal, stderr } = await server.ended;
  assert.equal(signal, "SIGINT");
  assert.match(stderr, /^from udp:\/\/127\.0\.0\.1:\d+, 5 bytes$/m);
});

test("--once takes one datagram", async (t) => {
  const datagramSocket = await rawDatagramSocket(t);
  const shown = await serving(t, ["udp://127.0.0.1:0", "--once", "--hex"]);
  datagramSocket.send(Buffer.of(0, 0x41), shown.port, "127.0.0.1");
  const { code, stdout } = await shown.server.ended;
  assert.equal(code, 0);
  assert.match(stdout, /^00000000 {2}00 41 +\|\.A\|\n$/);
  const answered = await serving(t, ["udp://127.0.0.1:0", "--once", "--reply", "upper"]);
  assert.equal(await ask(datagramSocket, answered.port, "a"), "A");
  assert.equal((await answered.server.ended).code, 0);
});

test("send: one datagram, its reply on stdout, its sender and time on stderr", async (t) => {
  const datagramSocket = await rawDatagramSocket(t);
  const { port } = datagramSocket.address();
  datagramSocket.on("message", (data, from) => datagramSocket.send(`got ${data.toString()}`, from.port, from.address));
  const { code, stdout, stderr } = await run(t, ["send", `udp://127.0.0.1:${port}`, "hola"]);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "got hola\n" });
  assert.match(stderr, new RegExp(`^reply from udp://127\\.0\\.0\\.1:${port} in \\d+\\.\\d\\d ms, 8 bytes\n$`));
});

test("send: each text is a datagram, --count repeats them, --json tells each reply", async (t) => {
  const { address } = await serving(t, ["udp://127.0.0.1:0", "--reply", "upper"]);
  const args = ["send", address, "a", "b", "--count", "2", "--interval", "1", "--json"];
  const { code, stdout, stderr } = await run(t, args);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "A\nB\nA\nB\n" });
  const events = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["open", "reply", "reply", "reply", "reply", "summary"],
  );
  assert.ok(events.slice(1, 5).every(({ rttMs, from }) => typeof rttMs === "number" && from === address));
  assert.deepEqual(events[5], { event: "summary", sent: 4, replies: 4 });
});

test("send: no reply in time fails, --wait 0 expects none, nobody there is told", async (t) => {
  const { server, address } = await serving(t, ["udp://127.0.0.1:0", "--reply", "discard"]);
  const silent = await run(t, ["send", address, "a", "b", "--wait", "20"]);
  assert.equal(silent.code, 1);
  assert.match(silent.stderr, /^2 sent, 0 replies\nzocalo: TIMEOUT udp:\S+: no reply within 20 ms; .*--wait 0 .*\n$/);
  assert.deepEqual(await run(t, ["send", address, "a", "--wait", "0"]), {
    code: 0,
    signal: null,
    stdout: "",
    stderr: "",
  });
  server.child.kill("SIGTERM");
  assert.equal((await server.ended).code, 0);
  const refused = await run(t, ["send", address, "a"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^zocalo: CONNECTION_REFUSED udp:\/\/127\.0\.0\.1:\d+: nothing listens there/);
});

test("send to a multicast group takes the replies of all", async (t) => {
  const group = "udp://239.255.43.21:0?interface=lo";
  const { address } = await serving(t, [group, "--public", "--reply", "upper"]);
  const second = await serving(t, [`${address}?interface=lo`, "--public", "--reply", "echo"]);
  assert.equal(second.address, address);
  const { code, stdout } = await run(t, ["send", `${address}?interface=lo`, "who", "--wait", "1000"]);
  assert.equal(code, 0);
  assert.deepEqual(stdout.trim().split("\n").sort(), ["WHO", "who"]);
});

const manyLoopbacks = process.platform === "linux" ? false : "only Linux has 127.0.0.2 without asking";

test("a service does not answer another one like itself", { skip: manyLoopbacks }, async (t) => {
  const { port } = await serving(t, ["udp://127.0.0.1:0", "--reply", "echo"]);
  const twin = dgram.createSocket("udp4").bind(port, "127.0.0.2");
  await once(twin, "listening");
  t.after(() => twin.close());
  const datagramSocket = await rawDatagramSocket(t);
  const first = once(twin, "message") as Promise<[Buffer]>;
  twin.send("answer me", port, "127.0.0.1");
  // Datagrams on loopback stay in order: when this one is answered, the other one was passed over.
  assert.equal(await ask(datagramSocket, port, "hola"), "hola");
  datagramSocket.send("mark", port, "127.0.0.2");
  assert.equal((await first)[0].toString(), "mark");
});
