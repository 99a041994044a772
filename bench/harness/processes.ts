/** Roles of a benchmark in processes of their own, spoken to in JSON. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a role answers: numbers by name. */
export type Figures = Record<string, number>;

/** Commands that a role understands: each takes and answers plain data. */
export type Role = Record<string, (input: Figures) => Promise<Figures> | Figures>;

/** More flags of Node for each role: `NODE_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/profiles"`. */
const FLAGS: readonly string[] = process.env["NODE_FLAGS"]?.split(" ") ?? [];

/** A process that plays a role. */
export interface Player {
  ask(command: string, input?: Figures): Promise<Figures>;
  stop(): void;
  /** Sends the process a signal. */
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

/** Starts `file` (a module that calls {@link play}) as the role `name`; the words behind it are for the module. */
export function start(file: string, name: string, ...words: readonly string[]): Player {
  const child: ChildProcess = fork(fileURLToPath(file), [name, ...words], { execArgv: ["--expose-gc", ...FLAGS] });
  let next = 0;
  const waiting = new Map<number, (answer: { figures?: Figures; error?: string }) => void>();
  child.on("message", (answer: { id: number; figures?: Figures; error?: string }) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const ended = new Promise<void>((resolve) => {
    child.on("exit", (code, signal) => {
      for (const settle of waiting.values()) settle({ error: `the process of ${name} ended with ${signal ?? code}` });
      resolve();
    });
  });
  return {
    ask: (command, input = {}) =>
      new Promise((resolve, reject) => {
        const id = (next += 1);
        waiting.set(id, ({ figures, error }) => {
          if (figures === undefined) reject(new Error(error));
          else resolve(figures);
        });
        child.send({ id, command, input }, (error) => {
          if (error !== null) reject(error);
        });
      }),
    stop: () => child.kill(),
    signal: (which) => child.kill(which),
    ended,
  };
}

/** Plays the role that the command line names. */
export function play(roles: Record<string, () => Role>): void {
  const role = roles[process.argv[2] ?? ""]?.();
  // Nobody is left to stop it.
  process.on("disconnect", () => process.exit(1));
  process.on("message", (message: { id: number; command: string; input: Figures }) => {
    void (async () => {
      const { id, command, input } = message;
      try {
        const act = role?.[command];
        if (act === undefined) throw new Error(`no role ${process.argv[2]} that can ${command}`);
        process.send?.({ id, figures: await act(input) });
      } catch (error) {
        process.send?.({ id, error: String(error) });
      }
    })();
  });
}
