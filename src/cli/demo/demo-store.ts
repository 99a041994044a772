/** Where the cluster demo keeps its sessions: a server of NATS of its own, or a file. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ZocaloError } from "../../index.ts";
import { fileJournal } from "../../journal-file.ts";
import { natsJournal } from "../../journal-nats.ts";
import type { SessionJournal } from "../../protocol.ts";
import { CommandFailure } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";

const TEXTS = inLanguage({
  en: {
    noProgram: "there is no nats-server on the PATH; install it, or leave out --journal nats to use a file",
    ended: (output: string) => `nats-server ended before it was ready: ${output}`,
  },
  es: {
    noProgram: "no hay ningún nats-server en el PATH; instálalo, o quita --journal nats para usar un archivo",
    ended: (output) => `nats-server terminó antes de estar listo: ${output}`,
  },
});

/** The kinds of journal that the demo knows. */
export type StoreKind = "nats" | "file";

/** A store as the servers are told of it. */
export interface StorePlace {
  readonly kind: StoreKind;
  /** Where NATS listens, or the path of the file. */
  readonly place: string;
}

/** As much as the servers of the demo need; NATS reserves it. */
const STREAM_BYTES = 67_108_864;
const READY = /client connections on (127\.0\.0\.1:\d+)[\s\S]*Server is ready/;
const RECORDS_MS = 60_000;

/** The journal of a store. */
export function journalOf({ kind, place }: StorePlace): SessionJournal {
  const bounds = { maxRecordBytes: STREAM_BYTES, maxLogBytes: STREAM_BYTES };
  return kind === "file"
    ? fileJournal({ path: place, ...bounds })
    : natsJournal({ servers: [place], name: "demo", ...bounds });
}

/** A store that runs; it leaves nothing behind. */
export class DemoStore implements StorePlace {
  readonly kind: StoreKind;
  readonly place: string;
  readonly #folder: string;
  readonly #server: ChildProcess | undefined;

  private constructor({ kind, place }: StorePlace, folder: string, server?: ChildProcess) {
    this.kind = kind;
    this.place = place;
    this.#folder = folder;
    this.#server = server;
  }

  /** Opens the one that is wanted; without a wish NATS where its server and its packages are here, else a file. */
  static async open(wanted: StoreKind | undefined, signal: AbortSignal): Promise<DemoStore> {
    const folder = mkdtempSync(join(tmpdir(), "zocalo-demo-"));
    const file = { kind: "file", place: join(folder, "sessions.journal") } as const;
    try {
      if (wanted !== "file") {
        const nats = await DemoStore.#nats(folder, signal);
        if (nats === undefined && wanted === "nats") throw new CommandFailure("DEMO_FAILED", TEXTS.noProgram);
        if (nats !== undefined && (await nats.#isUsable(wanted))) return nats;
        nats?.close();
      }
      const store = new DemoStore(file, folder);
      await store.#isUsable("file");
      return store;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Starts its server on a free port; undefined where there is none. */
  static #nats(folder: string, signal: AbortSignal): Promise<DemoStore | undefined> {
    const words = ["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", folder];
    const server = spawn("nats-server", words, { stdio: ["ignore", "pipe", "pipe"], signal, killSignal: "SIGKILL" });
    return new Promise((resolve, reject) => {
      let output = "";
      const look = (bytes: Buffer): void => {
        output += String(bytes);
        const place = READY.exec(output)?.[1];
        if (place !== undefined) resolve(new DemoStore({ kind: "nats", place }, folder, server));
      };
      server.stdout.on("data", look);
      server.stderr.on("data", look);
      server.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") resolve(undefined);
        else reject(error);
      });
      server.once("exit", () => reject(new CommandFailure("DEMO_FAILED", TEXTS.ended(output.trim().slice(-300)))));
    });
  }

  /** Whether the packages of its journal are here; throws what is wrong where this journal was asked for. */
  async #isUsable(wanted: StoreKind | undefined): Promise<boolean> {
    const journal = journalOf(this);
    try {
      await journal.open({ keptMs: RECORDS_MS });
      await journal.close();
      return true;
    } catch (error) {
      if (wanted === undefined && error instanceof ZocaloError && error.code === "UNSUPPORTED") return false;
      throw error;
    }
  }

  /** Ends the server, and removes the files. */
  close(): void {
    this.#server?.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
