import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../../test/cli/program.ts";
import { FILE } from "../../../test/cli/simulations.ts";

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
