/** What an attack is, and how one is kept within its bounds. */

import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Where the server is. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Most that one attack may do. */
export interface Bounds {
  /** Bytes a second, of all its connections together. */
  readonly bytesPerSecond: number;
  /** Bytes in all. */
  readonly maxBytes: number;
  /** Connections a second, and in all. */
  readonly connectsPerSecond: number;
  readonly maxConnects: number;
}

/** What has been done of an attack so far. */
export interface Done {
  bytes: number;
  connects: number;
}

/** One attack: goes on until its bounds are reached or `signal` aborts, and keeps its connections open until then. */
export type Attack = (place: Place, bounds: Bounds, done: Done, signal: AbortSignal) => Promise<void>;

const TICK_MS = 5;
/** What is written at once to one connection. */
const BLOCK_BYTES = 16_384;

/** A raw connection that reads and forgets, and whose errors are no news: the server is expected to defend itself. */
export async function dial(place: Place, done: Done): Promise<net.Socket> {
  const socket = net.connect({ ...place, noDelay: true }).on("error", () => undefined);
  done.connects += 1;
  await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => undefined);
  return socket;
}

/** A block of frames of about the same kind; a function where each must be another one. */
export type Block = Buffer | (() => Buffer);

/** Writes blocks to connections by turns, at the rate of the bounds. `room` says how much one may be sent. */
export async function flood(
  sockets: readonly net.Socket[],
  block: Block,
  bounds: Bounds,
  done: Done,
  signal: AbortSignal,
  room: (socket: net.Socket) => number = () => Infinity,
): Promise<void> {
  const startedAt = performance.now();
  let sent = 0;
  while (!signal.aborted && done.bytes < bounds.maxBytes && sockets.some((socket) => socket.writable)) {
    const allowed = ((performance.now() - startedAt) * bounds.bytesPerSecond) / 1000;
    for (const socket of sockets) {
      if (sent >= allowed) break;
      if (!socket.writable || socket.writableNeedDrain) continue;
      // A block that is longer is one frame, which may be longer than what is left.
      if (room(socket) < BLOCK_BYTES) continue;
      const bytes = typeof block === "function" ? block() : block;
      socket.write(bytes);
      sent += bytes.length;
      done.bytes += bytes.length;
    }
    await sleep(TICK_MS);
  }
}

/** Makes connections at the rate of the bounds; `visit` does with one what it wants, and is not waited for. */
export async function visits(
  place: Place,
  bounds: Bounds,
  done: Done,
  signal: AbortSignal,
  visit: (socket: net.Socket) => unknown,
): Promise<void> {
  const startedAt = performance.now();
  const begun = done.connects;
  while (!signal.aborted && done.connects < bounds.maxConnects) {
    const allowed = ((performance.now() - startedAt) * bounds.connectsPerSecond) / 1000;
    while (done.connects - begun < allowed && done.connects < bounds.maxConnects) {
      void dial(place, done).then(visit);
    }
    await sleep(TICK_MS);
  }
}

/** Waits until the attack is to end. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** Copies of one piece, as many as fit into a block. */
export function repeated(piece: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: Math.max(1, Math.floor(BLOCK_BYTES / piece.length)) }, () => piece));
}
