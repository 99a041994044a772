/** Streams of `zocalo call`: items from stdin, items to stdout, and every way in which they end. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bytes, contract, RemoteError, serveSessions, stream, typeOnly } from "../../src/protocol.ts";
import { z } from "zod";
import { contractFile } from "./contracts.ts";
import { run, start } from "./program.ts";
import { gate } from "../fixtures/gate.ts";

const numbers = contract("numbers", "1.0.0", {
  server: {
    sum: stream({ sends: typeOnly<number>(), receives: z.number() }),
    store: stream({ request: typeOnly<string>(), receives: bytes }),
    endless: stream({ sends: typeOnly<number>() }),
    first: stream({ sends: typeOnly<number>(), receives: typeOnly<number>() }),
    refuse: stream({ sends: typeOnly<number>(), receives: typeOnly<number>() }),
  },
});

const FILE_TEXT = `export const numbers = contract("numbers", "1.0.0", {
  server: {
    sum: stream({ sends: typeOnly(), receives: typeOnly() }), store: stream({ request: typeOnly(), receives: bytes }),
    endless: stream({ sends: typeOnly() }), first: stream({ sends: typeOnly(), receives: typeOnly() }),
    refuse: stream({ sends: typeOnly(), receives: typeOnly() }),
  },
});`;

async function serveNumbers(t: TestContext) {
  const stored = new Map<string, string>();
  const cancelled: string[] = [];
  const { open: tell, opened: over } = gate();
  const server = await serveSessions(numbers, "tcp://127.0.0.1:0", {
    handlers: {
      async *sum(_nothing, items, { signal }) {
        signal.addEventListener("abort", () => {
          cancelled.push("sum");
          tell();
        });
        let total = 0;
        for await (const item of items) yield (total += item);
      },
      async store(name, pieces) {
        let text = "";
        for await (const piece of pieces) text += Buffer.from(piece).toString();
        stored.set(name, text);
        tell();
      },
      async *endless(_nothing, _items, { signal }) {
        signal.addEventListener("abort", () => {
          cancelled.push("endless");
          tell();
        });
        for (let next = 1; ; next += 1) yield next;
      },
      async *first(_nothing, items) {
        // Not a loop: leaving one cancels the stream.
        const { value } = await items[Symbol.asyncIterator]().next();
        yield value as number;
      },
      async *refuse(_nothing, items) {
        for await (const item of items) {
          yield item;
          throw new RemoteError("FULL", "no more", { data: { after: item } });
        }
      },
    },
  });
  t.after(() => server.close({ timeoutMs: 0 }));
  return { server, address: String(server.localAddress), file: contractFile(t, FILE_TEXT), stored, cancelled, over };
}

test("each line of stdin is an item, and each item that comes is a line, as it comes", async (t) => {
  const { address, file, server } = await serveNumbers(t);
  const summing = start(t, ["call", address, file, "sum"]);
  summing.child.stdin.write("1\n2");
  await summing.shows(/^1\n$/);
  // The rest of a line, an empty line, an end of line of Windows, and a last line without an end.
  summing.child.stdin.write("0\n\n");
  await summing.shows(/^1\n21\n$/);
  summing.child.stdin.end("3\r\n4");
  const { code, stdout, stderr } = await summing.ended;
  assert.deepEqual([code, stdout, stderr], [0, "1\n21\n24\n28\n", ""]);
  assert.equal(server.stats.sessions, 0);
});

test("more items than a window holds", async (t) => {
  const { address, file } = await serveNumbers(t);
  const input = Array.from({ length: 50_000 }, (_, index) => `${index}\n`).join("");
  const { code, stdout, stderr } = await run(t, ["call", address, file, "sum"], { input });
  assert.equal(code, 0, stderr);
  assert.equal(stdout.split("\n").length, 50_001);
  assert.match(stdout, /\n1249975000\n$/);
});

test("a stream without answers: bytes as base64, with a question", async (t) => {
  const { address, file, stored, over } = await serveNumbers(t);
  const input = '"aG9sYSwg"\n"c29ja2V0"\n';
  const { code, stdout, stderr } = await run(t, ["call", address, file, "store", '"a"'], { input });
  assert.deepEqual([code, stdout, stderr], [0, "", ""]);
  await over;
  assert.deepEqual([...stored], [["a", "hola, socket"]]);
  const empty = await run(t, ["call", address, file, "store", '"b"']);
  assert.equal(empty.code, 0, empty.stderr);
});

test("a line that is no item: the stream is cancelled, and the error names the line", async (t) => {
  const { address, file, cancelled, over } = await serveNumbers(t);
  const summing = start(t, ["call", address, file, "sum"]);
  summing.child.stdin.write("1\n");
  // Its handler runs: one that is cancelled before it has begun is told nothing.
  await summing.shows(/^1\n$/);
  summing.child.stdin.end("{\n2\n");
  const wrong = await summing.ended;
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^zocalo: FRAME_INVALID: line 2 of stdin, an item of the stream sum, needs JSON/);
  await over;
  assert.deepEqual(cancelled, ["sum"]);
  const refused = await run(t, ["call", address, file, "sum"], { input: '1\n"two"\n' });
  assert.deepEqual([refused.code, refused.stdout], [1, "1\n"]);
  assert.match(
    refused.stderr,
    /^zocalo: FRAME_INVALID: .*an item of "sum" is not what its schema says: .*expected number/,
  );
  const base64 = await run(t, ["call", address, file, "store", '"c"'], { input: '"!"\n' });
  assert.match(base64.stderr, /^zocalo: FRAME_INVALID: line 1 of stdin, .* carries bytes: give them as base64/);
});

test("Ctrl-C and | head cancel the stream, and its handler is told", async (t) => {
  for (const [method, end] of [
    ["sum", "SIGINT"],
    ["endless", "SIGINT"],
    ["endless", "head"],
  ] as const) {
    const { address, file, cancelled, over, server } = await serveNumbers(t);
    const program = start(t, ["call", address, file, method]);
    if (method === "sum") program.child.stdin.write("1\n");
    await program.shows(/^1\n/);
    if (end === "head") program.child.stdout.destroy();
    else program.child.kill("SIGINT");
    const { code, signal, stderr } = await program.ended;
    assert.deepEqual([code, signal, stderr], end === "head" ? [0, null, ""] : [null, "SIGINT", ""]);
    await over;
    assert.deepEqual(cancelled, [method]);
    assert.equal(server.stats.sessions, 0);
  }
});

test("a server that has heard enough ends the command although stdin stays open; one that fails says why", async (t) => {
  const { address, file } = await serveNumbers(t);
  const first = start(t, ["call", address, file, "first"]);
  first.child.stdin.write("7\n");
  assert.deepEqual(await first.ended, { code: 0, signal: null, stdout: "7\n", stderr: "" });
  const refused = start(t, ["call", address, file, "refuse"]);
  refused.child.stdin.write("7\n");
  const failed = { code: 1, signal: null, stdout: "7\n", stderr: 'zocalo: FULL: no more {"after":7}\n' };
  assert.deepEqual(await refused.ended, failed);
  const lost = await serveNumbers(t);
  const waiting = start(t, ["call", lost.address, lost.file, "sum"]);
  waiting.child.stdin.write("7\n");
  await waiting.shows(/7/);
  await lost.server.close({ timeoutMs: 0 });
  const { code, stderr } = await waiting.ended;
  assert.equal(code, 1);
  assert.match(stderr, /^zocalo: CLOSED tcp:\S+: .*the server is leaving/);
});
