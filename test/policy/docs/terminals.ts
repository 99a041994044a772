/*
 * Terminals in the documentation. A `console` block shows what a reader types, and sees:
 *
 *   $ node server.ts     starts a program of the folder; a `$` alone: the one before has ended
 *   > hola               types a line
 *   ^C, ^D               interrupts the program; ends what is typed
 *   ^Z, $ fg             stops the program; lets it go on
 *   ...                  any lines
 *   anything else        a line that the program prints
 *
 * A scene is played as a reader does it. Each terminal waits for the lines of its block before it types what stands behind them.
 * Terminals whose blocks follow each other begin one after the other, each when the one before has shown its first line.
 *
 * The programs run with free ports: a copy of each has 0, or what a server before it was given, where it has a number.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { RunningProgram } from "../../cli/program.ts";
import { runsTypescript } from "../../fixtures/project.ts";
import { repositoryRoot } from "../../fixtures/repository-root.ts";
import type { Block, TerminalMark } from "./markdown-blocks.ts";
import type { Workshop } from "./programs.ts";

type TerminalBlock = Block & { readonly mark: TerminalMark };

/** Blocks that are played together. */
export interface Scene {
  readonly name: string;
  readonly page: string;
  /** Where its programs are, from the root of the repository. */
  readonly folder: string;
  readonly blocks: readonly TerminalBlock[];
}

/** The scenes of the documentation. */
export function toScenes(blocks: readonly Block[]): readonly Scene[] {
  const scenes: { name: string; page: string; folder: string; blocks: TerminalBlock[] }[] = [];
  for (const block of blocks.filter(isTerminal)) {
    const name = `${block.file}:${block.line}`;
    if (block.mark.folder !== undefined) scenes.push({ name, page: block.file, folder: block.mark.folder, blocks: [] });
    const scene = scenes.at(-1);
    if (scene === undefined || scene.page !== block.file) throw new Error(`${name}: of which scene?`);
    scene.blocks.push(block);
  }
  return scenes;
}

function isTerminal(block: Block): block is TerminalBlock {
  return block.mark?.kind === "terminal";
}

/** Plays a scene; the test fails at the first line that is not what the page says. */
export async function play(t: TestContext, scene: Scene, workshop: Workshop, timeoutMs: number): Promise<void> {
  const stage = new Stage(t, scene, workshop);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stage.endAll();
  }, timeoutMs);
  try {
    const together: Promise<void>[] = [];
    for (const block of scene.blocks) {
      if (block.mark.later) await Promise.all(together.splice(0));
      await new Promise<void>((begun) => {
        const played = playBlock(stage.terminal(block.mark.terminal), block, begun).finally(begun);
        // A failure ends the programs for which the others wait.
        played.catch(() => stage.endAll());
        together.push(played);
      });
    }
    await Promise.all(together);
    assert.equal(late, false, `a program did not end within ${timeoutMs / 1000} s`);
    stage.assertNothingMore();
  } finally {
    clearTimeout(timer);
    stage.endAll();
  }
}

/** `begun` is called when the first line was shown or typed. */
async function playBlock(terminal: Terminal, block: TerminalBlock, begun: () => void): Promise<void> {
  for (const [index, line] of block.code.split("\n").entries()) {
    try {
      await terminal.play(line);
    } catch (error) {
      throw new Error(`${block.file}:${block.line + index}: ${(error as Error).message}`, { cause: error });
    }
    if (!line.startsWith("$ ")) begun();
  }
}

/** The terminals of a scene, and the ports of its programs. */
class Stage {
  readonly #t: TestContext;
  readonly #folder: string;
  readonly #page: string;
  readonly #workshop: Workshop;
  readonly #terminals = new Map<number, Terminal>();
  /** The port that a program was given, by the one of the page. */
  readonly #ports = new Map<string, string>();

  constructor(t: TestContext, { folder, page }: Scene, workshop: Workshop) {
    this.#t = t;
    this.#folder = join(repositoryRoot, folder);
    this.#page = page;
    this.#workshop = workshop;
  }

  terminal(number: number): Terminal {
    const terminal = this.#terminals.get(number) ?? new Terminal(this);
    this.#terminals.set(number, terminal);
    return terminal;
  }

  endAll(): void {
    for (const terminal of this.#terminals.values()) terminal.send("SIGKILL");
  }

  assertNothingMore(): void {
    for (const terminal of this.#terminals.values()) terminal.assertNothingMore();
  }

  start(command: string): RunningProgram {
    const cwd = this.#workshop.emptyFolder();
    for (const file of readdirSync(this.#folder)) {
      writeFileSync(join(cwd, file), this.#withFreePorts(readFileSync(join(this.#folder, file), "utf8")));
    }
    // `node --test` writes for a program, not for a person, where there is no terminal. `npx tsx` starts Node with this import.
    const options = ["--test-reporter=spec", ...(runsTypescript ? [] : ["--import=tsx"])];
    const env = { ...this.#workshop.environment(this.#page), NODE_OPTIONS: options.join(" ") };
    return new RunningProgram(this.#t, "sh", ["-c", `exec ${this.#withFreePorts(command)} 2>&1`], { cwd, env });
  }

  /** Whether a program printed what the page says. It learns from it which port the program was given. */
  isShown(expected: string, actual: string): boolean {
    if (withoutChance(actual) !== withoutChance(expected)) return false;
    const given = portsOf(actual);
    return portsOf(expected).every((port, index) => {
      if (isChosen(port)) return true;
      if (!this.#ports.has(port)) this.#ports.set(port, given[index] ?? "");
      return this.#ports.get(port) === given[index];
    });
  }

  #withFreePorts(text: string): string {
    return text.replaceAll(PORT, (_all, port: string) => `127.0.0.1:${this.#ports.get(port) ?? "0"}`);
  }
}

/** What one terminal shows, and what is typed there. */
class Terminal {
  readonly #stage: Stage;
  #program: RunningProgram | undefined;
  #seen = 0;
  #skips = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async play(line: string): Promise<void> {
    if (line === "...") this.#skips = true;
    else if (line === "^C") this.send("SIGINT");
    else if (line === "^Z") this.send("SIGSTOP");
    else if (line === "$ fg") this.send("SIGCONT");
    else if (line === "^D") this.#program?.child.stdin.end();
    else if (line.startsWith("> ")) this.#program?.child.stdin.write(`${line.slice(2)}\n`);
    else if (line === "$") await this.#end();
    else if (line.startsWith("$ ")) await this.#start(line.slice(2));
    else await this.#show(line);
  }

  send(signal: NodeJS.Signals): void {
    this.#program?.child.kill(signal);
  }

  assertNothingMore(): void {
    if (!this.#skips) assert.deepEqual(this.#lines.slice(this.#seen), []);
  }

  get #lines(): readonly string[] {
    return String(this.#program?.stdout ?? "")
      .split("\n")
      .slice(0, -1);
  }

  async #start(command: string): Promise<void> {
    await this.#end();
    this.#program = this.#stage.start(command);
    this.#seen = 0;
    this.#skips = false;
  }

  async #end(): Promise<void> {
    await this.#program?.ended;
    this.assertNothingMore();
  }

  async #show(line: string): Promise<void> {
    const program = this.#program;
    assert.ok(program !== undefined, "no program has been started");
    await program.until(() => {
      for (const next of this.#lines.slice(this.#seen)) {
        this.#seen += 1;
        if (this.#stage.isShown(line, next)) return true;
        assert.ok(this.#skips, `not ${JSON.stringify(line)} but ${JSON.stringify(next)}`);
      }
      return null;
    }, JSON.stringify(line));
    this.#skips = false;
  }
}

const PORT = /127\.0\.0\.1:(\d+)/g;

function portsOf(text: string): readonly string[] {
  return [...text.matchAll(PORT)].map(([, port = ""]) => port);
}

/** Of a port that a page shows: the system chose it for a client. Those of servers have four digits. */
function isChosen(port: string): boolean {
  return port.length > 4;
}

/** A line without what is another one each time: ports, durations, and the seeds that find a mistake. */
function withoutChance(line: string): string {
  return line
    .replaceAll(PORT, "127.0.0.1:*")
    .replaceAll(/\(\d+(?:\.\d+)?ms\)/g, "(*ms)")
    .replaceAll(/\bseed \d+|\bSIM_SEED=\d+/g, "seed *");
}
