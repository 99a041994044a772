// Runs one command and keeps what it printed. Used by the other tools.
import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

/** The folder of the repository, with a slash at the end. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** Environment in which the commands of the dev dependencies (`tsc`, `oxlint`, ...) are found. */
export const environment = {
  ...process.env,
  PATH: `${root}node_modules/.bin${delimiter}${process.env.PATH ?? ""}`,
};

/**
 * Runs a command to its end and never rejects.
 *
 * @param {string} command a program on the PATH, or `process.execPath`
 * @param {string[]} args
 * @param {{ cwd?: string, inherit?: boolean, timeoutMs?: number, env?: NodeJS.ProcessEnv }} options
 *   `inherit: true` shows the output while it comes; otherwise it is returned. Default for `timeoutMs`: 10
 *   minutes, more than any single step takes.
 * @returns {Promise<{ ok: boolean, code: number, output: string, seconds: number }>}
 */
export function run(command, args, { cwd = root, inherit = false, timeoutMs = 600_000, env = {} } = {}) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let output = "";
    const finish = (code) => {
      resolve({ ok: code === 0, code, output, seconds: (performance.now() - startedAt) / 1000 });
    };
    const child = spawn(command, args, {
      cwd,
      env: { ...environment, ...env },
      stdio: ["ignore", inherit ? "inherit" : "pipe", inherit ? "inherit" : "pipe"],
      timeout: timeoutMs,
      // On Windows the programs in node_modules/.bin are scripts, which only a shell can start.
      shell: process.platform === "win32" && command !== process.execPath,
    });
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => {
      output += `${command}: ${error.message}\n`;
      finish(127);
    });
    child.on("close", (code, signal) => {
      if (signal !== null) output += `${command}: ended by ${signal} (limit: ${timeoutMs / 1000} s)\n`;
      finish(code ?? 1);
    });
  });
}

/** Like `run`, with the output shown; a failure ends this program with the exit code of the command. */
export async function runOrExit(command, args, options = {}) {
  const result = await run(command, args, { inherit: true, ...options });
  if (result.ok) return result;
  console.error(`\nFAILED (exit code ${result.code}): ${[command, ...args].join(" ")}`);
  process.exit(result.code);
}
