/** Connecting: one attempt to one address, and the two kinds of plain socket. */

import net from "node:net";
import type { Address } from "../core/address/address.ts";
import { missingZone } from "../io/operation/arguments.ts";
import type { StreamTransport, TransportConnectOptions } from "../io/network/network.ts";
import { systemError } from "./errno.ts";
import { honoursSharedReads, localAddressOf } from "./native-handle.ts";
import { sharedRead } from "./socket-events.ts";
import { KernelStream, type KernelStreamOptions } from "./stream-transport.ts";
import { startTls } from "./tls-transport.ts";
import { hostInZone } from "./zone.ts";

/** A plain socket that reads as any Node stream does. */
export const BY_EVENTS: KernelStreamOptions = { reads: "events", startTls };

/** A plain socket that reads into the shared buffer. */
export const BY_SHARED_BUFFER: KernelStreamOptions = { reads: "shared", startTls };

const shares = honoursSharedReads(sharedRead);

/** A new socket, not yet connected, and how it reads. */
function newSocket(): { readonly socket: net.Socket; readonly options: KernelStreamOptions } {
  if (!shares) return { socket: new net.Socket({ allowHalfOpen: true }), options: BY_EVENTS };
  return { socket: new net.Socket({ ...sharedRead, allowHalfOpen: true }), options: BY_SHARED_BUFFER };
}

/** Connects to a `tcp` or `unix` address. */
export function connectTransport(target: Address, options: TransportConnectOptions): Promise<StreamTransport> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    const { socket, options: kind } = newSocket();
    // Nothing is read before somebody listens.
    socket.pause();
    const settle = (): void => {
      socket.off("connect", connected).off("error", failed);
      signal?.removeEventListener("abort", aborted);
    };
    const connected = (): void => {
      settle();
      // Node heeds `noDelay` among the options of a constructor only, not here.
      if (options.noDelay && target.transport !== "unix") socket.setNoDelay(true);
      const local = target.transport === "unix" ? target : localAddressOf(socket, target);
      resolve(new KernelStream(socket, local, target, kind));
    };
    const failed = (error: Error): void => {
      settle();
      socket.destroy();
      const local = options.localAddress?.toString();
      reject(systemError(error, { op: "connect", local, remote: target.toString() }));
    };
    const aborted = (): void => {
      settle();
      // The attempt may still fail in the kernel; nobody waits for that.
      socket.on("error", () => undefined);
      socket.destroy();
      reject(signal?.reason);
    };
    if (signal?.aborted === true) {
      aborted();
      return;
    }
    signal?.addEventListener("abort", aborted, { once: true });
    socket.once("connect", connected).once("error", failed);
    try {
      socket.connect(connectOptions(target, options));
    } catch (error) {
      failed(error as Error);
    }
  });
}

function connectOptions(target: Address, options: TransportConnectOptions): net.SocketConnectOpts {
  if (target.transport === "unix") return { path: target.path };
  const { localAddress: local } = options;
  const context = { op: "connect", local: local?.toString(), remote: target.toString() };
  // A link-local target without its interface is on that of the own address. Node 22 and later would guess: they take the
  // first interface with such an address, whatever the socket is bound to.
  const zone = missingZone(target) === undefined ? target.zone : (local?.zone ?? "");
  return {
    host: hostInZone({ host: target.host, zone }, context),
    port: target.port,
    family: target.family as number,
    autoSelectFamily: false,
    ...(local === undefined ? {} : { localAddress: hostInZone(local, context), localPort: local.port }),
  };
}
