/** Looks at a file before `lmdb` does, which ends the process over some files that are none of its own. */

import { appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { endianness } from "node:os";
import { dirname } from "node:path";

/** A file begins with two pages of metadata, written in turn; the places are those of `lmdb` 3, in bytes. */
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;
const PAGE_BYTES_AT = 48;
const ROOTS_AT = [88, 136] as const;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const HEADER_BYTES = 160;
/** Pages at the end that were free at once, and so never written, are fewer. */
const MAX_MISSING_BYTES = 1_048_576;
/** The root of a tree without a page. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/**
 * Throws if the file exists and is none of `lmdb`, is cut short, or is no regular file, or if its lock is none. Makes its folder.
 * Pages at the end that are missing are made: reading behind the end of a file that is mapped ends the process. They are appended, so that nothing is overwritten which
 * another process writes at this moment.
 */
export function makeReadable(path: string): void {
  for (const part of [path, `${path}-lock`]) {
    if (statSync(part, { throwIfNoEntry: false })?.isFile() === false) throw new Error(`${part} is no regular file`);
  }
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    return;
  }
  const file = openSync(path, "r");
  try {
    if (fstatSync(file).size === 0) return;
    const first = headerAt(file, 0);
    const pageBytes = first.getUint32(PAGE_BYTES_AT, LITTLE);
    if (pageBytes < 256 || pageBytes > 65_536) throw new Error("its first page is damaged");
    const second = headerAt(file, pageBytes);
    const isSecond = second.getBigUint64(TRANSACTION_AT, LITTLE) > first.getBigUint64(TRANSACTION_AT, LITTLE);
    const newest = isSecond ? second : first;
    // After the headers: another process may write at this moment, and writes what a header names before the header.
    const { size } = fstatSync(file);
    const pages = BigInt(Math.floor(size / pageBytes));
    for (const at of ROOTS_AT) {
      const root = newest.getBigUint64(at, LITTLE);
      if (root !== NO_PAGE && root >= pages) throw new Error("it is cut short");
    }
    const missingBytes = Number(newest.getBigUint64(LAST_PAGE_AT, LITTLE) + 1n) * pageBytes - size;
    if (missingBytes > MAX_MISSING_BYTES) throw new Error("it is cut short");
    if (missingBytes > 0) appendFileSync(path, new Uint8Array(missingBytes));
  } finally {
    closeSync(file);
  }
}

/** The byte order of this machine is that of the file. */
const LITTLE: boolean = endianness() === "LE";

function headerAt(file: number, position: number): DataView {
  const header = new Uint8Array(HEADER_BYTES);
  const read = readSync(file, header, 0, HEADER_BYTES, position);
  const view = new DataView(header.buffer);
  if (read < HEADER_BYTES || view.getUint32(MAGIC_AT, LITTLE) !== MAGIC)
    throw new Error("it is no journal, or is damaged");
  return view;
}
