/**
 * Calls that send, and that nobody awaits: what a peer does or does not do must not end the process. A mistake of the call
 * itself still shows as an unhandled rejection.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { lines } from "../../src/framing.ts";
import { bind, connect, listen, serve, type StreamSocket } from "../../src/index.ts";

const LARGE = new Uint8Array(16_000_000);

let escaped: unknown[] = [];
const escape = (reason: unknown): void => void escaped.push(reason);
beforeEach(() => {
  escaped = [];
  process.on("unhandledRejection", escape);
});
afterEach(() => process.off("unhandledRejection", escape));

/** Rejections that nobody looks at are told behind the microtasks of a turn. */
async function settled(): Promise<unknown[]> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  return escaped;
}

async function pair(): Promise<readonly [StreamSocket, StreamSocket]> {
  await using listener = await listen("tcp://127.0.0.1:0");
  return await Promise.all([connect(listener.localAddress), listener.accept()]);
}

test("a peer that resets the connection while writes are under way, and before others", async () => {
  const [call, peer] = await pair();
  const text = peer.framed(lines());
  void peer.write(LARGE);
  void peer.write(LARGE, { timeoutMs: 60_000 });
  void text.send("x".repeat(60_000));
  void text.sendMany(["a", "b"]);
  void text.flush();
  void peer.end();
  call.abort();
  await peer.closed;
  void peer.write("later");
  void peer.end();
  void peer.close();
  void text.send("later");
  void text.close();
  assert.deepEqual(await settled(), []);
});

test("a peer that does not read: the queue is full, time runs out, and what was written cannot be delivered", async () => {
  const [call, peer] = await pair();
  void peer.write(LARGE);
  void peer.write(LARGE);
  void peer.write(LARGE);
  const late = peer.write("x", { timeoutMs: 1 });
  const closing = peer.close({ lingerMs: 1, maxLingerMs: 1 });
  assert.equal((await peer.closed).how, "aborted");
  assert.deepEqual(await settled(), []);
  // Whoever awaits them still hears.
  await assert.rejects(late, { code: "TIMEOUT" });
  await assert.rejects(closing, { code: "TIMEOUT" });
  call.abort();
});

test("a handler that returns before its last write, and a client that resets", async () => {
  const problems: unknown[] = [];
  const server = await serve("tcp://127.0.0.1:0", (peer) => void peer.write(LARGE), {
    onError: (error) => problems.push((error as { code: string }).code),
  });
  const call = await connect(server.localAddress);
  await call.readExactly(1);
  call.abort();
  await server.close();
  assert.deepEqual(await settled(), []);
  // It is told where the server tells of its peers.
  assert.deepEqual(problems, ["CONNECTION_RESET"]);
});

test("a peer that is not there", async () => {
  const gone = await bind("udp://127.0.0.1:0");
  await gone.close();
  await using box = await bind("udp://127.0.0.1:0", { remote: gone.localAddress });
  const text = box.framed(lines());
  await box.send("anybody?");
  const refused = await box.receive().catch((error: unknown) => (error as { code: string }).code);
  assert.equal(refused, "CONNECTION_REFUSED");
  for (let count = 0; count < 10; count += 1) {
    void box.send("anybody?");
    void text.send("anybody?");
    void box.sendMany([{ data: "anybody?" }]);
    void text.sendMany(["anybody?"]);
    await nextTurn();
  }
  assert.deepEqual(await settled(), []);
});

test("a mistake of the call is not kept quiet", () => {
  const library = new URL("../../src/index.js", import.meta.url).href;
  const program = `
    import { bind, pair } from ${JSON.stringify(library)};
    import { lines } from ${JSON.stringify(new URL("../../src/framing.js", import.meta.url).href)};
    process.on("unhandledRejection", (error) => console.log(error.op, error.code));
    const [left] = pair();
    const box = await bind("udp://127.0.0.1:0");
    left.write(5);
    box.send("to whom?");
    box.sendMany([{ data: "to whom?" }]);
    left.framed(lines()).onMessages(() => undefined, { timeoutMs: -1 });
    box.onDatagrams(() => undefined, { timeoutMs: -1 });
    await box.close();
  `;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  const told = ["write", "send", "sendMany", "onMessages", "onDatagrams"].map((op) => `${op} OPTION_INVALID`);
  assert.deepEqual(stdout.trim().split("\n"), told);
});

/** Handlers that take all that comes, with what the peer does to them. */
const PUSHES: Readonly<Record<string, string>> = {
  "onMessages, a peer that resets": `text.onMessages(() => undefined); call.abort();`,
  "onMessages, a peer that breaks the framing": `text.onMessages(() => undefined); call.write(new Uint8Array(70_000));`,
  "onMessages, a peer that is silent": `text.onMessages(() => undefined, { timeoutMs: 1 });`,
  "onMessages, a handler that fails": `text.onMessages(() => { throw new Error("handler"); }); call.write("x\\n");`,
  "onFrames, a peer that resets": `text.onFrames(() => undefined); call.abort();`,
  "onDatagrams, nobody there": `lonely.onDatagrams(() => undefined); lonely.send("x");`,
  "onDatagrams, a handler that fails": `
    box.onDatagrams(() => { throw new Error("handler"); });
    box.send("x", box.localAddress);`,
  "onMessages of datagrams, nobody there": `lonely.framed(lines()).onMessages(() => undefined); lonely.send("x");`,
};

for (const [name, program] of Object.entries(PUSHES)) {
  test(`in a process of its own, ${name}: it goes on`, () => {
    const index = JSON.stringify(new URL("../../src/index.js", import.meta.url).href);
    const framing = JSON.stringify(new URL("../../src/framing.js", import.meta.url).href);
    const source = `
      import { bind, connect, listen, sleep } from ${index};
      import { lines } from ${framing};
      const listener = await listen("tcp://127.0.0.1:0");
      const call = await connect(listener.localAddress);
      const peer = await listener.accept();
      const box = await bind("udp://127.0.0.1:0");
      const gone = await bind("udp://127.0.0.1:0");
      const lonely = await bind("udp://127.0.0.1:0", { remote: gone.localAddress });
      await gone.close();
      const text = peer.framed(lines());
      ${program}
      await sleep(50);
      console.log("goes on");
      peer.abort();
      call.abort();
      await Promise.all([listener.close(), box.close(), lonely.close()]);
    `;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source]);
    assert.deepEqual([status, String(stdout), String(stderr)], [0, "goes on\n", ""]);
  });
}
