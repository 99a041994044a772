/**
 * The path of a Unix socket (unix(7)). Its file is made in a folder that nobody else can enter, gets its rights there, and is then
 * given its name by a link, which never replaces a file of somebody else.
 */

import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { fileAt, SocketFile } from "./socket-file.ts";
import { giveName, inUse, isLeft } from "./path-claim.ts";

/** `sun_path` of Linux has 108 bytes, a zero at the end included; that of other systems has 104. */
const MAX_PATH_BYTES = process.platform === "linux" ? 107 : 103;

/** Whether the path is the name of a file: abstract names are none, nor are the pipes of Windows. */
export function isFilePath(path: string): boolean {
  return !path.startsWith("\0") && process.platform !== "win32";
}

/**
 * Makes the socket file of a listener: `bind` opens the listener under the name that it is given. The file of a server that is gone
 * is replaced. Throws the system's error, or `ADDRESS_IN_USE`; the listener is then to be closed.
 */
export async function makeSocketFile(
  path: string,
  mode: number | undefined,
  context: OperationContext,
  bind: (name: string) => Promise<void>,
): Promise<SocketFile> {
  const name = resolve(path);
  // Mode 0700 (mkdtemp(3)): nobody connects before the file has its rights.
  const folder = fs.mkdtempSync(`${name}.`);
  try {
    const file = join(folder, "s");
    await withShortName(folder, bind);
    if (mode !== undefined) fs.chmodSync(file, mode);
    const made = new SocketFile(name, fs.lstatSync(file, { bigint: true }));
    try {
      await giveName(file, name, context);
    } catch (error) {
      made.remove();
      throw error;
    }
    return made;
  } finally {
    removeFolder(folder, ["s", "s.old"]);
  }
}

/**
 * Listens in a worker of node:cluster: the primary makes the file, gives it to all workers, and removes it when the last one has
 * closed. It makes it under its own name and with the rights that its umask leaves, and replaces nothing. Throws the system's error,
 * `ADDRESS_IN_USE` or `UNSUPPORTED`.
 */
export async function shareSocketFile(
  path: string,
  mode: number | undefined,
  context: OperationContext,
  bind: (name: string) => Promise<void>,
): Promise<void> {
  if (mode !== undefined) {
    const detail =
      "mode does not work in a worker of node:cluster, whose primary makes the file; set process.umask there, or the rights of the folder";
    throw new UsageError("UNSUPPORTED", { ...context, detail });
  }
  const name = resolve(path);
  // The system library reports a missing folder as missing rights.
  fs.statSync(dirname(name));
  try {
    await bind(name);
  } catch (error) {
    const found = (error as NodeJS.ErrnoException).code === "EADDRINUSE" ? fileAt(name) : undefined;
    if (found === undefined || !(await isLeft(name, found, context))) throw error;
    const how = "the primary must remove the file, or listen there once and close, before it makes workers";
    throw inUse(
      `the socket of a server that is gone has that name, and no worker of node:cluster replaces it; ${how}`,
      context,
    );
  }
}

/**
 * Removes a folder that was made here. What may be in it is named, since listing it takes a descriptor, and there may be none
 * left. What fails here must not take the place of what the call has to say.
 */
function removeFolder(folder: string, names: readonly string[]): void {
  try {
    for (const name of names) fs.rmSync(join(folder, name), { force: true });
    fs.rmdirSync(folder);
  } catch {
    // Somebody has put something there, or has removed it.
  }
}

/** Binds the socket in `folder`. Where that has too long a name for a socket, it is reached by another way. */
async function withShortName(folder: string, bind: (name: string) => Promise<void>): Promise<void> {
  const name = join(folder, "s");
  if (Buffer.byteLength(name) <= MAX_PATH_BYTES) {
    await bind(name);
    return;
  }
  const way = fs.mkdtempSync(join(tmpdir(), "z"));
  try {
    fs.symlinkSync(folder, join(way, "d"));
    await bind(join(way, "d", "s"));
  } finally {
    removeFolder(way, ["d"]);
  }
}
