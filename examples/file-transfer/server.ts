/** Serves the files of a folder: node server.js FOLDER [ADDRESS] */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { RemoteError, serveSessions } from "zocalo/protocol";
import { files } from "./contract.ts";

const [folder = ".", address = "tcp://127.0.0.1:7000"] = process.argv.slice(2);

const find = async (name: string): Promise<{ readonly path: string; readonly size: number }> => {
  const path = join(folder, basename(name)); // No name leads out of the folder.
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new RemoteError("NOT_FOUND", `there is no file ${name}`);
  return { path, size: found.size };
};

const { localAddress } = await serveSessions(files, address, {
  handlers: {
    find: async ({ name }) => ({ size: (await find(name)).size }),
    // The disk is read as fast as the client takes it: a stream has a window.
    read: async ({ name }) => createReadStream((await find(name)).path),
  },
  closeOn: ["SIGINT", "SIGTERM"],
});
console.error(`listening on ${String(localAddress)}`);
