import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseFaultList } from "../../src/sim.ts";
import { PROGRAM, run, start } from "./program.ts";
import { FILE, fileWith } from "./simulations.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const IDENTITY = 'SIM_INVARIANT always "no order is booked twice"';

test("hunt finds seeds that fail, run and check repeat them, shrink makes them small", async (t) => {
  const hunt = await run(t, ["sim", "hunt", FILE, "--seeds", "150", "--workers", "2"]);
  assert.equal(hunt.code, 1, hunt.stderr);
  assert.match(hunt.stdout, /^150 runs, \d+ failed\n/);
  assert.match(hunt.stdout, /^ {2}crash +\d+$/m);
  assert.match(hunt.stdout, /^ {2}sometimes "an order is repeated" +\d+ of \d+$/m);
  const [, seed = ""] = /--seed (\d+)\n$/.exec(hunt.stderr) ?? [];
  const end = new RegExp(`^zocalo: SIM_FAILED: ${IDENTITY}; replay: zocalo sim run ${FILE} --seed ${seed}$`, "m");
  assert.match(hunt.stderr, end);

  const once = await run(t, ["sim", "run", FILE, "--seed", seed]);
  assert.equal(once.code, 1);
  assert.match(
    once.stdout,
    new RegExp(`^seed ${seed}: failed at [\\d.]+ ms: ${IDENTITY}\n  must always hold and does not `),
  );
  assert.equal(once.stdout.split("no order is booked twice").length, 2, "the condition is named once");
  assert.match(once.stderr, end);
  const twice = await run(t, ["sim", "check", FILE, "--seed", seed]);
  assert.match(twice.stdout, /\nboth runs are the same\n$/);

  const out = join(temporaryFolder(t), "list.json");
  const shrunk = await run(t, ["sim", "shrink", FILE, "--seed", seed, "--out", out]);
  assert.equal(shrunk.code, 0, shrunk.stderr);
  const list = parseFaultList(readFileSync(out, "utf8"));
  assert.ok(list.faults.length <= 3 && list.failure === IDENTITY, shrunk.stdout);
  const replay = await run(t, ["sim", "run", FILE, "--faults", out]);
  assert.equal(replay.code, 1);
  assert.match(replay.stderr, new RegExp(`replay: zocalo sim run ${FILE} --faults ${out}\n$`));
  assert.equal((await run(t, ["sim", "run", FILE, "--faults", out, "--export", "fixed"])).code, 0);
});

test("one line replays a failure when it is pasted into a shell, whatever the path; the place in the program is shown", {
  skip: process.platform === "win32",
}, async (t) => {
  const text =
    "export const wrong = simulation({}, async (world) => {\n  world.host('a');\n  throw new TypeError(7);\n});";
  const path = join(temporaryFolder(t), "it's a $PROGRAM.mjs");
  renameSync(fileWith(t, text), path);
  const { stdout, stderr, code } = await run(t, ["sim", "run", path, "--export", "wrong", "--seed", "12345678901"]);
  assert.equal(code, 1);
  assert.match(stdout, /^seed 12345678901: failed at 0 ms: TypeError #\n {2}7\n {4}at file:.*:4:9\n/);
  const lines = `${stdout}${stderr}`.match(/(?<=replay: ).*/g) ?? [];
  assert.equal(lines.length, 1, stderr);
  const shell = `zocalo() { ${JSON.stringify(process.execPath)} ${JSON.stringify(PROGRAM)} "$@"; }; ${lines[0]}`;
  const pasted = spawnSync("/bin/sh", ["-c", shell], { encoding: "utf8" });
  assert.deepEqual([pasted.status, pasted.stdout, pasted.stderr], [1, stdout, stderr]);
});

test("check shows the first difference of two runs from both sides", async (t) => {
  const file = fileWith(
    t,
    "let n = 0; export default simulation({}, async (world) => void world.host(`host${(n += 1)}`).crash());",
  );
  const { code, stdout, stderr } = await run(t, ["sim", "check", file]);
  assert.equal(code, 1);
  assert.match(stdout, /first run: .*host1.*\n.*second run: .*host2/);
  assert.match(stderr, /SIM_DIVERGED check; replay: /);
});

const BAD_OPTION = "export default simulation({ link: { loss: 3 } }, async () => undefined);";

test("what is written wrong", async (t) => {
  for (const [args, line] of [
    [["sim", "shrink", FILE, "--seed", "1", "--export", "fixed"], /SIM_PASSED: seed 1 does not fail/],
    [["sim", "run", FILE, "--seed", "x"], /'x' is invalid.*see zocalo sim --help/],
    [["sim", "run", FILE, "--seed", "1", "--faults", "y"], /cannot be used with/],
    [["sim", "run", FILE, "--faults", "/no/such.json"], /PATH_NOT_FOUND \/no\/such\.json/],
    [["sim", "run", FILE, "--faults", FILE], /OPTION_INVALID: .*this is no list of faults/],
    [["sim", "run", FILE, "--export", "no"], /has no simulation as its export "no"; it has: default, fixed/],
    [
      ["sim", "trace", FILE, "--pcapng", "/no/such/a.pcapng"],
      /--pcapng \/no\/such\/a\.pcapng: there is no such folder/,
    ],
    [["sim", "shrink", FILE, "--seed", "3", "--out", "/no/such/a.json"], /--out .*: there is no such folder/],
    [["sim", "hunt", fileWith(t, BAD_OPTION), "--seeds", "2"], /OPTION_INVALID: loss must be a probability/],
    [["sim", "jump"], /unknown command 'jump'/],
  ] as const) {
    const { stderr, code } = await run(t, args);
    assert.match(stderr, line);
    assert.notEqual(code, 0);
  }
});

test("Ctrl-C ends a program that never rests, and a hunt with what it has found", async (t) => {
  // Beneath the stream, of which only `run` shows what a program writes.
  const endless =
    "import { writeSync } from 'node:fs'; export default simulation({}, async () => { writeSync(2, 'begun\\n'); for (;;) await null; });";
  for (const command of ["run", "check", "trace"]) {
    const program = start(t, ["sim", command, fileWith(t, endless)]);
    await program.tells(/begun/);
    program.child.kill("SIGINT");
    assert.equal((await program.ended).signal, "SIGINT");
  }
  const hunt = start(t, ["sim", "hunt", FILE, "--seeds", "1000000000", "--workers", "1"]);
  await hunt.tells(/^seed \d+: SIM_INVARIANT/m);
  hunt.child.kill("SIGINT");
  const { signal, stdout } = await hunt.ended;
  assert.equal(signal, "SIGINT");
  assert.match(stdout, /^\d+ runs, [1-9]\d* failed\n[^]*zocalo sim run/);
});
