/** Giving a socket file its name. Of several programs that want one path, one gets it, also when a stale file is in the way. */

import fs, { type BigIntStats } from "node:fs";
import net from "node:net";
import { ZocaloError } from "../core/errors.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { fileAt, isOpenHere } from "./socket-file.ts";

/** How often the file of a server that is gone may be replaced by another such before this gives up. */
const MOST_ROUNDS = 10;
/** File systems without hard links say one of these. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Gives `file` the name `path` as well. Of several that want one name, one gets it. */
export async function giveName(file: string, path: string, context: OperationContext): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    try {
      nameAs(file, path);
      return;
    } catch (error) {
      const found = fileAt(path);
      if (found !== undefined) {
        if (await isLeft(path, found, context)) makeRoom(path, found, file, context);
      } else if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        throw error;
      }
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
export async function isLeft(path: string, found: BigIntStats, context: OperationContext): Promise<boolean> {
  if (!found.isSocket()) {
    const what = found.isDirectory() ? "a folder" : found.isSymbolicLink() ? "a link" : "a file that is no socket";
    throw inUse(`${what} has that name; remove it, or choose another path`, context);
  }
  const answer = isOpenHere(found) ? "connected" : await answerOf(path);
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

export function inUse(detail: string, context: OperationContext, cause?: unknown): ZocaloError {
  return new ZocaloError("ADDRESS_IN_USE", { ...context, detail, cause });
}
