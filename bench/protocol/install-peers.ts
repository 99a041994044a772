/** Installs what bench/protocol.ts and bench/cluster.ts compare with, unless it is there. */

import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const FOLDER = fileURLToPath(new URL("../../../bench/peers/", import.meta.url));

/** When a file was written; 0 when there is none. */
function writtenAt(name: string): number {
  return statSync(`${FOLDER}${name}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** As the lock file in bench/peers says; anew when that has changed since. npm writes its own list when all is installed. */
export async function installPeers(): Promise<void> {
  if (writtenAt("node_modules/.package-lock.json") > writtenAt("package-lock.json")) return;
  console.log("installing bench/peers");
  await promisify(execFile)("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: FOLDER,
    shell: process.platform === "win32",
  });
}
