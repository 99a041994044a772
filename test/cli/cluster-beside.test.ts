import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { missing } from "../fixtures/programs.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { run } from "./program.ts";

const ARGS = ["cluster", "demo", "--for", "1", "--journal", "file", "--json", "--beside"];

/** A program that does the work as it should, in the Redis that it is given. */
const PROGRAM = `
import { openPlaza, servePlaza } from ${JSON.stringify(new URL("../../src/cli/demo/plaza.js", import.meta.url).href)};
import { redisJournal } from ${JSON.stringify(new URL("../../src/journal-redis.js", import.meta.url).href)};
const ignore = () => undefined;
export async function serve({ port, place }) {
  const owner = { resumed: ignore, moved: ignore, failed: ignore };
  const server = await servePlaza("tcp://127.0.0.1:" + port, redisJournal({ url: place, name: "beside" }), owner);
  return { figures: () => ({ sessions: server.stats.sessions }) };
}
export const open = ({ ports, group }, owner) => openPlaza(ports.map((port) => "tcp://127.0.0.1:" + port), group, owner);
`;

test("another program does the same work, and its sums stand behind ours", {
  skip: missing("redis-server"),
}, async (t) => {
  const module = join(temporaryFolder(t), "other.mjs");
  writeFileSync(module, PROGRAM);
  const { code, stdout, stderr } = await run(t, [...ARGS, module]);
  assert.equal(code, 0, stderr);
  const events = stderr
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : []));
  assert.deepEqual(
    events.map(({ event }) => event),
    ["open", "killed", "back", "result", "killed", "back", "beside"],
  );
  const { wanted, lost, doubled, wrong } = events.at(-1) ?? {};
  assert.deepEqual([wanted, lost, doubled, wrong], [3_000, 0, 0, 0]);
  assert.match(stdout, /^4 {2}The same work with other\.mjs$/m);
  assert.ok(stdout.split("\n").every((line) => line.length < 80));
});

test("a module that cannot be used is refused before anything is started", async (t) => {
  const folder = temporaryFolder(t);
  const absent = await run(t, [...ARGS, join(folder, "absent.mjs")]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /"code":"PATH_NOT_FOUND"/);
  assert.equal(absent.stdout, "");
  const empty = join(folder, "empty.mjs");
  writeFileSync(empty, "");
  assert.match((await run(t, [...ARGS, empty])).stderr, /does not export serve and open/);
});
