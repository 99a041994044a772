/** The command's stdin: a terminal, a pipe, a file, or nothing at all. */

import { ZocaloError } from "../../index.ts";

/** What is sent is read from here. */
export interface DataInput {
  /** Somebody types. */
  readonly isTerminal: boolean;
  /** The next bytes; null at the end. An abort rejects with the signal's reason and takes nothing. */
  read(signal: AbortSignal): Promise<Buffer | null>;
}

/**
 * Stdin. It is opened by the first `read`, so that a command that needs no input never takes the terminal from somebody
 * else. A stdin that was closed by the caller is an empty one.
 */
export class StandardInput implements DataInput {
  #stream: NodeJS.ReadStream | undefined;
  #failed: Error | undefined;
  #wake: (() => void) | undefined;

  get isTerminal(): boolean {
    return this.#open().isTTY;
  }

  async read(signal: AbortSignal): Promise<Buffer | null> {
    const stream = this.#open();
    for (;;) {
      signal.throwIfAborted();
      const bytes = stream.read() as Buffer | null;
      if (bytes !== null) return bytes;
      if (this.#failed !== undefined) throw this.#failed;
      if (stream.readableEnded || stream.destroyed) return null;
      await this.#change(signal);
    }
  }

  #open(): NodeJS.ReadStream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = process.stdin;
    const wake = (): void => this.#wake?.();
    stream.on("readable", wake).on("end", wake).on("close", wake);
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // A terminal that was hung up (EIO) has said all that it will say.
      if (error.code !== "EIO") this.#failed = unreadable(error);
      stream.destroy();
      wake();
    });
    this.#stream = stream;
    return stream;
  }

  /** Waits for bytes, the end, an error, or an abort. */
  async #change(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#wake = undefined;
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

function unreadable(error: NodeJS.ErrnoException): ZocaloError {
  const detail = `stdin cannot be read (${error.code ?? error.message})`;
  return new ZocaloError("SYSTEM_ERROR", { op: "stdin", detail, cause: error });
}
