/**
 * What a good programmer writes by hand on raw `node:net` for calls with a number and a promise: all calls of a turn leave in
 * one write, and so do the answers to all requests of a chunk. FROZEN: later changes would move the yardstick.
 *
 * A frame is the length of what follows (4 bytes), the number of the call (4 bytes) and the payload.
 */

import type net from "node:net";

const HEAD_BYTES = 8;

/** Calls `take` with the place of each frame that is whole, and `after` behind each chunk. */
function takeFrames(
  socket: net.Socket,
  take: (bytes: Buffer, start: number, end: number) => void,
  after: () => void,
): void {
  let held: Buffer | undefined;
  socket.on("data", (chunk: Buffer) => {
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      take(bytes, at, end);
      at = end;
    }
    held = at === bytes.length ? undefined : bytes.subarray(at);
    after();
  });
}

/** Answers each request with what `answer` makes of its payload. */
export function answerCalls(socket: net.Socket, answer: (payload: Buffer) => Uint8Array): void {
  let answers: Uint8Array[] = [];
  takeFrames(
    socket,
    (bytes, start, end) => {
      const payload = answer(bytes.subarray(start + HEAD_BYTES, end));
      const head = Buffer.allocUnsafe(HEAD_BYTES);
      head.writeUInt32BE(payload.length + 4, 0);
      bytes.copy(head, 4, start + 4, start + HEAD_BYTES);
      answers.push(head, payload);
    },
    () => {
      if (answers.length > 0) socket.write(Buffer.concat(answers));
      answers = [];
    },
  );
}

/** Answers the function that makes a call. */
export function callsOver(socket: net.Socket): (payload: Uint8Array) => Promise<Buffer> {
  const waiting = new Map<number, (answer: Buffer) => void>();
  let next = 0;
  let batch: Uint8Array[] = [];
  const leave = (): void => {
    socket.write(Buffer.concat(batch));
    batch = [];
  };
  takeFrames(
    socket,
    (bytes, start, end) => {
      const id = bytes.readUInt32BE(start + 4);
      waiting.get(id)?.(Buffer.from(bytes.subarray(start + HEAD_BYTES, end)));
      waiting.delete(id);
    },
    () => undefined,
  );
  return (payload) => {
    next = (next + 1) >>> 0;
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    head.writeUInt32BE(payload.length + 4, 0);
    head.writeUInt32BE(next, 4);
    if (batch.length === 0) setImmediate(leave);
    batch.push(head, payload);
    const id = next;
    return new Promise((resolve) => waiting.set(id, resolve));
  };
}
