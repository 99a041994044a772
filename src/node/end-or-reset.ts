/**
 * Tells an end from a hidden reset (SEMANTICS A1).
 *
 * On Node 20 and 22 a reset behind unread data comes out as `end`: libuv sees the hang-up after a partial read and reports
 * an end of file without asking for the error. A connection that ended still has a peer in the kernel; one that was reset
 * has none, but neither has one whose both sides have ended, nor one that was reset after its FIN. So where the peer is
 * gone the kernel is asked for bytes once more: it answers with the error if one is pending, else with the end again.
 *
 * A reset whose error the kernel has told already (it tells each once), or one on a runtime without these handles, cannot
 * be told from an end.
 */

import type net from "node:net";
import { peerIsGone, readAgain } from "./native-handle.ts";

/** Calls `ended` unless the end of `socket` was a reset; then the socket emits its error instead. */
export function afterHiddenReset(socket: net.Socket, ended: () => void): void {
  if (socket.destroyed || peerIsGone(socket) !== true || !readAgain(socket)) {
    ended();
    return;
  }
  // The kernel's answer is there at once: the next poll of the event loop, between these two, delivers it.
  setImmediate(() => setImmediate(ended));
}
