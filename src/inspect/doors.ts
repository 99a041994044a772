/** Where the inspector listens: a port of this machine alone, or a file that only its owner can use. */

import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, threadId } from "node:worker_threads";
import { UsageError } from "../core/errors.ts";
import { type MakeServer, type OpenDoor, serverClosed } from "../http/open-port.ts";
import { systemError } from "../node/errno.ts";
import { opened } from "../node/listen-transport.ts";
import { makeSocketFile } from "../node/unix-path.ts";

/** For the owner of the file alone. */
const PRIVATE = 0o600;

/** Listens on a Unix socket whose file has mode 0600. */
export async function openFile(path: string, makeServer: MakeServer): Promise<OpenDoor> {
  const server = makeServer(() => ({ hosts: ["localhost"], token: undefined }));
  const context = { op: "inspect", local: `unix:${path}` };
  let file: Awaited<ReturnType<typeof makeSocketFile>>;
  try {
    file = await makeSocketFile(path, PRIVATE, context, (name) =>
      opened(server, "listening", () => server.listen({ path: name, exclusive: true })),
    );
  } catch (error) {
    server.close();
    throw systemError(error, context);
  }
  return {
    url: context.local,
    close() {
      file.remove();
      return serverClosed(server);
    },
  };
}

/** The folders of the sockets by which programs are found, in the order in which they are looked at. */
function folders(): readonly string[] {
  const name = `zocalo-inspect-${process.getuid?.() ?? 0}`;
  const { XDG_RUNTIME_DIR: runtime = "" } = process.env;
  return [...new Set([...(runtime === "" ? [] : [runtime]), tmpdir(), "/tmp"])].map((folder) => join(folder, name));
}

/**
 * Where the inspector of a process may listen, the likeliest place first: `zocalo inspect PID` tries them in this order. A worker
 * thread has the number of its process and its own, `4242-1`.
 *
 * @param pid - The number of the process.
 *
 * @example
 * ```ts
 * import { inspectorPaths } from "zocalo/inspect";
 * console.log(inspectorPaths("4242").every((path) => path.endsWith("/4242.sock"))); // true
 * ```
 */
export function inspectorPaths(pid: string): readonly string[] {
  return folders().map((folder) => join(folder, `${pid}.sock`));
}

/** Listens where `zocalo inspect PID` looks. Undefined on a platform without files for sockets. */
export async function openByPid(makeServer: MakeServer): Promise<OpenDoor | undefined> {
  if (process.platform === "win32") return undefined;
  const folder = privateFolder();
  removeStale(folder);
  const name = isMainThread ? String(process.pid) : `${process.pid}-${threadId}`;
  return await openFile(join(folder, `${name}.sock`), makeServer);
}

/** The first of the folders that can be made, or is ours and closed to others. */
function privateFolder(): string {
  let problem: unknown;
  for (const folder of folders()) {
    try {
      fs.mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      problem = error;
    }
    const found = fs.lstatSync(folder, { throwIfNoEntry: false });
    if (found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return folder;
  }
  throw new UsageError("PERMISSION_DENIED", {
    op: "inspect",
    detail: `${folders().join(" and ")} must be folders of this user with mode 0700`,
    cause: problem,
  });
}

/** Removes the sockets of processes that are gone: who is killed leaves its own. */
function removeStale(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    const [, pid = ""] = /^(\d+)(?:-\d+)?\.sock$/.exec(name) ?? [];
    if (pid !== "" && !isAlive(Number(pid))) fs.rmSync(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and of another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
