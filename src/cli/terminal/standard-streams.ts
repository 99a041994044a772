/** The command's stdin: a terminal, a pipe, a file, or nothing at all. */

import { CommandError, OutputClosed } from "./exit-codes.ts";
import { inLanguage } from "./language.ts";

const TEXTS = inLanguage({
  en: {
    unreadable: (reason: string) => `stdin cannot be read (${reason})`,
    unwritable: (reason: string) => `stdout cannot be written (${reason})`,
  },
  es: {
    unreadable: (reason) => `no se puede leer stdin (${reason})`,
    unwritable: (reason) => `no se puede escribir en stdout (${reason})`,
  },
});

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

function unreadable(error: NodeJS.ErrnoException): CommandError {
  const detail = TEXTS.unreadable(error.code ?? error.message);
  return new CommandError("SYSTEM_ERROR", { op: "stdin", detail, cause: error });
}

/**
 * When the peer has ended, what stdin still gives is sent, until it is silent for so long: a program at the other end of a
 * pipe may need a moment. A terminal is not waited for, because the person sees that the peer is gone.
 */
const SILENCE_MS = 500;

/** Reads stdin and stops at a signal, or at its silence once {@link PatientInput.loseInterest} was called. */
export class PatientInput {
  readonly #input: DataInput;
  readonly #stops: readonly AbortSignal[];
  readonly #halt: AbortController = new AbortController();
  readonly #onStop: (event: Event) => void;
  #patient = true;
  #waiting = false;
  #silent = false;
  #timer: NodeJS.Timeout | undefined;

  /** A read rejects with the reason of the first of `stops` that aborts. */
  constructor(input: DataInput, stops: readonly AbortSignal[]) {
    this.#input = input;
    this.#stops = stops;
    this.#onStop = (event) => this.#halt.abort((event.target as AbortSignal).reason);
    for (const stop of stops) {
      if (stop.aborted) this.#halt.abort(stop.reason);
      stop.addEventListener("abort", this.#onStop, { once: true });
    }
  }

  /** The next bytes, null at the end, `silent` when nothing came and nobody is interested any more. */
  async read(): Promise<Buffer | null | "silent"> {
    this.#waiting = true;
    if (!this.#patient) this.#countSilence();
    try {
      return await this.#input.read(this.#halt.signal);
    } catch (error) {
      if (this.#silent) return "silent";
      throw error;
    } finally {
      this.#waiting = false;
      clearTimeout(this.#timer);
    }
  }

  /** From now on silence ends the reading. */
  loseInterest(): void {
    this.#patient = false;
    if (this.#waiting) this.#countSilence();
  }

  /** Forgets the signals. */
  release(): void {
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop.removeEventListener("abort", this.#onStop);
  }

  #countSilence(): void {
    this.#timer = setTimeout(
      () => {
        this.#silent = true;
        this.#halt.abort();
      },
      this.#input.isTerminal ? 0 : SILENCE_MS,
    );
  }
}

/** What data is written to. */
export interface DataOutput {
  /** Resolves when the system has the bytes. Rejects with {@link OutputClosed} when nobody reads them any more. */
  write(data: string | Uint8Array): Promise<void>;
}

/** Stdout. */
export class StandardOutput implements DataOutput {
  constructor() {
    // The error of a write is told to its callback; without a listener the event would end the process.
    process.stdout.on("error", () => undefined);
    process.stderr.on("error", () => undefined);
  }

  write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      process.stdout.write(data, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(asEnd(error));
      });
    });
  }

  /** Waits until everything is out, also what others wrote to stdout and stderr. */
  async flush(): Promise<void> {
    await this.write("").catch(() => undefined);
    await new Promise((resolve) => {
      process.stderr.write("", resolve);
    });
  }
}

function asEnd(error: NodeJS.ErrnoException): Error {
  const gone = error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED" || error.code === "EOF";
  if (gone) return new OutputClosed("stdout is closed", { cause: error });
  const detail = TEXTS.unwritable(error.code ?? error.message);
  return new CommandError("SYSTEM_ERROR", { op: "stdout", detail, cause: error });
}
