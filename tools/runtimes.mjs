// The runtimes beside the Node that runs the tools: the newest Node, Bun and Deno, and the oldest TypeScript. Their exact
// versions and their lock file stand in tools/runtimes.
import { existsSync, statSync } from "node:fs";
import { root, runOrExit } from "./run-command.mjs";

/** Downloads of 150 MB and more. */
const INSTALL_TIMEOUT_MS = 300_000;

export const runtimesFolder = `${root}tools/runtimes`;

/** The path of one of their commands. */
export const bin = (name) => `${runtimesFolder}/node_modules/.bin/${name}`;

/** Installs the runtimes unless they are there as the lock file says. */
export async function installRuntimes() {
  const installed = `${runtimesFolder}/node_modules/.package-lock.json`;
  const lock = `${runtimesFolder}/package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs && existsSync(bin("node"))) return;
  await runOrExit("npm", ["ci", "--no-audit", "--no-fund"], { cwd: runtimesFolder, timeoutMs: INSTALL_TIMEOUT_MS });
}
