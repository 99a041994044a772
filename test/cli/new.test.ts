import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { pack, Project } from "../fixtures/project.ts";
import { RunningProgram, run, serving } from "./program.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/* `zocalo new` writes projects that run, pass their test and have no error of the types, with the package as it is packed. */

const outside = mkdtempSync(join(tmpdir(), "zocalo-new-"));
after(() => rmSync(outside, { recursive: true, force: true }));
// What `npm install` would bring is above the new folders.
const project = new Project(await pack(outside));
after(() => project.remove());
await project.type("npm init -y");
await project.install("zocalo", "tsx", "typescript", "@types/node");

const KINDS: Readonly<Record<string, string>> = {
  chat: "chat.test.ts, chat.ts, client.ts, contract.ts, server.ts",
  server: "greeter.test.ts, greeter.ts, server.ts",
  client: "asker.test.ts, asker.ts, client.ts",
  sim: "counter.test.ts, counter.ts",
};

for (const [kind, files] of Object.entries(KINDS)) {
  test(`zocalo new ${kind} writes a project, which passes its test`, async () => {
    assert.equal(
      await project.shell(`npx zocalo new ${kind} my-${kind}`),
      `my-${kind} has package.json, tsconfig.json, .gitignore, ${files}\nnow:\n` +
        `  cd my-${kind} && npm install && npm test\n  npm start\n`,
    );
    const tested = await project.shell(`cd my-${kind} && npm test --silent`);
    assert.match(tested, /^# \d+ runs, 0 failed$|^ℹ \d+ runs, 0 failed$/m);
    assert.equal(await project.shell(`cd my-${kind} && npm run --silent check`), "");
  });
}

/** Runs a script of a project, as `npm start` does. */
function start(t: TestContext, kind: string, script: string, ...args: readonly string[]): RunningProgram {
  const cwd = join(project.folder, `my-${kind}`);
  const { scripts } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const [command = "", ...words] = (scripts[script] ?? "").split(" ");
  assert.equal(command, "node");
  return new RunningProgram(t, process.execPath, [...words, ...args], { cwd });
}

test("the server greets, and Ctrl-C ends it", async (t) => {
  const server = start(t, "server", "start", "tcp://127.0.0.1:0");
  const [, address = ""] = await server.shows(/^listening on (\S+)$/m);
  assert.equal((await run(t, ["connect", address], { input: "Ana\n" })).stdout, "good day, Ana\n");
  server.child.kill("SIGINT");
  assert.equal((await server.ended).code, 0);
});

test("the client asks a server", async (t) => {
  const { address } = await serving(t, ["tcp://127.0.0.1:0", "--reply", "upper"]);
  const { code, stdout } = await start(t, "client", "start", address, "one", "two").ended;
  assert.equal(code, 0);
  assert.match(stdout, /^ONE\nTWO\n$/m);
});

test("two clients of the chat hear each other", async (t) => {
  const server = start(t, "chat", "start", "tcp://127.0.0.1:0");
  const [, address = ""] = await server.shows(/^listening on (\S+)$/m);
  const ana = start(t, "chat", "client", "Ana", address);
  await ana.shows(/^\*: with you: nobody$/m);
  const luis = start(t, "chat", "client", "Luis", address);
  await luis.shows(/^\*: with you: Ana$/m);
  luis.child.stdin.end("hola\n");
  await ana.shows(/^Luis: hola\n\*: Luis left$/m);
  ana.child.stdin.end();
  assert.deepEqual([(await luis.ended).code, (await ana.ended).code], [0, 0]);
});

test("the simulation runs, and shows what it does", async () => {
  const shown = await project.shell("cd my-sim && npm start --silent");
  assert.match(shown, /^\[[\d.]+ ms world\] request 5: counted 5\n[^]*^seed 1: passed/m);
});

test("a folder that is not empty is left as it is; a name is made for npm", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "mine.txt"), "mine");
  const full = await run(t, ["new", "server", folder]);
  assert.deepEqual(
    [full.code, full.stderr],
    [1, `zocalo: FOLDER_UNUSABLE: ${folder} is not empty; name a new folder, or an empty one\n`],
  );
  assert.deepEqual(readdirSync(folder), ["mine.txt"]);
  const file = await run(t, ["new", "server", join(folder, "mine.txt")]);
  assert.match(file.stderr, /^zocalo: FOLDER_UNUSABLE: \S+ cannot be made \(EEXIST\); name another folder\n$/);
  const game = await run(t, ["new", "game"], { cwd: folder });
  const unknown = 'zocalo: OPTION_INVALID: there is no project "game"; name one of chat, server, client, sim\n';
  assert.deepEqual([game.code, game.stderr], [2, unknown]);

  const named = await run(t, ["new", "sim"], { cwd: folder });
  assert.match(named.stdout, /^ {2}cd sim && npm install && npm test$/m);
  const spaced = await run(t, ["new", "server", "Mi Conexión"], { cwd: folder });
  assert.match(spaced.stdout, /^ {2}cd 'Mi Conexión' && npm install && npm test$/m);
  assert.match(readFileSync(join(folder, "Mi Conexión/package.json"), "utf8"), /"name": "miconexion",/);
});
