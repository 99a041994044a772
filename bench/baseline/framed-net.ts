/**
 * What a good programmer writes by hand on raw `node:net` for messages with a 4-byte length prefix: the sender fills one
 * buffer and writes it whole, the receiver walks over each chunk in place. FROZEN: later changes would move the yardstick.
 */

import type net from "node:net";

const BATCH_BYTES = 65_536;

/** Sends `count` messages as fast as the kernel takes them, then FIN. */
export function sendFramed(socket: net.Socket, payload: Uint8Array, count: number): void {
  const frameBytes = payload.length + 4;
  const perBatch = Math.floor(BATCH_BYTES / frameBytes);
  let left = count;
  const more = (): void => {
    while (left > 0) {
      const messages = Math.min(left, perBatch);
      const batch = Buffer.allocUnsafeSlow(messages * frameBytes);
      let at = 0;
      for (let index = 0; index < messages; index += 1) {
        batch.writeUInt32BE(payload.length, at);
        batch.set(payload, at + 4);
        at += frameBytes;
      }
      left -= messages;
      if (!socket.write(batch)) {
        socket.once("drain", more);
        return;
      }
    }
    socket.end();
  };
  more();
}

/** Calls `touch` for each message, with the bytes in place. */
export function receiveFramed(
  socket: net.Socket,
  touch: (bytes: Buffer, start: number, end: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let held: Buffer | undefined;
    socket.on("data", (chunk: Buffer) => {
      const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
      const { length } = bytes;
      let at = 0;
      while (length - at >= 4) {
        const size =
          ((bytes[at] as number) * 0x1000000) |
          ((bytes[at + 1] as number) << 16) |
          ((bytes[at + 2] as number) << 8) |
          (bytes[at + 3] as number);
        const end = at + 4 + size;
        if (end > length) break;
        touch(bytes, at + 4, end);
        at = end;
      }
      held = at === length ? undefined : bytes.subarray(at);
    });
    socket.on("end", resolve);
    socket.on("error", reject);
  });
}
