/** Files that a command of `zocalo sim` writes. */

import { writeFile } from "node:fs/promises";
import { wrongUsage } from "../terminal/exit-codes.ts";

/** Writes the file of a flag, and says what is wrong with a path that cannot be written. */
export async function writeResult(flag: string, path: string, pieces: readonly (string | Uint8Array)[]): Promise<void> {
  try {
    await writeFile(path, pieces);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw wrongUsage(
      `${flag} ${path}: ${code === "ENOENT" ? "there is no such folder" : `cannot be written (${code})`}`,
    );
  }
}
