import assert from "node:assert/strict";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { run, serving, start } from "./program.ts";
import { gate } from "../fixtures/gate.ts";
import { portOf } from "../fixtures/port-of.ts";

/** `hola` and an empty message in each framing, as its specification writes them. */
const WIRE: Readonly<Record<string, Buffer>> = {
  lines: Buffer.from("hola\n\n"),
  length1: Buffer.from("\x04hola\0"),
  length2: Buffer.from("\0\x04hola\0\0"),
  length4: Buffer.from("\0\0\0\x04hola\0\0\0\0"),
  varint: Buffer.from("\x04hola\0"),
  netstring: Buffer.from("4:hola,0:,"),
  cobs: Buffer.from("\x05hola\0\x01\0"),
};

/** A server that takes everything until the peer ends, and answers with it in two pieces. */
async function mirror(t: TestContext): Promise<{ readonly address: string; readonly taken: Promise<Buffer> }> {
  const { open: done, opened: taken } = gate<Buffer>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const pieces: Buffer[] = [];
    t.after(() => socket.destroy());
    socket.on("data", (piece) => pieces.push(piece));
    socket.on("end", () => {
      const all = Buffer.concat(pieces);
      done(all);
      socket.write(all.subarray(0, 3));
      socket.end(all.subarray(3));
    });
  });
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  return { address: `tcp://127.0.0.1:${await portOf(server)}`, taken };
}

for (const [framing, wire] of Object.entries(WIRE)) {
  test(`connect --framing ${framing}: input lines are messages, messages are output lines`, async (t) => {
    const { address, taken } = await mirror(t);
    const input = "hola\r\n\n";
    const { code, stdout, stderr } = await run(t, ["connect", address, "--framing", framing], { input });
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "hola\n\n", stderr: "" });
    assert.deepEqual(await taken, wire);
  });
}

test("connect --framing slip, with --hex: digits, one message a line", async (t) => {
  const { address, taken } = await mirror(t);
  const args = ["connect", address, "--framing", "slip", "--hex"];
  const { code, stdout } = await run(t, args, { input: "hola\nñ" });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "68 6f 6c 61\nc3 b1\n" });
  assert.deepEqual(await taken, Buffer.from("hola\xc0\xc3\xb1\xc0", "latin1"));
});

test("json and msgpack: a line is a JSON value, sent and shown as it is, or in its own form", async (t) => {
  const input = '{ "n": 1 }\n[true, null, "ñ"]\n';
  for (const [framing, wire, shown] of [
    ["json", Buffer.from(input), input],
    ["msgpack", Buffer.from("\0\0\0\x04\x81\xa1n\x01\0\0\0", "latin1"), '{"n":1}\n[true,null,"ñ"]\n'],
  ] as const) {
    const { address, taken } = await mirror(t);
    const { code, stdout } = await run(t, ["connect", address, "--framing", framing], { input });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: shown });
    assert.deepEqual((await taken).subarray(0, wire.length), wire);
  }
});

test("json: numbers and members go and come as they were written", async (t) => {
  const line = '{"id":9007199254740993,"y":1.0,"k":1,"k":2, "e":1e400,"z":-0}';
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo", "--framing", "json"]);
  const connected = await run(t, ["connect", address, "--framing", "json"], { input: `${line}\n` });
  assert.deepEqual([connected.code, connected.stdout], [0, `${line}\n`]);
  const sent = await run(t, ["send", address, line, "--framing", "json"]);
  assert.deepEqual([sent.code, sent.stdout], [0, `${line}\n`]);
});

test("msgpack: what would become something else is refused, and not sent", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo", "--framing", "msgpack"]);
  for (const [line, problem] of [
    ["9007199254740993", "the number 9007199254740993 would become 9007199254740992"],
    ['{"k":1,"k":2}', 'there are two members "k"'],
  ] as const) {
    const { code, stdout, stderr } = await run(t, ["send", address, line, "--framing", "msgpack"]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.ok(stderr.startsWith("zocalo: FRAME_INVALID") && stderr.includes(problem), stderr);
  }
  const { stdout } = await run(t, ["send", address, "[-0,1.0,1e2]", "--framing", "msgpack"]);
  assert.equal(stdout, "[-0,1,100]\n");
});

test("msgpack: a message comes back as it was, also what JSON has no form for", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo", "--framing", "msgpack"]);
  const socket = net.connect({ host: "127.0.0.1", port: Number(new URL(address).port) });
  t.after(() => socket.destroy());
  // Bytes, NaN and a date.
  const message = Buffer.from("93c40101cb7ff8000000000000d6ff00000001", "hex");
  const framed = Buffer.concat([Buffer.from([0, 0, 0, message.length]), message]);
  socket.end(framed);
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  assert.deepEqual(Buffer.concat(pieces), framed);
});

test("what is not JSON fails, and is not sent", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "echo", "--framing", "json"]);
  for (const [command, text, input] of [
    ["connect", [], "hola\n"],
    ["send", ["hola"], null],
  ] as const) {
    const ended = await run(t, [command, address, ...text, "--framing", "json"], { input });
    assert.deepEqual({ code: ended.code, stdout: ended.stdout }, { code: 1, stdout: "" });
    assert.match(ended.stderr, /^zocalo: FRAME_INVALID.*: the message is not JSON, .*\n$/);
  }
});

test("a peer that breaks the framing fails, behind the messages that were whole", async (t) => {
  for (const [answer, shown, code] of [
    ["4:hola,5:hol", "hola\n", "FRAME_TRUNCATED"],
    ["4:hola,oops", "hola\n", "FRAME_INVALID"],
    ["99999999:", "", "FRAME_TOO_LONG"],
  ] as const) {
    const server = net.createServer((socket) => socket.on("error", () => undefined).end(answer));
    server.listen(0, "127.0.0.1");
    t.after(() => server.close());
    const port = await portOf(server);
    const ended = await run(t, ["connect", `tcp://127.0.0.1:${port}`, "--framing", "netstring"]);
    assert.deepEqual({ code: ended.code, stdout: ended.stdout }, { code: 1, stdout: shown });
    assert.match(ended.stderr, new RegExp(`^zocalo: ${code}`));
  }
});

test("JSON that is nested too deeply to be shown is the peer's mistake", async (t) => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const server = net.createServer((socket) => socket.on("error", () => undefined).end(`{"a":1}\n${deep}\n`));
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  const port = await portOf(server);
  const ended = await run(t, ["connect", `tcp://127.0.0.1:${port}`, "--framing", "json"]);
  assert.deepEqual({ code: ended.code, stdout: ended.stdout }, { code: 1, stdout: '{"a":1}\n' });
  assert.match(ended.stderr, /^zocalo: FRAME_INVALID/);
});

test("listen --framing talks to connect --framing", async (t) => {
  const { server, address } = await serving(t, ["tcp://127.0.0.1:0", "--framing", "length2"]);
  const client = start(t, ["connect", address, "--framing", "length2"]);
  client.child.stdin.write("who is there?\n");
  await server.shows(/^who is there\?\n$/);
  server.child.stdin.end("nobody\n");
  await client.shows(/^nobody\n$/);
  client.child.stdin.end("bye");
  assert.equal((await client.ended).code, 0);
  const { code, stdout } = await server.ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "who is there?\nbye\n" });
});

test("send --framing: each text is a message, and so is each reply", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--framing", "varint", "--reply", "upper"]);
  const { code, stdout, stderr } = await run(t, ["send", address, "hola", "a\nb", "--framing", "varint"]);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "HOLA\nA\nB\n" });
  assert.match(stderr, /^reply from tcp:\S+ in \d+\.\d\d ms, 4 bytes\nreply.* 3 bytes\n2 sent, 2 replies\n$/);
});

test("send --framing: no reply in time fails; --wait 0 expects none and everything is sent", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--framing", "cobs", "--reply", "discard"]);
  const silent = await run(t, ["send", address, "x", "--wait", "20", "--framing", "cobs"]);
  assert.equal(silent.code, 1);
  assert.match(silent.stderr, /^zocalo: TIMEOUT/);
  const { address: other, taken } = await mirror(t);
  const { code } = await run(t, ["send", other, "x", "y", "--wait", "0", "--framing", "netstring"]);
  assert.equal(code, 0);
  assert.equal(String(await taken), "1:x,1:y,");
});

test("the services answer in messages", async (t) => {
  const shown: Record<string, RegExp> = {
    echo: /^"hola"\n$/,
    time: /^"\d{4}-\d\d-\d\dT[\d:.]+Z"\n$/,
    chargen: /^" !\\"#.{68,}"\n$/,
  };
  for (const [service, reply] of Object.entries(shown)) {
    const { address } = await serving(t, ["tcp://127.0.0.1:0", "--framing", "json", "--reply", service]);
    const { code, stdout } = await run(t, ["send", address, '"hola"', "--framing", "json"]);
    assert.equal(code, 0);
    assert.match(stdout, reply);
  }
});

test("what does not go together with --framing is wrong usage", async (t) => {
  for (const [args, line] of [
    [["connect", "tcp://127.0.0.1:1", "--framing", "cbor"], /'cbor' is invalid\. Allowed choices are lines, length1/],
    [["connect", "tcp://127.0.0.1:1", "--framing", "lines", "--crlf"], /--crlf does not work with --framing/],
    [["connect", "tcp://127.0.0.1:1", "--framing", "json", "--hex"], /--hex does not work with --framing json/],
    [["send", "udp://127.0.0.1:1", "x", "--framing", "lines"], /--framing does not work over UDP/],
    [["listen", "udp://127.0.0.1:0", "--framing", "lines"], /--framing does not work over UDP/],
    [["listen", "tcp://127.0.0.1:0", "--framing", "lines", "--exec", "cat"], /--framing does not work with --exec/],
    [["listen", "tcp://127.0.0.1:0", "--framing", "json", "--reply", "upper"], /--reply upper does not work with/],
  ] as const) {
    const { code, stdout, stderr } = await run(t, args);
    assert.deepEqual({ args, code, stdout }, { args, code: 2, stdout: "" });
    assert.match(stderr, line);
    assert.equal(stderr.split("\n").length, 2, stderr);
  }
});
