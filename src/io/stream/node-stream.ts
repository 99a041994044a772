/** A connection as a Node stream. */

import { Duplex } from "node:stream";
import type { StreamSocket } from "./socket.ts";

/**
 * A Duplex over a connection. Destroying it with an error aborts the connection, without one closes it; both sides end
 * apart (`allowHalfOpen`).
 */
export function toNodeStream(socket: StreamSocket): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    // Texts as they are, so that those which have no UTF-8 are refused as in `write`.
    decodeStrings: false,
    read(): void {
      socket.read().then(
        (bytes) => this.push(bytes),
        (error: Error) => this.destroy(error),
      );
    },
    write(chunk: Buffer | string, encoding, callback): void {
      socket.write(inputOf(chunk, encoding)).then(() => callback(), callback);
    },
    writev(entries, callback): void {
      const chunks = entries.map(({ chunk, encoding }) => inputOf(chunk as Buffer | string, encoding));
      socket.write(chunks).then(() => callback(), callback);
    },
    final(callback): void {
      socket.end().then(() => callback(), callback);
    },
    destroy(error, callback): void {
      if (error !== null) socket.abort(error);
      void socket.close().then(
        () => callback(error),
        () => callback(error),
      );
    },
  });
}

function inputOf(chunk: Buffer | string, encoding: BufferEncoding): Buffer | string {
  return typeof chunk !== "string" || /^utf-?8$/i.test(encoding) ? chunk : Buffer.from(chunk, encoding);
}
