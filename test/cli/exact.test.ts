/** The command sends and shows values as they are, or says that it cannot. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { call, contract, event, serveSessions, stream, typeOnly } from "../../src/protocol.ts";
import { contractFile } from "./contracts.ts";
import { run, start } from "./program.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const mirror = contract("mirror", "1.0.0", {
  server: {
    echo: call(typeOnly<unknown>(), typeOnly<unknown>()),
    odd: call(typeOnly<number>(), typeOnly<unknown>()),
    items: stream({ sends: typeOnly<unknown>(), receives: typeOnly<unknown>() }),
    ask: event(typeOnly<number>()),
  },
  client: { told: event(typeOnly<unknown>()) },
});

const FILE_TEXT = `export const mirror = contract("mirror", "1.0.0", {
  server: {
    echo: call(typeOnly(), typeOnly()), odd: call(typeOnly(), typeOnly()),
    items: stream({ sends: typeOnly(), receives: typeOnly() }), ask: event(typeOnly()),
  },
  client: { told: event(typeOnly()) },
});`;

/** What a server may say that JSON has no form for. */
const ODD: readonly unknown[] = [Number.NaN, { a: [Number.POSITIVE_INFINITY] }];

async function serveMirror(t: TestContext) {
  const heard: unknown[] = [];
  const server = await serveSessions(mirror, "tcp://127.0.0.1:0", {
    handlers: {
      echo(value) {
        heard.push(value);
        return value;
      },
      odd: (index) => ODD[index],
      async *items(_nothing, items) {
        for await (const item of items) {
          heard.push(item);
          yield item;
        }
        yield 1;
        yield Number.NaN;
      },
      ask: (index, { session }) => session.remote.told(ODD[index]),
    },
  });
  t.after(() => server.close({ timeoutMs: 0 }));
  return { address: String(server.localAddress), file: contractFile(t, FILE_TEXT), heard };
}

test("a question that would become another one is wrong usage, and not sent", async (t) => {
  const { address, file, heard } = await serveMirror(t);
  for (const [json, problem] of [
    ["9007199254740993", "the call echo: the number 9007199254740993 would become 9007199254740992"],
    ['{"id":[1e400]}', "the number 1e400 would become Infinity"],
    ['{"k":1,"k":2}', 'there are two members "k", and only one can be sent'],
  ] as const) {
    const { code, stdout, stderr } = await run(t, ["call", address, file, "echo", json]);
    assert.deepEqual([code, stdout], [2, ""], json);
    assert.ok(stderr.includes(problem), stderr);
  }
  const wrong = await run(t, ["events", address, file, "--call", "echo 9007199254740993"]);
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.deepEqual(heard, []);
  const { stdout } = await run(t, ["call", address, file, "echo", '[-0,1.0,1e2,0.1,"9007199254740993"]']);
  assert.equal(stdout, '[-0,1,100,0.1,"9007199254740993"]\n');
});

test("a credential that would become another one is wrong usage, and not shown", async (t) => {
  const { address, file } = await serveMirror(t);
  const auth = join(temporaryFolder(t), "auth.json");
  writeFileSync(auth, '{"id":9007199254740993}');
  const { code, stderr } = await run(t, ["call", "--auth", auth, address, file, "echo", "1"]);
  assert.equal(code, 2);
  assert.match(stderr, /--auth \S+: a number in it would become another one/);
  assert.doesNotMatch(stderr, /9007199254740993/);
});

test("an answer that JSON has no form for is no null, but an error", async (t) => {
  const { address, file } = await serveMirror(t);
  for (const [index, problem] of [
    [0, /JSON has no NaN/],
    [1, /JSON has no Infinity/],
  ] as const) {
    const { code, stdout, stderr } = await run(t, ["call", address, file, "odd", String(index)]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^zocalo: FRAME_INVALID/);
    assert.match(stderr, problem);
  }
});

test("items of a stream: a line that would become another value is none, nor is NaN shown as null", async (t) => {
  const { address, file, heard } = await serveMirror(t);
  const typed = await run(t, ["call", address, file, "items"], { input: "1\n9007199254740993\n3\n" });
  assert.equal(typed.code, 1);
  assert.match(typed.stderr, /FRAME_INVALID.*line 2 of stdin, .* would become 9007199254740992/);
  assert.ok(!heard.includes(9_007_199_254_740_992) && !heard.includes(3));
  const shown = await run(t, ["call", address, file, "items"], { input: "-0\n" });
  assert.deepEqual([shown.code, shown.stdout], [1, "-0\n1\n"]);
  assert.match(shown.stderr, /JSON has no NaN/);
});

test("an event that JSON has no form for ends the command, and is not shown as null", async (t) => {
  const { address, file } = await serveMirror(t);
  const events = start(t, ["events", address, file, "--call", "ask 0"]);
  const { code, stdout, stderr } = await events.ended;
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /FRAME_INVALID.*JSON has no NaN/);
});
