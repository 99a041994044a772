import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { missing } from "../fixtures/programs.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { run, SPANISH, start } from "./program.ts";

/** What happened, as `--json` tells it. */
function eventsOf(stderr: string): readonly Record<string, unknown>[] {
  const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

for (const [journal, servers, skip] of [
  ["file", 2, false],
  ["nats", 3, missing("nats-server")],
] as const) {
  test(`servers are killed, and sessions in ${journal} go on: nothing is lost or doubled`, { skip }, async (t) => {
    const { code, stdout, stderr } = await run(t, ["cluster", "demo", "--for", "2", "--journal", journal, "--json"]);
    assert.equal(code, 0, stderr);
    const [open, killed, back, result, ...more] = eventsOf(stderr);
    assert.deepEqual(more, []);
    assert.deepEqual([open?.["event"], open?.["journal"]], ["open", journal]);
    assert.ok(Array.isArray(open?.["servers"]) && open["servers"].length === servers);
    assert.deepEqual([killed?.["event"], killed?.["node"]], ["killed", 0]);
    assert.deepEqual([back?.["event"], back?.["node"]], ["back", 0]);
    assert.notEqual(killed?.["pid"], back?.["pid"]);
    const { wanted, calls, lost, doubled, outOfOrder, wrong, failed, fresh, continued } = result ?? {};
    assert.deepEqual({ wanted, calls }, { wanted: 6_000, calls: 120 });
    assert.deepEqual([lost, doubled, outOfOrder, wrong, failed, fresh], [0, 0, 0, 0, 0, 0]);
    assert.ok((continued as number) >= (killed?.["clients"] as number), `${String(continued)} went on`);

    assert.ok(!stdout.includes("\u001b"), "no colours without a terminal");
    assert.ok(stdout.split("\n").every((line) => line.length < 80));
    assert.match(stdout, /^zocalo cluster demo: servers die, /);
    assert.match(stdout, /^ +[\d.]+ s {2}server A is killed: process \d+, with \d+ clients$/m);
    assert.match(stdout, /^ +lost +0$/m);
  });
}

test("the cluster demo is Spanish", async (t) => {
  const args = ["cluster", "demo", "--for", "1", "--journal", "file"];
  const { code, stdout } = await run(t, args, { env: SPANISH });
  assert.equal(code, 0);
  assert.match(stdout, /^zocalo cluster demo: mueren servidores, .* \(en un archivo\)$/m);
  assert.match(stdout, /^ +perdidos +0$/m);
  assert.ok(stdout.split("\n").every((line) => line.length < 80));
});

test("interrupted in the middle, no process is left behind", async (t) => {
  const demo = start(t, ["cluster", "demo", "--for", "60", "--journal", "file"]);
  await demo.shows(/server A is killed/);
  demo.child.kill("SIGTERM");
  // The end of stderr, which the servers share, is the end of all of them.
  assert.equal((await demo.ended).signal, "SIGTERM");
});

test("NATS that is asked for and is not here, or does not start, is said in plain words", async (t) => {
  const folder = temporaryFolder(t);
  const args = ["cluster", "demo", "--journal", "nats"];
  const absent = await run(t, args, { env: { PATH: folder } });
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /^zocalo: DEMO_FAILED: there is no nats-server on the PATH; install it, or leave out /);
  const program = join(folder, "nats-server");
  writeFileSync(program, "#!/bin/sh\necho 'no room on the disk'\nexit 1\n");
  chmodSync(program, 0o755);
  const ended = await run(t, args, { env: { PATH: folder } });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^zocalo: DEMO_FAILED: nats-server ended before it was ready: no room on the disk\n$/);
});
