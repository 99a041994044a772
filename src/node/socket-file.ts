/**
 * The file of an open listener. The system library removes what it has made by its name, but the file was given another one
 * (unix-path.ts): so it is removed here, and only while it still is the own one.
 */

import fs, { type BigIntStats } from "node:fs";

/** The files of this thread's open listeners; those that are left when it ends are removed then. */
const open = new Set<SocketFile>();

/** The file of an open listener. */
export class SocketFile {
  readonly #path: string;
  readonly #own: BigIntStats;

  /** `path` is absolute, so that it stays the same when the program goes to another folder. */
  constructor(path: string, own: BigIntStats) {
    this.#path = path;
    this.#own = own;
    if (open.size === 0) process.once("exit", removeAll);
    open.add(this);
  }

  /** Whether `file` is this one. While its socket is open, no other file can have its number. */
  is(file: BigIntStats): boolean {
    return file.dev === this.#own.dev && file.ino === this.#own.ino;
  }

  /** Removes the file, unless another one has its name by now. To be called before the socket is closed. */
  remove(): void {
    open.delete(this);
    if (open.size === 0) process.off("exit", removeAll);
    try {
      const found = fileAt(this.#path);
      if (found !== undefined && this.is(found)) fs.unlinkSync(this.#path);
    } catch {
      // Somebody else was faster, or has taken the right to do it away.
    }
  }
}

function removeAll(): void {
  for (const file of open) file.remove();
}

/** Whether the file is that of a listener of this thread. */
export function isOpenHere(file: BigIntStats): boolean {
  return [...open].some((own) => own.is(file));
}

/** What stands at a path; a link is not followed. */
export function fileAt(path: string): BigIntStats | undefined {
  return fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
}
