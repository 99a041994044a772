import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../../test/cli/program.ts";
import { FILE } from "../../../test/cli/simulations.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { elementsOf } from "../../../test/cli/svg-elements.ts";

test("trace prints a timeline, or JSON with a rolling hash", async (t) => {
  const text = await run(t, ["sim", "trace", FILE, "--export", "fixed", "--seed", "1"]);
  assert.equal(text.code, 0);
  const [header = "", ...lines] = text.stdout.trimEnd().split("\n");
  assert.match(header, /^# \{"zocalo":"[\d.]+","runtime":"node [\d.]+".*"seed":1,/);
  for (const line of lines) assert.match(line, /^ +\d+\.\d{3} {2}(client|shop|world) +\S/);
  assert.ok(lines.some((line) => / {2}tcp \S+:7000 {2}send S \d+\/$/.test(line)));
  const json = await run(t, ["sim", "trace", FILE, "--export", "fixed", "--seed", "1", "--json"]);
  assert.equal(json.stdout.trimEnd().split("\n").length, lines.length + 1);
  const digest = (JSON.parse(json.stdout.trimEnd().split("\n").at(-1) ?? "") as { digest: string }).digest;
  const once = await run(t, ["sim", "run", FILE, "--export", "fixed", "--seed", "1"]);
  assert.match(once.stdout, new RegExp(`digest ${digest}\n`));
});

test("--svg draws to stdout or to a file, within bounds", async (t) => {
  const args = ["sim", "trace", FILE, "--export", "fixed", "--seed", "1", "--svg"];
  const whole = await run(t, args);
  assert.deepEqual([whole.code, whole.stderr], [0, ""]);
  assert.ok(elementsOf(whole.stdout).length > 20);
  assert.match(whole.stdout, />client<[^]*>SYN</);
  const file = join(temporaryFolder(t), "run.svg");
  assert.equal((await run(t, [...args, file])).stdout, "");
  assert.equal(readFileSync(file, "utf8"), whole.stdout);
  const few = await run(t, [...args, "--max", "1", "--seq"]);
  assert.match(few.stdout, />SYN, \d+\/<[^]*more packets are left out \(--from, --to, --max\)/);
  assert.match((await run(t, [...args, "--json"])).stderr, /cannot be used with/);
});
