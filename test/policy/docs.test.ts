import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { type Block, parseBlocks, parseDocComments } from "./docs/markdown-blocks.ts";
import type { ProcessResult } from "../fixtures/processes.ts";
import { type Program, sourceOf, toPrograms, Workshop } from "./docs/programs.ts";
import { pack, Project } from "../fixtures/project.ts";
import { play, toScenes } from "./docs/terminals.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/*
 * The documentation is executed. "Getting started" makes a project of an empty folder, with the packed package. Each `ts` block of
 * README*.md and docs/ is compiled against the built package, and run in that project in a process of its own, as the page says
 * for this Node. It must end by itself with success; `sh` blocks are run where `<!-- run -->` or `<!-- project -->` stands before
 * them. The `ts` blocks in the doc comments of src are compiled. A block that shows a file is that file, and a `console` block shows
 * what its programs print: test/policy/docs/terminals.ts. The comments that steer this: test/policy/docs/markdown-blocks.ts.
 */

/** The page whose project runs the programs of all the others. */
const FIRST_PAGE = "docs/guide/getting-started.md";

/** A program of the documentation shows something at once; longer means that it hangs. */
const PROGRAM_TIMEOUT_MS = 20_000;
const SHELL_TIMEOUT_MS = 60_000;

const SHELL: ReadonlySet<string> = new Set(["sh", "bash"]);
/** Output, data and pictures: never run, and no reason is needed. Any other language needs `<!-- not run: reason -->`. */
const NOT_CODE: ReadonlySet<string> = new Set(["text", "json", "jsonc", "diff", "mermaid", "yaml", "ini"]);

function filesBelow(folder: string, ending: string): readonly string[] {
  if (!existsSync(join(repositoryRoot, folder))) return [];
  return readdirSync(join(repositoryRoot, folder), { encoding: "utf8", recursive: true })
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(ending))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}

const readmes = readdirSync(repositoryRoot).filter((file) => /^README.*\.md$/.test(file));
const pages = [...readmes, ...filesBelow("docs", ".md")];
const blocks = pages.flatMap((file) => parseBlocks(file, read(file)));
const examples = filesBelow("src", ".ts")
  .filter((file) => !file.endsWith(".test.ts"))
  .flatMap((file) => parseDocComments(file, read(file)));

const pagePrograms = toPrograms(blocks);
const programs = [...pagePrograms, ...toPrograms(examples)];
const workshop = new Workshop();
after(() => workshop.remove());
const errors = await workshop.compile(programs);
const tarball = await pack(workshop.emptyFolder());

/** The project of a page, when all its blocks have been typed. */
async function projectOf(page: string): Promise<Project> {
  const project = new Project(tarball);
  after(() => project.remove());
  for (const { code, mark } of blocks.filter(({ file }) => file === page)) {
    if (mark?.kind === "file") project.write(basename(mark.path), `${code}\n`);
    if (mark?.kind === "project") await project.type(code);
  }
  return project;
}
const project = await projectOf(FIRST_PAGE);

/** The packages that a page says how to install. */
function installedBy(page: string): readonly string[] {
  return [...read(page).matchAll(/npm install (?:--save-dev )?([\w@/. -]+)/g)].flatMap(([, names = ""]) =>
    names.trim().split(/\s+/),
  );
}

/** The packages that the programs of a page import, beside Zócalo. */
function importedBy(page: string): readonly string[] {
  const code = blocks.filter(({ file, language }) => file === page && language === "ts").map((block) => block.code);
  return [...code.join("\n").matchAll(/ from "([^."][^"]*)"/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !/^(?:node:|zocalo(?:\/|$))/.test(name));
}

function assertSuccess(result: ProcessResult, timeoutMs: number): void {
  const ended = result.exitCode === undefined ? `did not end within ${timeoutMs / 1000} s` : `exit ${result.exitCode}`;
  assert.equal(result.exitCode, 0, `${ended}, output:\n${result.output}`);
}

/** Why a block is neither run nor excused; undefined where it is. */
function problemOf(block: Block): string | undefined {
  const { language, mark } = block;
  if (mark?.kind === "not-run") return mark.reason === "" ? "`not run` needs a reason" : undefined;
  if (language === "console") return mark?.kind === "terminal" ? undefined : "needs <!-- terminal 1: folder -->";
  if (mark?.kind === "terminal") return "is no `console`";
  if (mark?.kind === "file") return undefined;
  if (language === "ts") return mark?.kind === "run" ? "`ts` blocks are always run: no mark is needed" : undefined;
  if (SHELL.has(language)) {
    const runs = mark?.kind === "run" || mark?.kind === "project";
    return runs ? undefined : "needs <!-- run -->, <!-- project --> or <!-- not run: reason -->";
  }
  if (NOT_CODE.has(language)) return mark === undefined ? undefined : "is not run: no mark is needed";
  return language === "" ? "needs a language; `text` for output" : `${language} needs <!-- not run: reason -->`;
}

test("every block is run, or says why not", () => {
  const problems = blocks.flatMap((block) => {
    const problem = problemOf(block);
    return problem === undefined ? [] : [`${block.file}:${block.line}: ${problem}`];
  });
  assert.deepEqual(problems, []);
});

for (const block of blocks) {
  if (block.mark?.kind !== "file") continue;
  const { path } = block.mark;
  test(`${block.file}:${block.line} is ${path}`, () => {
    assert.equal(`${block.code}\n`, read(path));
  });
}

for (const scene of toScenes(blocks)) {
  test(`${scene.name} shows what the programs of ${scene.folder} print`, async (t) => {
    await play(t, scene, workshop, SHELL_TIMEOUT_MS);
  });
}

test("the documentation compiles as a whole", () => {
  assert.deepEqual(errors.get("") ?? [], []);
});

test("each page says how to install what its programs import", async () => {
  const missing = pages.flatMap((page) => importedBy(page).filter((name) => !installedBy(page).includes(name)));
  assert.deepEqual(missing, []);
});

for (const page of pages.filter((one) => one !== FIRST_PAGE)) {
  if (!blocks.some(({ file, mark }) => file === page && mark?.kind === "project")) continue;
  test(`the commands of ${page} do what it says`, async () => {
    await projectOf(page);
  });
}

for (const program of programs.slice(pagePrograms.length)) {
  test(`${program.name} compiles`, () => assert.deepEqual(errors.get(program.name) ?? [], []));
}

async function tryProgram(program: Program): Promise<void> {
  assert.deepEqual(errors.get(program.name) ?? [], []);
  if (program.blocks[0].mark?.kind === "not-run") return;
  assertSuccess(await project.runProgram(sourceOf(program), PROGRAM_TIMEOUT_MS), PROGRAM_TIMEOUT_MS);
}

test("each program of a page compiles, and runs in an empty project", { concurrency: 2 }, async (t) => {
  await project.type(`npm install ${[...new Set(pages.flatMap(importedBy))].join(" ")}`);
  await Promise.all(pagePrograms.map((program) => t.test(program.name, () => tryProgram(program))));
});

for (const block of blocks.filter((candidate) => SHELL.has(candidate.language) && candidate.mark?.kind === "run")) {
  test(`${block.file}:${block.line} runs`, async () => {
    assertSuccess(await workshop.runShell(block, SHELL_TIMEOUT_MS), SHELL_TIMEOUT_MS);
  });
}
