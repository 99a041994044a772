/** Runs the built command, as a user's shell does. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/** The command that `npm run build` makes. */
export const PROGRAM: string = join(repositoryRoot, "dist/cli/main.js");

/** An environment in which the command speaks Spanish; an empty variable is as none. */
export const SPANISH: Readonly<Record<string, string>> = {
  LC_ALL: "",
  LC_MESSAGES: "",
  LANG: "es_ES.UTF-8",
  LANGUAGE: "",
};

/** Whether this machine has IPv6 on loopback. */
export const hasIpv6: boolean = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === "::1");

/** How a program ended, and everything that it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to start a program. */
export interface StartOptions {
  /** All of stdin; `null` is an empty one, and without it stdin stays open for the test to write to. */
  readonly input?: string | Uint8Array | null;
  /** Changes of the environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder in which it runs; that of the test without it. */
  readonly cwd?: string;
}

/** A program that runs. It is killed when the test is over. */
export class RunningProgram {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  readonly #out: Buffer[] = [];
  readonly #err: Buffer[] = [];
  #over = false;
  #wake: (() => void)[] = [];

  constructor(t: TestContext, command: string, args: readonly string[], options: StartOptions = {}) {
    this.child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, NO_COLOR: "1", ...options.env } });
    // The program may end without reading its stdin.
    this.child.stdin.on("error", () => undefined);
    this.child.stdout.on("data", (bytes: Buffer) => this.#took(this.#out, bytes));
    this.child.stderr.on("data", (bytes: Buffer) => this.#took(this.#err, bytes));
    if (options.input !== undefined) this.child.stdin.end(options.input ?? "");
    this.ended = once(this.child, "close").then(([code, signal]) => {
      this.#over = true;
      this.#notify();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null, ...this.#texts() };
    });
    t.after(() => this.child.kill("SIGKILL"));
  }

  /** Everything on stdout up to now. */
  get stdout(): Buffer {
    return Buffer.concat(this.#out);
  }

  /** Waits until stderr has what `pattern` matches, and answers the match. */
  async tells(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.until(() => pattern.exec(this.#texts().stderr), `stderr ${String(pattern)}`);
  }

  /** Waits until stdout has what `pattern` matches, and answers the match. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.until(() => pattern.exec(this.#texts().stdout), `stdout ${String(pattern)}`);
  }

  /** Waits until a server is ready, and answers its address. */
  async listening(): Promise<string> {
    const [, address] = await this.tells(/^listening on (\S+)$/m);
    return address ?? "";
  }

  /** Waits until `look`, which is asked again after each output, finds something. */
  async until<T>(look: () => T | null, what: string): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== null) return found;
      if (this.#over) throw new Error(`ended without ${what}: ${JSON.stringify(this.#texts())}`);
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
    }
  }

  #took(where: Buffer[], bytes: Buffer): void {
    where.push(bytes);
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #texts(): Pick<Ended, "stdout" | "stderr"> {
    return { stdout: Buffer.concat(this.#out).toString(), stderr: Buffer.concat(this.#err).toString() };
  }
}

/** Starts `zocalo ARGS`. */
export function start(t: TestContext, args: readonly string[], options: StartOptions = {}): RunningProgram {
  return new RunningProgram(t, process.execPath, [PROGRAM, ...args], options);
}

/** Runs `zocalo ARGS` to its end; without an `input` stdin is empty. */
export async function run(t: TestContext, args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return await start(t, args, { input: null, ...options }).ended;
}

/** Starts a server, waits until it is ready, and answers its address too. */
export async function serving(
  t: TestContext,
  args: readonly string[],
  options: StartOptions = {},
): Promise<{ readonly server: RunningProgram; readonly address: string; readonly port: number }> {
  const server = start(t, ["listen", ...args], options);
  const address = await server.listening();
  return { server, address, port: Number(/:(\d+)$/.exec(address)?.[1]) };
}
