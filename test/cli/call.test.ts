import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { testCertificates } from "../fixtures/certificates.ts";
import { contractFile } from "./contracts.ts";
import { run, start } from "./program.ts";
import { serveChat } from "./served-chat.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { portOf } from "../fixtures/port-of.ts";

test("a call prints the answer as JSON; an event and an answer that is nothing print nothing", async (t) => {
  const { address, file, heard, server } = await serveChat(t);
  const joined = await run(t, ["call", address, file, "join", '{"room":"plaza"}']);
  assert.deepEqual(joined, { code: 0, signal: null, stdout: '{"members":1}\n', stderr: "" });
  const said = await run(t, ["call", address, file, "say", '"hola"']);
  assert.deepEqual([said.code, said.stdout, heard], [0, "", ["hola"]]);
  const reverse = await run(t, ["call", address, file, "reverse", '"aG9sYQ=="']);
  assert.equal(reverse.stdout, `"${Buffer.from("aloh").toString("base64")}"\n`);
  assert.equal(server.stats.sessions, 0, "the command closes its sessions");
});

test("of a stream each item is a line", async (t) => {
  const { address, file } = await serveChat(t);
  const { code, stdout } = await run(t, ["call", address, file, "count", '{"to":3}']);
  assert.deepEqual([code, stdout], [0, "1\n2\n3\n"]);
});

test("an error of the server is one line with code, message and data", async (t) => {
  const { address, file } = await serveChat(t);
  const known = await run(t, ["call", address, file, "fail", '"known"']);
  assert.deepEqual([known.code, known.stdout], [1, ""]);
  assert.equal(known.stderr, 'zocalo: ROOM_FULL: the room is full {"seats":12}\n');
  const unknown = await run(t, ["call", "--json", address, file, "fail", '"secret"']);
  assert.equal(unknown.code, 1);
  assert.equal((JSON.parse(unknown.stderr.split("\n").at(-2) ?? "") as { code: string }).code, "INTERNAL");
  assert.doesNotMatch(unknown.stderr, /secret/);
});

test("--timeout, Ctrl-C, and a server that goes end the call", async (t) => {
  const { address, file, server } = await serveChat(t);
  const late = await run(t, ["call", address, file, "wait", "--timeout", "400"]);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /^zocalo: TIMEOUT/);

  const waiting = start(t, ["call", "-v", address, file, "wait"]);
  await waiting.tells(/^session \S+: tcp:\S+ with tcp:\S+$/m);
  waiting.child.kill("SIGINT");
  assert.equal((await waiting.ended).signal, "SIGINT");

  const left = start(t, ["call", "-v", address, file, "wait"]);
  await left.tells(/^session /m);
  await server.close({ timeoutMs: 0 });
  assert.equal((await left.ended).code, 1);
  assert.match((await left.ended).stderr, /^zocalo: (CLOSED|SESSION_LOST)/m);
});

test("over Unix sockets and TLS, for clients that authenticate", async (t) => {
  const path = temporaryFolder(t);
  const { authority, server } = await testCertificates();
  writeFileSync(join(path, "ca.pem"), authority.cert);
  writeFileSync(join(path, "me.json"), '{"key":"of ana"}');
  const authenticate = ({ auth }: { readonly auth: unknown }): string | undefined =>
    (auth as { readonly key?: unknown } | undefined)?.key === "of ana" ? "ana" : undefined;
  const tls = { cert: server.cert, key: server.key };
  const secured = await serveChat(t, { tls, authenticate }, "tls://127.0.0.1:0");
  const args = ["call", secured.address, secured.file, "join", '{"room":"plaza"}', "--ca", join(path, "ca.pem")];
  const stranger = await run(t, args);
  assert.match(stranger.stderr, /^zocalo: UNAUTHENTICATED tls:\S+: .*; give credentials with --auth FILE\n$/);
  const ana = await run(t, [...args, "--auth", join(path, "me.json")]);
  assert.deepEqual([ana.code, ana.stdout], [0, '{"members":1}\n']);

  const local = await serveChat(t, {}, `unix:${join(path, "chat.sock")}`);
  assert.equal((await run(t, ["call", local.address, local.file, "join", '{"room":"x"}'])).code, 0);
});

test("--or names more servers, for when one does not answer", async (t) => {
  const { address, file } = await serveChat(t);
  const vacant = net.createServer().listen(0, "127.0.0.1");
  const nobody = `tcp://127.0.0.1:${await portOf(vacant)}`;
  vacant.close();
  await once(vacant, "close");
  const found = await run(t, ["call", nobody, file, "join", '{"room":"plaza"}', "--or", address]);
  assert.deepEqual([found.code, found.stdout], [0, '{"members":1}\n']);
  const none = await run(t, ["call", nobody, file, "join", "{}", "--or", nobody]);
  assert.match(
    none.stderr,
    /^zocalo: CONNECTION_REFUSED\b.*no server has taken the client; tried tcp:\S+ \(CONNECTION_REFUSED\), tcp:/,
  );
});

test("what is written wrong, before anything is sent", async (t) => {
  const { address, file, server } = await serveChat(t);
  const broken = join(temporaryFolder(t), "broken.json");
  writeFileSync(broken, "{secret");
  for (const [args, line, code] of [
    [[address, file, "jion"], /does not offer "jion"; it offers: join, fail, wait, reverse, say, count/, 2],
    [[address, file, "constructor"], /does not offer "constructor"/, 2],
    [[address, file, "join", "{room}"], /the call join needs JSON/, 2],
    [[address, file, "reverse", '"hola!"'], /carries bytes: give them as base64/, 2],
    [[address, file, "join", "{}", "--auth", "/no/such"], /--auth \/no\/such: it cannot be read/, 2],
    [[address, file, "join", "{}", "--auth", broken], /: it must hold JSON\n$/, 2],
    [[address, file, "join", "{}", "--insecure"], /--insecure needs a tls:\/\/ address/, 2],
    [[address, "/no/such.mjs", "wait"], /PATH_NOT_FOUND/, 1],
  ] as const) {
    const { stderr, ...end } = await run(t, ["call", ...args]);
    assert.match(stderr, line);
    assert.doesNotMatch(stderr, /secret/);
    assert.deepEqual([end.code, end.stdout], [code, ""]);
  }
  assert.equal(server.stats.opened, 0);
});

test("a program that does not speak zocalo, and none at all", async (t) => {
  const { file } = await serveChat(t);
  const other = net
    .createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    .listen(0, "127.0.0.1");
  t.after(() => other.close());
  const address = `tcp://127.0.0.1:${await portOf(other)}`;
  const wrong = await run(t, ["call", address, file, "wait"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^zocalo: PROTOCOL_MISMATCH\b.*, but HTTP/);
  other.close();
  await once(other, "close");
  assert.match((await run(t, ["call", address, file, "wait"])).stderr, /^zocalo: CONNECTION_REFUSED tcp:/);
});

test("a question or an event that its schema does not allow is not sent", async (t) => {
  const { address, server } = await serveChat(t);
  const strict = contractFile(
    t,
    `export const chat = contract("chat", "1.2.0", {
      server: { say: event(z.string()), join: call(z.object({ room: z.string() }), typeOnly()) },
      client: { said: event(typeOnly()), confirm: call(typeOnly(), typeOnly()) },
    });`,
  );
  const said = await run(t, ["call", address, strict, "say", "5"]);
  assert.deepEqual([said.code, said.stdout], [1, ""]);
  assert.match(said.stderr, /^zocalo: FRAME_INVALID: the event "say" is not what its schema says: .*expected string/);
  const empty = await run(t, ["call", address, strict, "join"]);
  assert.match(empty.stderr, /^zocalo: FRAME_INVALID: the question of "join" is not what its schema says: .*undefined/);
  assert.equal(server.stats.opened, 2);
});
