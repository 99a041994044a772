import { spawn } from "node:child_process";

/** How a process ended, with everything that it printed. */
export interface ProcessResult {
  /** 0 is success; undefined where it was ended because its time was over. */
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** Where a process runs, and how long it may. */
export interface ProcessPlace {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** Runs a command to its end, in a process group of its own: what it starts in the background ends with it. */
export function runToEnd(command: string, args: readonly string[], place: ProcessPlace): Promise<ProcessResult> {
  const { cwd, env, timeoutMs } = place;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const endGroup = (): void => {
      if (child.pid !== undefined) endProcessGroup(child.pid);
    };
    const timer = setTimeout(endGroup, timeoutMs);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", reject);
    child.on("exit", endGroup);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ exitCode: code ?? undefined, output });
    });
  });
}

function endProcessGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}
