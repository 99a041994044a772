/** Installs what bench/protocol.ts compares with, unless it is there. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const FOLDER = fileURLToPath(new URL("../../../bench/peers/", import.meta.url));

/** As the lock file in bench/peers says. */
export async function installPeers(): Promise<void> {
  if (existsSync(`${FOLDER}node_modules`)) return;
  console.log("installing bench/peers");
  await promisify(execFile)("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: FOLDER,
    shell: process.platform === "win32",
  });
}
