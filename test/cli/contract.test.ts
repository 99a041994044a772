import assert from "node:assert/strict";
import { test } from "node:test";
import { contractFile } from "./contracts.ts";
import { run } from "./program.ts";

const OLDER = `export const chat = contract("chat", "1.0.0", {
  server: { join: call(z.object({ room: z.string() }), z.object({ members: z.number() }), { description: "Goes in." }) },
  client: { said: event(z.string()) },
});`;
const NEWER = `export const chat = contract("chat", "1.1.0", {
  server: { join: call(z.object({ room: z.string() }), z.object({ members: z.number() })), leave: call() },
  client: { said: event(z.string()) },
});`;
const BROKEN = `export const chat = contract("chat", "1.1.0", {
  server: { join: call(z.object({ room: z.string(), name: z.string() }), z.object({ members: z.number() })) },
});`;

test("show prints the documentation of a contract", async (t) => {
  const { code, stdout, stderr } = await run(t, ["contract", "show", contractFile(t, OLDER)]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.match(stdout, /^# chat 1\.0\.0\n\nAccepts peers of version 1\.x\./);
  assert.match(stdout, /^### call `join`\n\nGoes in\.\n\nRequest:\n\n```json\n/m);
  assert.match(stdout, /^## What the client offers\n\n### event `said`$/m);
});

test("diff: nothing breaks", async (t) => {
  const files = [contractFile(t, OLDER), contractFile(t, NEWER)];
  const text = await run(t, ["contract", "diff", ...files]);
  assert.deepEqual({ code: text.code, stderr: text.stderr }, { code: 0, stderr: "" });
  assert.equal(text.stdout.split("\n")[0], "compatible: chat 1.0.0 to chat 1.1.0");
  assert.match(text.stdout, /^ {2}fine {4}server\.leave: is new; old clients do not know it$/m);
  assert.ok(!text.stdout.includes("breaks"));

  const json = await run(t, ["contract", "diff", "--json", ...files]);
  assert.deepEqual([json.code, json.stderr], [0, ""]);
  const found = JSON.parse(json.stdout) as { compatible: boolean; older: { version: string }; changes: object[] };
  assert.deepEqual([found.compatible, found.older.version, found.changes.length], [true, "1.0.0", 1]);
});

test("diff: exit code 1 when old clients break, and the reasons", async (t) => {
  const files = [contractFile(t, OLDER), contractFile(t, BROKEN)];
  const text = await run(t, ["contract", "diff", ...files]);
  assert.equal(text.code, 1);
  assert.match(
    text.stdout,
    /^not compatible: chat 1\.0\.0 to chat 1\.1\.0\n {2}breaks {2}server\.join: the request: .*"name"/,
  );
  assert.match(text.stdout, /^ {2}breaks {2}contract: the version must become 2\.0\.0/m);
  assert.match(text.stderr, /^zocalo: CONTRACT_INCOMPATIBLE: 2 changes of chat; .*\n$/);

  const json = await run(t, ["contract", "diff", ...files, "--json"]);
  assert.equal(json.code, 1);
  assert.equal((JSON.parse(json.stdout) as { compatible: boolean }).compatible, false);
  assert.equal((JSON.parse(json.stderr) as { code: string }).code, "CONTRACT_INCOMPATIBLE");
  // The other way round an upgrade asks for less.
  assert.equal((await run(t, ["contract", "diff", files[1]!, files[0]!])).code, 1);
});

test("which contract of a file is meant", async (t) => {
  const two = contractFile(t, `${OLDER}\nexport const other = contract("other", "2.0.0", {});`);
  const unclear = await run(t, ["contract", "show", two]);
  assert.equal(unclear.code, 2);
  assert.match(unclear.stderr, /has more than one contract; it has: chat, other; choose one with --export NAME\n$/);
  const named = await run(t, ["contract", "show", two, "--export", "other"]);
  assert.match(named.stdout, /^# other 2\.0\.0\n/);
  const missing = await run(t, ["contract", "show", two, "--export", "chats"]);
  assert.match(missing.stderr, /has no contract called "chats"; it has: chat, other;/);

  const standard = contractFile(t, `${OLDER}\nexport default contract("main", "1.0.0", {});`);
  assert.match((await run(t, ["contract", "show", standard])).stdout, /^# main 1\.0\.0\n/);
  const none = await run(t, ["contract", "diff", contractFile(t, "export const x = { name: 'x' };"), two]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^zocalo: OPTION_INVALID: .* exports no contract; write `export const name = contract\(/);
});

test("files that cannot be read", async (t) => {
  const absent = await run(t, ["contract", "show", "/no/such.mjs"]);
  assert.deepEqual([absent.code, absent.stdout], [1, ""]);
  assert.match(absent.stderr, /^zocalo: PATH_NOT_FOUND \/no\/such\.mjs: there is no such file\n$/);
  const wrong = contractFile(t, 'export const bad = contract("bad", "one", {});');
  const broken = await run(t, ["contract", "show", wrong]);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^zocalo: FILE_UNSUPPORTED: .* cannot be loaded: .*a version like "1\.2\.0"/);
});
