/** The stores of a cluster: a server of its own on this machine, or a file. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreServer } from "../../test/fixtures/journal-outages.ts";
import { freePort } from "../../test/fixtures/programs.ts";
import type { Kept } from "./nodes.ts";

/** Reserved for each of the two streams of a journal in NATS. */
const STORE_BYTES = "8GB";

/** A store that runs. */
export interface Store extends Kept, AsyncDisposable {
  /** The program of the store; undefined for a file. */
  readonly server: StoreServer | undefined;
}

/** How the server of each store is started, in a folder. `redis-in-memory` keeps nothing on the disk. */
const PROGRAMS: Readonly<
  Record<string, (folder: string, port: number) => { place: string; words: [string, ...string[]]; ready: RegExp }>
> = {
  nats(folder, port) {
    const file = join(folder, "nats.conf");
    const jetstream = `jetstream { store_dir: "${folder}", max_file_store: ${STORE_BYTES} }`;
    writeFileSync(file, `host: "127.0.0.1"\nport: ${port}\nmax_payload: 2MB\n${jetstream}\n`);
    return { place: `127.0.0.1:${port}`, words: ["nats-server", "-c", file], ready: /Server is ready/ };
  },
  redis: (folder, port) => redis(folder, port, "--appendonly", "yes", "--appendfsync", "always"),
  "redis-in-memory": (folder, port) => redis(folder, port, "--appendonly", "no"),
};

function redis(folder: string, port: number, ...flags: readonly string[]): ReturnType<(typeof PROGRAMS)[string]> {
  const words = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", ...flags];
  return { place: `redis://127.0.0.1:${port}`, words: ["redis-server", ...words], ready: /Ready to accept/ };
}

/** Starts one: `nats`, `redis`, `redis-in-memory` or `file`. */
export async function startStore(kind: string): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), "zocalo-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  if (kind === "file") {
    const place = join(folder, "sessions.journal");
    return { store: kind, place, server: undefined, [Symbol.asyncDispose]: async () => remove() };
  }
  const program = PROGRAMS[kind]?.(folder, await freePort());
  if (program === undefined) throw new Error(`there is no store ${kind}`);
  const server = new StoreServer(program.words, program.ready);
  await server.start();
  return {
    store: kind,
    place: program.place,
    server,
    async [Symbol.asyncDispose]() {
      await server.kill();
      remove();
    },
  };
}
