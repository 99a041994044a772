/** Data of the command on stdout, with backpressure. */

import { ZocaloError } from "../../index.ts";
import { OutputClosed } from "./exit-codes.ts";

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
  const detail = `stdout cannot be written (${error.code ?? error.message})`;
  return new ZocaloError("SYSTEM_ERROR", { op: "stdout", detail, cause: error });
}
