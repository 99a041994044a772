import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../../test/cli/program.ts";
import { fileWith } from "../../../test/cli/simulations.ts";

test("a seed that hangs is found, and the others go on", async (t) => {
  // No turn of the event loop ends an endless loop: its thread is ended.
  const file = fileWith(t, "export default simulation({}, async (world) => { while (world.seed === 3) {} });");
  const { code, stdout } = await run(t, ["sim", "hunt", file, "--seeds", "20", "--workers", "1", "--patience", "2"]);
  assert.equal(code, 1);
  assert.match(stdout, /^20 runs, 1 failed\n/);
  assert.match(stdout, /^HANG: 1 run\n {2}zocalo sim run \S+ --seed 3$/m);
});
