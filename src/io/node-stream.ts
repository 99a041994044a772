/** A connection as a Node stream. */

import { Duplex } from "node:stream";
import type { StreamSocket } from "./stream-socket.ts";

/**
 * A Duplex over a connection. Destroying it with an error aborts the connection, without one closes it; both sides end
 * apart (`allowHalfOpen`).
 */
export function toNodeStream(socket: StreamSocket): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read(): void {
      socket.read().then(
        (bytes) => this.push(bytes),
        (error: Error) => this.destroy(error),
      );
    },
    write(chunk: Buffer, _encoding, callback): void {
      socket.write(chunk).then(() => callback(), callback);
    },
    writev(entries, callback): void {
      const chunks = entries.map((entry) => entry.chunk as Buffer);
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
