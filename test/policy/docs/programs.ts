import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SPANISH } from "../../cli/program.ts";
import { repositoryRoot } from "../../fixtures/repository-root.ts";
import type { Block } from "./markdown-blocks.ts";
import { type ProcessResult, runToEnd } from "../../fixtures/processes.ts";

/** A TypeScript program of the documentation: one block, with those that continue it. */
export interface Program {
  readonly name: string;
  readonly blocks: readonly [Block, ...(readonly Block[])];
}

/** The TypeScript blocks of one file as programs. */
export function toPrograms(blocks: readonly Block[]): readonly Program[] {
  const programs: { name: string; blocks: [Block, ...Block[]] }[] = [];
  for (const block of blocks) {
    if (block.language !== "ts" || block.mark?.kind === "file") continue;
    const last = programs.at(-1);
    if (block.mark?.kind !== "continues") programs.push({ name: `${block.file}:${block.line}`, blocks: [block] });
    else if (last?.blocks[0].file === block.file) last.blocks.push(block);
    else throw new Error(`${block.file}:${block.line}: there is no program to continue`);
  }
  return programs;
}

/** A folder inside the repository, where `import ... from "zocalo"` finds the built package, for one run of the tests. */
export class Workshop {
  readonly #folder: string;
  readonly #scratch: string;
  readonly #commands: string;

  constructor() {
    mkdirSync(join(repositoryRoot, "build"), { recursive: true });
    this.#folder = mkdtempSync(join(repositoryRoot, "build/docs-"));
    this.#scratch = join(this.#folder, "scratch");
    this.#commands = join(this.#folder, "commands");
    for (const folder of [this.#scratch, this.#commands]) mkdirSync(folder);
    const main = join(repositoryRoot, "dist/cli/main.js");
    const zocalo = `"${process.execPath}" "${main}"`;
    // What a user has after `npm install zocalo`.
    this.#writeCommand("zocalo", `exec ${zocalo} "$@"`);
    this.#writeCommand("npx", `if [ "$1" = zocalo ]; then shift; exec ${zocalo} "$@"; fi\nexit 127`);
  }

  /**
   * Where a block of a page runs: `zocalo` and `npx zocalo` are there and speak the language of the page, and what tells
   * `node --test` that it runs in a test is not.
   */
  environment(page: string): NodeJS.ProcessEnv {
    const isSpanish = page.startsWith("docs/es/") || page === "README.es.md";
    return {
      ...process.env,
      ...(isSpanish ? SPANISH : {}),
      PATH: `${this.#commands}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      NODE_TEST_CONTEXT: undefined,
    };
  }

  /** An empty folder in which a program finds the built package. */
  emptyFolder(): string {
    return mkdtempSync(join(this.#folder, "empty-"));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Compiles all programs in one run of tsc. The result has the errors of each program, by its name. */
  async compile(programs: readonly Program[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const options = { rootDir: ".", outDir: "out", noEmit: true, moduleDetection: "force" };
    const config = { extends: "../../tsconfig.json", compilerOptions: options, include: ["*.ts"] };
    writeFileSync(join(this.#folder, "tsconfig.json"), JSON.stringify(config));
    const names = new Map(programs.map((program, index) => [`${index}.ts`, program.name]));
    for (const [index, program] of programs.entries()) {
      writeFileSync(join(this.#folder, `${index}.ts`), sourceOf(program));
    }
    const tsc = join(repositoryRoot, "node_modules/typescript/bin/tsc");
    const { output } = await runToEnd(process.execPath, [tsc, "-p", this.#folder, "--pretty", "false"], {
      cwd: this.#scratch,
      timeoutMs: 120_000,
    });
    const errors = new Map<string, string[]>();
    for (const line of output.split("\n").filter((text) => text !== "")) {
      // `build/docs-abc/3.ts(12,5): error ...`: the line is that of the documentation, see `sourceOf`.
      const [, file = "", position = "", message = ""] = /([^/\\]+\.ts)\((.*?)\): (.*)$/.exec(line) ?? [];
      const name = names.get(file) ?? "";
      errors.set(name, [...(errors.get(name) ?? []), name === "" ? line : `(${position}): ${message}`]);
    }
    return errors;
  }

  /** Runs a shell block of a page: `npm ...` in the repository, anything else in an empty folder. */
  runShell({ code, file }: Block, timeoutMs: number): Promise<ProcessResult> {
    const cwd = code.trimStart().startsWith("npm ") ? repositoryRoot : this.#scratch;
    const place = { cwd, env: this.environment(file), timeoutMs };
    return runToEnd("bash", ["-euo", "pipefail", "-c", code], place);
  }

  #writeCommand(name: string, script: string): void {
    writeFileSync(join(this.#commands, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
}

/** The text of a program, with each line at the number that it has in the documentation, so that errors point there. */
export function sourceOf(program: Program): string {
  const lines: string[] = [];
  for (const block of program.blocks) {
    while (lines.length < block.line - 1) lines.push("");
    lines.push(...block.code.split("\n"));
  }
  return `${lines.join("\n")}\n`;
}
