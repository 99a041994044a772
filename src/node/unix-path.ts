/** The file of a Unix socket: what an earlier server left behind, and who may use it (unix(7)). */

import { chmodSync, existsSync, lstatSync, unlinkSync } from "node:fs";
import net from "node:net";
import { dirname } from "node:path";

/** Abstract names (unix(7)) have no file. */
function hasFile(path: string): boolean {
  return !path.startsWith("\0");
}

/**
 * Removes the socket file of a server that is gone, so that the address can be used again. A file that is no socket, and
 * the socket of a server that still answers, are left alone: `listen` then reports `ADDRESS_IN_USE`. Of several that find
 * the same file only one removes it: whoever comes later sees that the file is another one.
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const found = hasFile(path) ? socketFile(path) : undefined;
  if (found === undefined) return false;
  if (await someoneListens(path)) return false;
  if (socketFile(path) !== found) return false;
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether the folder in which the socket file would be does not exist. */
export function lacksFolder(path: string): boolean {
  return hasFile(path) && !existsSync(dirname(path));
}

/**
 * Runs `bind`, which makes a socket file before it returns, so that nobody can use the file who shall not later: without
 * this, anybody could connect until the bits are set. In a worker thread the mask of the process cannot be changed.
 */
export function maskedBy(mode: number | undefined, bind: () => void): void {
  let before: number | undefined;
  try {
    if (mode !== undefined) before = process.umask(~mode & 0o777);
  } catch {
    before = undefined;
  }
  try {
    bind();
  } finally {
    if (before !== undefined) process.umask(before);
  }
}

/** Sets the permission bits of a socket file. Throws the system's error. */
export function setSocketMode(path: string, mode: number): void {
  if (hasFile(path)) chmodSync(path, mode);
}

/** What tells this socket file from one that takes its name later; undefined when there is none. */
function socketFile(path: string): string | undefined {
  try {
    const file = lstatSync(path, { bigint: true });
    return file.isSocket() ? `${file.dev}:${file.ino}:${file.ctimeNs}` : undefined;
  } catch {
    return undefined;
  }
}

function someoneListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Refused: the file outlived its server. Any other error (say, a full backlog) may come from a living one.
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
