import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Script } from "node:vm";
import { repositoryRoot } from "../../fixtures/repository-root.ts";
import { type ProcessResult, runToEnd } from "./processes.ts";

const NPM_TIMEOUT_MS = 60_000;

/** Whether this Node runs the TypeScript of the pages by itself. It leaves out the types; `using` it has to know. */
const runsTypescript: boolean =
  "typescript" in process.features && process.features.typescript !== false && knowsUsing();

function knowsUsing(): boolean {
  try {
    return new Script("{ using nothing = null; }") instanceof Script;
  } catch {
    return false;
  }
}

interface Manifest {
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Packs the package as `npm publish` does, and answers where the tarball is. */
export async function pack(folder: string): Promise<string> {
  const command = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const { exitCode, output } = await runToEnd("npm", command, { cwd: repositoryRoot, timeoutMs: NPM_TIMEOUT_MS });
  assert.equal(exitCode, 0, output);
  return join(folder, output.trim().split("\n").at(-1) ?? "");
}

/**
 * The project of a reader: an empty folder outside of the repository, in which the commands of a page are typed. `npm install
 * zocalo` installs the packed package. Other packages are those of the repository: nothing is downloaded.
 */
export class Project {
  readonly folder: string = mkdtempSync(join(tmpdir(), "zocalo-docs-"));
  readonly #tarball: string;
  #programs = 0;

  constructor(tarball: string) {
    this.#tarball = tarball;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Puts a file of a page there. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Types the lines of a shell block, one after the other; of those with tsx and those without, what this Node needs. */
  async type(lines: string): Promise<void> {
    for (const line of lines.split("\n")) {
      if (/\btsx\b/.test(line) ? runsTypescript : /^node \S+\.ts\b/.test(line) && !runsTypescript) continue;
      const [, names] = /^npm install (?:--save-dev )?([^#]*)/.exec(line) ?? [];
      if (names !== undefined) for (const name of names.trim().split(/\s+/)) await this.#install(name);
      else await this.shell(line);
    }
  }

  /** Runs a line with `bash`, and answers what it prints. */
  async shell(line: string, timeoutMs: number = NPM_TIMEOUT_MS): Promise<string> {
    const { exitCode, output } = await this.#run("bash", ["-euo", "pipefail", "-c", line], timeoutMs, this.folder);
    assert.equal(exitCode, 0, `${line}\n${output}`);
    return output;
  }

  /** Runs a program of a page from a folder of its own, as `node` does it, or `npx tsx`: that starts this command. */
  async runProgram(code: string, timeoutMs: number): Promise<ProcessResult> {
    this.#programs += 1;
    const folder = join(this.folder, String(this.#programs));
    mkdirSync(folder);
    writeFileSync(join(folder, "program.ts"), code);
    const args = runsTypescript ? ["program.ts"] : ["--import", "tsx", "program.ts"];
    return await this.#run(process.execPath, args, timeoutMs, folder);
  }

  #run(command: string, args: readonly string[], timeoutMs: number, cwd: string): Promise<ProcessResult> {
    // The Node that runs the tests is the one of the reader; what tells `node --test` that it runs in a test is not there.
    const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
    const env = { ...process.env, PATH: path, NODE_TEST_CONTEXT: undefined, NO_COLOR: "1" };
    return runToEnd(command, args, { cwd, env, timeoutMs });
  }

  async #install(name: string): Promise<void> {
    const target = join(this.folder, "node_modules", name);
    mkdirSync(dirname(target), { recursive: true });
    if (name === "zocalo") {
      mkdirSync(target);
      await this.shell(`tar -xzf "${this.#tarball}" -C "${target}" --strip-components=1`);
    } else {
      symlinkSync(join(repositoryRoot, "node_modules", name), target);
    }
    const { bin = {}, dependencies = {} } = JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as Manifest;
    const commands = typeof bin === "string" ? { [basename(name)]: bin } : bin;
    mkdirSync(join(this.folder, "node_modules/.bin"), { recursive: true });
    for (const [command, file] of Object.entries(commands)) {
      chmodSync(join(target, file), 0o755);
      symlinkSync(join(target, file), join(this.folder, "node_modules/.bin", command));
    }
    if (name === "zocalo") for (const dependency of Object.keys(dependencies)) await this.#install(dependency);
  }
}
