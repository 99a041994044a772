import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../../test/cli/program.ts";
import { fileWith } from "../../../test/cli/simulations.ts";

const TALKING = `console.log("loaded");
export default simulation({ chaos: false }, async (world) => {
  world.host("server", async (network) => {
    console.log("two\\nlines");
    process.stdout.write("half ");
    await new Promise((resolve) => network.clock.setTimer(resolve, 20));
    process.stdout.write(Buffer.from("a line\\n"), () => process.stderr.write("done\\n"));
  });
  await world.sleep(1.5);
  console.error("of %s", "the world");
  await world.sleep(30);
  process.stdout.write("no end");
});`;

test("run shows what programs write, with the virtual time and the host", async (t) => {
  const { code, stdout, stderr } = await run(t, ["sim", "run", fileWith(t, TALKING)]);
  assert.equal(code, 0, stderr);
  const [lines = "", report = ""] = stdout.split(/^(?=seed)/m);
  assert.equal(
    lines,
    "loaded\n[0.000 ms server] two\n[0.000 ms server] lines\n[0.000 ms server] half a line\n[31.500 ms world] no end\n",
  );
  assert.equal(stderr, "[1.500 ms world] of the world\n[20.000 ms server] done\n");
  assert.match(report, /^seed 1: passed/);
});

test("commands that run a program more than once keep it back, and the rest of a hunt too", async (t) => {
  const file = fileWith(t, TALKING.replace('"no end");', '"no end");\n  world.always("it is right", false);'));
  for (const [args, loads] of [
    [["sim", "hunt", file, "--seeds", "10", "--workers", "2"], 0],
    [["sim", "check", file], 1],
    [["sim", "shrink", file], 1],
    [["sim", "trace", file], 1],
  ] as const) {
    const { stdout, stderr, code } = await run(t, args);
    assert.equal(code, args[1] === "shrink" ? 0 : 1, stderr);
    assert.equal(stdout.split("loaded").length - 1, loads, stdout);
    assert.doesNotMatch(stdout + stderr, /two\n|lines|half|done|of the world|no end/);
  }
});
