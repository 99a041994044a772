/** Attacks on listeners, by strangers that are not let in. */

import type net from "node:net";
import { type Attack, flood, dial, repeated, untilAborted, visits } from "./attack.ts";
import { hello } from "./raw-session.ts";

/** Connections at a rate; `say` is all that one says. They are kept open, or dropped. */
function strangers(say: Buffer | undefined, keep: boolean): Attack {
  return async (place, bounds, done, signal) => {
    const sockets = new Set<net.Socket>();
    await visits(place, bounds, done, signal, (socket) => {
      if (signal.aborted) socket.destroy();
      if (!socket.writable) return;
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket)).resume();
      if (say !== undefined) {
        socket.write(say);
        done.bytes += say.length;
      }
      if (!keep) socket.end();
    });
    await untilAborted(signal);
    for (const socket of sockets) socket.destroy();
  };
}

/** The same bytes from some connections, over and over. */
function bytesOf(piece: Buffer): Attack {
  return async (place, bounds, done, signal) => {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => dial(place, done)));
    for (const socket of sockets) socket.resume();
    await flood(sockets, repeated(piece), bounds, done, signal);
    await untilAborted(signal);
    for (const socket of sockets) socket.destroy();
  };
}

/** A frame of four bytes of length, and a MessagePack array of as many empty maps as that may be. */
const MAPS: Buffer = Buffer.concat([Buffer.from("00100000dd000ffffb", "hex"), Buffer.alloc(0xffffb, 0x80)]);

/** By name. */
export const listenerAttacks = {
  silence: strangers(undefined, true),
  refusedHellos: strangers(hello({ contract: "another" }), true),
  garbage: strangers(Buffer.from("GET / HTTP/1.1\r\n\r\n"), false),
  brokenHellos: strangers(Buffer.concat([hello().subarray(0, 8), Buffer.from("00000002017b", "hex")]), false),
  invalidLines: bytesOf(Buffer.from("x\n")),
  bareLines: bytesOf(Buffer.from("\n")),
  invalidBlocks: bytesOf(Buffer.from("090100", "hex")),
  emptyBlocks: bytesOf(Buffer.from("0100", "hex")),
  framedMaps: bytesOf(MAPS),
} as const satisfies Record<string, Attack>;
