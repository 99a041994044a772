/** How what happens to a `net.Socket` reaches the object that owns it: one function for all sockets, instead of one closure each. */

import type net from "node:net";
import type { SharedReadOptions } from "./native-handle.ts";

/** Told what happens to its socket. */
export interface SocketOwner {
  /** Bytes arrived; the view is valid only during the call. False stops the reading. */
  onBytes(view: Uint8Array): boolean;
  onEnd(): void;
  onError(error: unknown): void;
  onClose(): void;
}

const owner: unique symbol = Symbol("zocalo.transport");

interface OwnedSocket extends net.Socket {
  [owner]?: SocketOwner | undefined;
}

/** One read of the kernel at most. */
const SCRATCH_BYTES = 65_536;

/**
 * All plain sockets of this thread read into one buffer: whoever is told of bytes copies what it keeps, before the event
 * loop reads again. An idle connection then holds no buffer at all.
 */
export const sharedRead: SharedReadOptions = {
  onread: {
    buffer: Buffer.allocUnsafeSlow(SCRATCH_BYTES),
    callback(this: OwnedSocket, count: number, buffer: Uint8Array): boolean {
      return this[owner]?.onBytes(count === buffer.length ? buffer : buffer.subarray(0, count)) ?? false;
    },
  },
};

function onData(this: OwnedSocket, bytes: Buffer): void {
  this[owner]?.onBytes(bytes);
}
function onEnd(this: OwnedSocket): void {
  this[owner]?.onEnd();
}
function onError(this: OwnedSocket, error: Error): void {
  this[owner]?.onError(error);
}
function onClose(this: OwnedSocket): void {
  this[owner]?.onClose();
}

/** Tells `by` from now on what happens to the socket, its bytes apart. */
export function own(socket: net.Socket, by: SocketOwner): void {
  (socket as OwnedSocket)[owner] = by;
  socket.on("error", onError).on("end", onEnd).on("close", onClose);
}

/** Tells of the bytes too, where the socket was not made with {@link sharedRead}. */
export function deliverBytes(socket: net.Socket): void {
  socket.on("data", onData);
}

/** The opposite of both. */
export function release(socket: net.Socket): void {
  socket.off("error", onError).off("end", onEnd).off("close", onClose).off("data", onData);
}
