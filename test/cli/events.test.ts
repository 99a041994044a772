import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { RawClient } from "../sessions/raw-client.ts";
import { atEnd } from "../sessions/opened.ts";
import { contractFile } from "./contracts.ts";
import { run, start } from "./program.ts";
import { FILE_TEXT, serveChat } from "./served-chat.ts";
import { portOf } from "../fixtures/port-of.ts";

test("each event is a line of JSON, until the server ends", async (t) => {
  const { address, file, server } = await serveChat(t);
  const feed = start(t, ["events", "-v", address, file, "--call", 'join {"room":"plaza"}']);
  await feed.tells(/^join answers \{"members":1\}$/m);
  server.group("plaza").remote.said("hola");
  server.group("market").remote.said("nobody hears this");
  server.remote.said("two\nlines \u009b2J");
  await feed.shows(/lines/);
  // The command offers no answers, and says so.
  const [session] = [...server.sessions.values()];
  await assert.rejects(session!.remote.confirm("yes?"), { code: "UNSUPPORTED" });
  await server.close({ timeoutMs: 0 });
  const { code, stdout, stderr } = await feed.ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '{"event":"said","message":"hola"}\n{"event":"said","message":"two\\nlines \\u009b2J"}\n');
  assert.match(stderr, /^the server has closed the session: the server is leaving$/m);
});

test("Ctrl-C ends it by the signal, a lost connection with SESSION_LOST, a reader that has gone in silence", async (t) => {
  const { address, file, server } = await serveChat(t);
  const first = start(t, ["events", "-v", address, file]);
  await first.tells(/^session /m);
  first.child.kill("SIGINT");
  assert.equal((await first.ended).signal, "SIGINT");

  const second = start(t, ["events", "-v", address, file]);
  await second.tells(/^session /m);
  for (const session of server.sessions.values()) session.abort();
  assert.equal((await second.ended).code, 1);
  assert.match((await second.ended).stderr, /^zocalo: SESSION_LOST tcp:\S+: the connection is lost/m);

  const third = start(t, ["events", "-v", address, file]);
  await third.tells(/^session /m);
  third.child.stdout.destroy();
  server.remote.said("hola");
  const { code, stderr } = await third.ended;
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /^zocalo:/m);
});

test("--reconnect comes back, and calls again in a new session", async (t) => {
  const { address, file, server } = await serveChat(t);
  const feed = start(t, ["events", "-v", "--reconnect", address, file, "--call", 'join {"room":"plaza"}']);
  await feed.tells(/^join answers/m);
  for (const session of server.sessions.values()) session.abort();
  await feed.tells(/^the connection is lost; coming back\na new session \(aborted\).*\njoin answers/m);
  server.group("plaza").remote.said("again");
  await feed.shows(/again/);
  feed.child.kill("SIGINT");
  assert.equal((await feed.ended).signal, "SIGINT");
});

test("a first call that fails ends it; what is written wrong", async (t) => {
  const { address, file } = await serveChat(t);
  const failing = await run(t, ["events", address, file, "--call", 'fail "known"']);
  assert.deepEqual([failing.code, failing.stdout], [1, ""]);
  assert.equal(failing.stderr, 'zocalo: ROOM_FULL: the room is full {"seats":12}\n');
  const silent = contractFile(t, 'export const silent = contract("silent", "1.0.0", { server: { now: call() } });');
  for (const [args, line] of [
    [[address, silent], /clients of silent 1\.0\.0 are sent no events/],
    [[address, file, "--call", 'count {"to":3}'], /--call count: a stream is for zocalo call/],
    [[address, file, "--call", "leave"], /does not offer "leave"/],
  ] as const) {
    const { code, stderr } = await run(t, ["events", ...args]);
    assert.match(stderr, line);
    assert.notEqual(code, 0);
  }
});

test("what a hostile server says of itself gives no orders to a terminal", async (t) => {
  const orders = "\u001b]0;mine\u0007\u009b2J\r\n";
  const listener = net.createServer((socket) => {
    const peer = new RawClient(socket);
    atEnd(() => peer.close());
    const greet = async (): Promise<void> => {
      await peer.welcome({ version: "1.2.0", codec: "json", session: `s${orders}` });
      const reason = Buffer.from(JSON.stringify({ code: "SESSION_TAKEN_OVER", message: `taken${orders}` }));
      peer.send(0x15, Buffer.concat([Buffer.alloc(8), reason]));
    };
    void greet();
  });
  listener.listen(0, "127.0.0.1");
  atEnd(() => listener.close());
  const port = await portOf(listener);
  const { code, stdout, stderr } = await run(t, [
    "events",
    "-v",
    `tcp://127.0.0.1:${port}`,
    contractFile(t, FILE_TEXT),
  ]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^session s\ufffd\]0;mine/);
  assert.match(stderr, /^zocalo: SESSION_TAKEN_OVER.*taken\ufffd/m);
  assert.doesNotMatch(stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});
