import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../../test/cli/program.ts";
import { FILE } from "../../../test/cli/simulations.ts";

test("hunt ends with the first failure when it is asked to, and with 0 when there is none", async (t) => {
  const first = await run(t, ["sim", "hunt", FILE, "--seeds", "100000", "--first", "--workers", "1"]);
  assert.equal(first.code, 1);
  assert.match(first.stdout, /^\d{1,4} runs, 1 failed\n/);
  const none = await run(t, ["sim", "hunt", FILE, "--seeds", "20", "--export", "fixed"]);
  assert.deepEqual([none.code, none.stderr], [0, ""]);
  assert.match(none.stdout, /^20 runs, 0 failed\n/);
});
