/**
 * The file of a Unix socket (unix(7)). It is made in a folder that nobody else can enter, gets its rights there, and is then
 * given its name by a link, which never replaces a file of somebody else. So the system library, which removes what it has
 * made by its name, finds nothing when it closes: the file is removed here, and only while it still is the own one.
 */

import fs, { type BigIntStats } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { UsageError, ZocaloError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";

/** `sun_path` of Linux has 108 bytes, a zero at the end included; that of other systems has 104. */
const MAX_PATH_BYTES = process.platform === "linux" ? 107 : 103;
/** How often the file of a server that is gone may be replaced by another such before this gives up. */
const MOST_ROUNDS = 10;
/** File systems without hard links say one of these. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** The files of this thread's open listeners; those that are left when it ends are removed then. */
const open = new Set<SocketFile>();

/** Whether the path is the name of a file: abstract names are none, nor are the pipes of Windows. */
export function isFilePath(path: string): boolean {
  return !path.startsWith("\0") && process.platform !== "win32";
}

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

/** Gives `file` the name `path` as well. Of several that want one name, one gets it. */
async function giveName(file: string, path: string, context: OperationContext): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    try {
      nameAs(file, path);
      return;
    } catch (error) {
      const found = fileAt(path);
      if (found !== undefined && (await isLeft(path, found, context))) makeRoom(path, found, file, context);
      else if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  throw inUse("other servers take that path again and again; choose another one", context);
}

/** Never replaces a file, except between two calls where the file system has no hard links. */
function nameAs(file: string, path: string): void {
  try {
    fs.linkSync(file, path);
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code) || fileAt(path) !== undefined) throw error;
    fs.renameSync(file, path);
  }
}

/** Whether the file is the socket of a server that is gone; false when it is gone itself. Throws `ADDRESS_IN_USE` for any other. */
async function isLeft(path: string, found: BigIntStats, context: OperationContext): Promise<boolean> {
  if (!found.isSocket()) {
    const what = found.isDirectory() ? "a folder" : found.isSymbolicLink() ? "a link" : "a file that is no socket";
    throw inUse(`${what} has that name; remove it, or choose another path`, context);
  }
  const answer = [...open].some((own) => own.is(found)) ? "connected" : await answerOf(path);
  if (answer === "ENOENT") return false;
  if (answer === "connected" || answer === "EAGAIN") {
    throw inUse("a server listens at that path already; stop it, or choose another path", context);
  }
  if (answer !== "ECONNREFUSED") {
    throw inUse(`a socket has that name, and whether its server is there cannot be seen (${answer})`, context);
  }
  return true;
}

/**
 * Moves the socket file of a server that is gone out of the way. Throws `ADDRESS_IN_USE` where that cannot be. Of several that have
 * seen the file `found`, one may: who has made a link with the number of `found` in its name. Without it, one that looked early
 * would move the file of another that was faster, and a third would take the free name.
 */
function makeRoom(path: string, found: BigIntStats, own: string, context: OperationContext): void {
  const claim = `${path}.${found.ino}`;
  const claimed = linkTo(own, claim);
  try {
    if (!isSame(fileAt(path), found)) return;
    if (claimed === "taken") {
      throw inUse(`another program is about to listen at that path; if there is none, remove ${claim}`, context);
    }
    moveAside(path, found, `${own}.old`, context);
  } finally {
    if (claimed === "made") fs.rmSync(claim, { force: true });
  }
}

function moveAside(path: string, found: BigIntStats, aside: string, context: OperationContext): void {
  try {
    fs.renameSync(path, aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw inUse("the socket of a server that is gone has that name, and cannot be removed", context, cause);
  }
  try {
    // A program that makes no claim was faster, and this is the file of its living server: it gets its name back, if that is free.
    if (!isSame(fileAt(aside), found)) nameAs(aside, path);
  } catch {
    // The name belongs to a third one.
  }
  fs.rmSync(aside, { force: true });
}

/** `failed` where the file system has no hard links, or the folder takes no file: the call that follows says so. */
function linkTo(file: string, name: string): "made" | "taken" | "failed" {
  try {
    fs.linkSync(file, name);
    return "made";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EEXIST" ? "taken" : "failed";
  }
}

function isSame(file: BigIntStats | undefined, found: BigIntStats): boolean {
  return file?.dev === found.dev && file.ino === found.ino && file.mtimeNs === found.mtimeNs;
}

/** What becomes of a connection to a path: whether a server is there can be seen in no other way. */
function answerOf(path: string): Promise<string> {
  return new Promise((told) => {
    const probe = net.connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      told("connected");
    });
    probe.once("error", (error: NodeJS.ErrnoException) => told(error.code ?? error.message));
  });
}

function fileAt(path: string): BigIntStats | undefined {
  return fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function inUse(detail: string, context: OperationContext, cause?: unknown): ZocaloError {
  return new ZocaloError("ADDRESS_IN_USE", { ...context, detail, cause });
}
