/**
 * Where an end and a reset of one socket meet. Tells an end from a hidden reset (docs/semantics.md, rule A1).
 *
 * On Node 20 and 22 a reset behind unread data comes out as `end`: libuv sees the hang-up after a partial read and reports
 * an end of file without asking for the error. A connection that ended still has a peer in the kernel; one that was reset
 * has none, but neither has one whose both sides have ended, nor one that was reset after its FIN. So where the peer is
 * gone the kernel is asked once more, and it answers with the error if one is pending: by another read, or beneath TLS,
 * which hides reads behind its end, by a write of no bytes.
 *
 * What cannot be told from an end: a reset whose error the kernel has told already (it tells each once; TLS keeps to itself
 * what its own first write after the handshake is told); under TLS, a reset after this side has ended, because a write is
 * then refused without asking the kernel; and any hidden reset on a runtime without these handles.
 */

import type net from "node:net";
import { peerIsGone, readAgain, resetSocket } from "./native-handle.ts";

/**
 * Calls `ended` unless the end of `socket` was a reset; then the socket emits its error, or closes, instead. `beneath` is
 * the TCP socket under a TLS socket.
 */
export function afterHiddenReset(socket: net.Socket, beneath: net.Socket | undefined, ended: () => void): void {
  if (socket.destroyed || peerIsGone(socket) !== true) ended();
  else if (beneath !== undefined) {
    beneath.write(new Uint8Array(0), (error?: NodeJS.ErrnoException | null) => {
      if (error?.code !== "ECONNRESET") ended();
    });
  } else if (readAgain(socket)) {
    // The kernel's answer is there at once: the next poll of the event loop, between these two, delivers it.
    setImmediate(() => setImmediate(ended));
  } else ended();
}

/**
 * Resets a connection whose FIN is under way: that leaves in this turn of the event loop, and the reset goes behind it, since
 * before it would be refused. `socket` is the TCP socket, `native` what the program has. Under TLS a `close_notify` goes first,
 * which a peer that does not read can hold back for ever: `heldBack` is called then.
 */
export function resetBehindFin(native: net.Socket, socket: net.Socket, heldBack: () => void): void {
  const reset = (): void => {
    resetSocket(socket);
    native.destroy();
  };
  native.once("finish", reset);
  if (socket === native) return;
  setImmediate(() =>
    setImmediate(() => {
      if (native.writableFinished) return;
      native.off("finish", reset);
      heldBack();
    }),
  );
}
