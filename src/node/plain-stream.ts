/** The two kinds of plain socket, and the way from them to TLS. */

import net from "node:net";
import { honoursSharedReads } from "./native-handle.ts";
import { type KernelStreamOptions, sharedRead } from "./stream-transport.ts";
import { startTls } from "./tls-transport.ts";

/** A plain socket that reads as any Node stream does. */
export const BY_EVENTS: KernelStreamOptions = { reads: "events", startTls };

/** A plain socket that reads into the shared buffer. */
export const BY_SHARED_BUFFER: KernelStreamOptions = { reads: "shared", startTls };

const shares = honoursSharedReads(sharedRead);

/** A new socket, not yet connected, and how it reads. */
export function newSocket(): { readonly socket: net.Socket; readonly options: KernelStreamOptions } {
  if (!shares) return { socket: new net.Socket({ allowHalfOpen: true }), options: BY_EVENTS };
  return { socket: new net.Socket({ ...sharedRead, allowHalfOpen: true }), options: BY_SHARED_BUFFER };
}
