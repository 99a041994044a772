/** A file that grows while the command runs, and that can be read up to where it is whenever the command is killed. */

import { closeSync, writeSync } from "node:fs";

/** What comes within a turn is written at its end; so much at once. */
const MOST_HELD_BYTES = 1_048_576;

/**
 * Writes whole blocks. It writes synchronously, so that a slow disk slows the command down instead of filling its memory.
 * The first write that fails is told, and is the last.
 */
export class CaptureFile {
  readonly #fd: number;
  readonly #failed: (error: Error) => void;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isBroken = false;

  /** @param fd - An open file, which `close` closes. */
  constructor(fd: number, failed: (error: Error) => void) {
    this.#fd = fd;
    this.#failed = failed;
  }

  write(block: Uint8Array): void {
    if (this.#isBroken) return;
    if (this.#held.length === 0) setImmediate(() => this.#flush());
    this.#held.push(block);
    this.#heldBytes += block.length;
    if (this.#heldBytes >= MOST_HELD_BYTES) this.#flush();
  }

  /** Writes what is left. */
  close(): void {
    this.#flush();
    this.#isBroken = true;
    closeSync(this.#fd);
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    try {
      for (let at = 0; at < bytes.length && !this.#isBroken; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      this.#isBroken = true;
      this.#failed(error as Error);
    }
  }
}
