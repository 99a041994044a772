/** What is used of `lmdb`, a package that whoever uses this journal installs. */

import { unavailable } from "../../io/journal/failure.ts";
import { loadPackage } from "../../io/journal/load-package.ts";
import { makeReadable } from "./check-file.ts";

/** A pair of a range. */
export interface LmdbPair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A part of the keys, from `start` on, those before `end`. */
export interface LmdbRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly limit?: number;
}

/** A database. Keys are not empty. */
export interface Lmdb {
  getBinary(key: Uint8Array): Uint8Array | undefined;
  getRange(range: LmdbRange): Iterable<LmdbPair>;
  getKeysCount(): number;
  put(key: Uint8Array, value: Uint8Array): unknown;
  remove(key: Uint8Array): unknown;
  /** Runs `action` with the lock of writers; resolves when it is on the disk. */
  transaction<T>(action: () => T): Promise<T>;
  /** Reads go on with what was written last, by other processes too. */
  resetReadTxn(): void;
  close(): Promise<void>;
}

interface Package {
  open(options: Readonly<Record<string, unknown>>): Lmdb;
}

/** A key has at most 1,978 bytes there. */
export const MAX_KEY_BYTES = 1_900;

/** Opens a file, or makes it; rejects with an error that says what is wrong. */
export async function openLmdb(path: string): Promise<Lmdb> {
  const lmdb: Package = await loadPackage("fileJournal", ["lmdb"], () => import("lmdb"));
  try {
    makeReadable(path);
    const database = withCauses(
      lmdb.open({
        path,
        noSubdir: true,
        encoding: "binary",
        keyEncoding: "binary",
        cache: false,
        compression: false,
        // The promise of a transaction resolves when it is on the disk, not before.
        overlappingSync: false,
        // With it, each batch has a promise that nobody can handle: a disk that is full would end the process.
        eventTurnBatching: false,
      }),
    );
    // Walks through all pages: what is damaged shows now, and not while somebody is served.
    database.getKeysCount();
    return database;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw unavailable("open", `the file ${path} cannot be used: ${why}; give another path, or restore the file`, error);
  }
}

/** A transaction that fails rejects with what went wrong: `lmdb` has it in a second promise, which must be handled, too. */
function withCauses(database: Lmdb): Lmdb {
  const run = database.transaction.bind(database);
  database.transaction = async (action) => {
    try {
      return await run(action);
    } catch (error) {
      await (error as { readonly commitError?: Promise<never> }).commitError;
      throw error;
    }
  };
  return database;
}
