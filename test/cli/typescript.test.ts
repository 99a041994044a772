import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pack, Project, runsTypescript } from "../fixtures/project.ts";

/* The command loads TypeScript in a project of a user: with tsx on every Node, and without where Node does it. */

const STRIPS = Boolean((process.features as { readonly typescript?: unknown }).typescript);
const INSTALL = "install tsx: npm install --save-dev tsx\n";

const SIMULATION = `import { serve, connect } from "zocalo";
import { simulation } from "zocalo/sim";
import { greeting } from "./greeting.ts";

interface Options { readonly fails: boolean }
const program = (options: Options) => simulation({}, async (world): Promise<void> => {
  world.host("server", async (network) => void (await serve("tcp://0.0.0.0:1", (peer) => peer.write(greeting), { network })));
  const call = await connect("tcp://server:1", { network: world.host("client").network });
  world.always("it greets", String(await call.readExactly(4)) === (options.fails ? "" : greeting));
});
export default program({ fails: false });
export const fails = program({ fails: true });
`;
const CONTRACT = `import { call, contract } from "zocalo/protocol";
export const clock = contract("clock", "1.0.0", { server: { now: call<undefined, number>() } });
`;
/** What Node does not translate, however new it is. */
const ENUM = SIMULATION.replace(
  "interface Options",
  "enum Side { left, right }\nexport const side: Side = Side.left;\ninterface Options",
);
/** What Node 24 knows. */
const USING = SIMULATION.replace("const call =", "await using call =");

const outside = mkdtempSync(join(tmpdir(), "zocalo-typescript-"));
after(() => rmSync(outside, { recursive: true, force: true }));
const tarball = await pack(outside);

async function projectWith(...packages: readonly string[]): Promise<Project> {
  const project = new Project(tarball);
  after(() => project.remove());
  await project.type("npm init -y\nnpm pkg set type=module");
  await project.install("zocalo", ...packages);
  const files = { simulation: SIMULATION, contract: CONTRACT, enum: ENUM, using: USING };
  for (const [name, text] of Object.entries(files)) project.write(`${name}.ts`, text);
  project.write("greeting.ts", 'export const greeting: string = "hola";\n');
  project.write("awaits.ts", `${CONTRACT}await Promise.resolve();\n`);
  return project;
}

const bare = await projectWith();
const equipped = await projectWith("tsx");

test("without tsx a Node that does not leave types out says what to type", { skip: STRIPS }, async () => {
  for (const command of ["sim run simulation.ts", "sim hunt simulation.ts", "contract show contract.ts"]) {
    const { exitCode, output } = await bare.tryShell(`npx zocalo ${command}`);
    assert.equal(exitCode, 1);
    assert.match(output, /^zocalo: FILE_UNSUPPORTED \w+\.ts: this Node \(v[\d.]+\) cannot run TypeScript by itself; /);
    assert.ok(output.endsWith(INSTALL), output);
  }
});

test("without tsx a Node that leaves types out says what to type where that is not enough", {
  skip: !STRIPS,
}, async () => {
  for (const [file, runs] of [
    ["simulation.ts", true],
    ["using.ts", runsTypescript],
    ["enum.ts", false],
  ] as const) {
    const { exitCode, output } = await bare.tryShell(`npx zocalo sim run ${file}`);
    assert.equal(exitCode, runs ? 0 : 1, output);
    if (!runs) assert.ok(output.includes("translates nothing") && output.endsWith(INSTALL), output);
  }
});

test("with tsx every command takes TypeScript, also what Node does not translate", async () => {
  for (const file of ["simulation.ts", "using.ts", "enum.ts"]) {
    assert.match(await equipped.shell(`npx zocalo sim run ${file}`), /^seed 1: passed /);
  }
  assert.match(await equipped.shell("npx zocalo sim check simulation.ts"), /both runs are the same/);
  assert.match(await equipped.shell("npx zocalo sim hunt simulation.ts --seeds 4 --workers 2"), /^4 runs, 0 failed/);
  assert.match(await equipped.shell("npx zocalo contract show contract.ts"), /^# clock 1\.0\.0/);
  const { output } = await equipped.tryShell("npx zocalo call --timeout 2000 tcp://127.0.0.1:1 contract.ts now");
  assert.match(output, /^zocalo: CONNECTION_REFUSED tcp:/);
});

test("with tsx the place of a failure is a line of the file, and there is one copy of the package", async () => {
  const { output } = await equipped.tryShell("npx zocalo sim run simulation.ts --export fails");
  assert.match(output, /^seed 1: failed at .*: SIM_INVARIANT always "it greets"\n/);
  // The stack has the calls of the package too, as its own: a copy that tsx translates would be shown as the program's.
  const places = output.match(/^ +at .*:\d+:\d+\)?$/gm) ?? [];
  assert.equal(places.length, 1, output);
  assert.match(places[0] ?? "", /simulation\.ts:9:9\)?$/);
});

test("a file that awaits at its top level is told to stop that", async () => {
  const { output } = await equipped.tryShell("npx zocalo contract show awaits.ts");
  assert.match(output, /: it awaits at its top level; move that into a function\n$/);
});
