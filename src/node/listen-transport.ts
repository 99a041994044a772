/** Listening: the kernel's listener for TCP and Unix streams. */

import net from "node:net";
import { Address } from "../core/address/address.ts";
import { UsageError } from "../core/errors.ts";
import type { ListenerSink, ListenerTransport, TransportListenOptions } from "../io/network/network.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { isWorker } from "./cluster-worker.ts";
import { systemError } from "./errno.ts";
import { acceptedPeer, adoptAccepted, localAddressOf } from "./native-handle.ts";
import { BY_EVENTS, BY_SHARED_BUFFER } from "./connect-transport.ts";
import { sharedRead } from "./socket-events.ts";
import { KernelStream } from "./stream-transport.ts";
import type { SocketFile } from "./socket-file.ts";
import { isFilePath, makeSocketFile, shareSocketFile } from "./unix-path.ts";
import { hostInZone } from "./zone.ts";

/** Opens a `tcp` or `unix` listener. */
export async function listenTransport(local: Address, options: TransportListenOptions): Promise<ListenerTransport> {
  const context = { op: "listen", local: local.toString() };
  checkReusePort(options, context);
  if (options.mode !== undefined && (options.fd !== undefined || !isFilePath(local.path))) {
    const detail = "mode works only for a socket file that this call makes";
    throw new UsageError("OPTION_INVALID", { ...context, detail });
  }
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: options.noDelay });
  let file: SocketFile | undefined;
  try {
    const { backlog, mode, fd } = options;
    if (local.transport !== "unix" || fd !== undefined || !isFilePath(local.path)) {
      await opened(server, "listening", () => server.listen(placeOf(local, options)));
    } else {
      const exclusive = !isWorker();
      const bind = (path: string): Promise<void> =>
        opened(server, "listening", () => server.listen({ path, backlog, exclusive }));
      if (exclusive) file = await makeSocketFile(local.path, mode, context, bind);
      else await shareSocketFile(local.path, mode, context, bind);
    }
  } catch (error) {
    server.close();
    if (options.fd !== undefined) throw notListening(options.fd, error, context);
    throw systemError(error, context);
  }
  return new KernelListener(server, local, file, options.reusePort || options.fd !== undefined || isWorker());
}

function placeOf(local: Address, options: TransportListenOptions): net.ListenOptions & { readonly fd?: number } {
  const { backlog, ipv6Only, reusePort, fd } = options;
  if (fd !== undefined) return { fd, backlog };
  if (local.transport === "unix") return { path: local.path, backlog, exclusive: true };
  const host = hostInZone(local, { op: "listen", local: local.toString() });
  // Workers of node:cluster share the port, unless the kernel does it for them.
  return { host, port: local.port, backlog, ipv6Only, exclusive: reusePort, ...(reusePort ? { reusePort } : {}) };
}

/** Begins an opening call of `socket` and waits for its event, or for its error. */
export function opened<Socket extends NodeJS.EventEmitter>(
  socket: Socket,
  event: "listening" | "connect",
  begin: (socket: Socket) => unknown,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      socket.off("error", failed);
      resolve();
    };
    const failed = (error: Error): void => {
      socket.off(event, done);
      reject(error);
    };
    socket.once(event, done).once("error", failed);
    begin(socket);
  });
}

/** Whatever the system says of a descriptor that was given: it is not what it should be. */
function notListening(fd: number, cause: unknown, context: OperationContext): UsageError {
  const detail = `descriptor ${fd} is no socket that listens; give the one of a socket that was bound and listens`;
  return new UsageError("OPTION_INVALID", { ...context, detail, cause });
}

class KernelListener implements ListenerTransport {
  readonly native: net.Server;
  readonly localAddress: Address;
  readonly isShared: boolean;
  readonly #file: SocketFile | undefined;
  #sink: ListenerSink | undefined;
  #early: net.Socket[] = [];

  constructor(server: net.Server, asked: Address, file: SocketFile | undefined, isShared: boolean) {
    this.native = server;
    this.isShared = isShared;
    this.#file = file;
    const bound = server.address();
    if (bound === null || asked.transport === "unix") this.localAddress = asked;
    else if (typeof bound === "string") this.localAddress = Address.fromPath(bound);
    else this.localAddress = Address.fromIp(asked.transport, bound.address, bound.port).unmapped();
    server.on("connection", (socket) => this.#accepted(socket));
    server.on("error", (error) => this.#sink?.failed(systemError(error, this.#context())));
  }

  start(sink: ListenerSink): void {
    this.#sink = sink;
    for (const socket of this.#early.splice(0)) this.#accepted(socket);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#file?.remove();
      // The listener closes at once; the callback would wait for every connection.
      this.native.close();
      for (const socket of this.#early.splice(0)) socket.destroy();
      setImmediate(resolve);
    });
  }

  setReferenced(on: boolean): void {
    if (on) this.native.ref();
    else this.native.unref();
  }

  #accepted(socket: net.Socket): void {
    const sink = this.#sink;
    if (sink === undefined) {
      this.#early.push(socket);
      return;
    }
    const adopted = adoptAccepted(socket, sharedRead);
    const stream = adopted ?? socket;
    const peer = acceptedPeer(stream, this.localAddress);
    if (peer === undefined) {
      stream.on("error", () => undefined).destroy();
      return;
    }
    const local = this.localAddress.isUnspecified ? localAddressOf(stream, this.localAddress) : this.localAddress;
    sink.accepted(new KernelStream(stream, local, peer, adopted === undefined ? BY_EVENTS : BY_SHARED_BUFFER));
  }

  #context(): { readonly op: string; readonly local: string } {
    return { op: "accept", local: this.localAddress.toString() };
  }
}

/** Refuses `reusePort` where it does not work. */
export function checkReusePort({ reusePort }: { readonly reusePort: boolean }, context: OperationContext): void {
  if (!reusePort || hasReusePort()) return;
  const detail = "reusePort needs Node 22.12 or 23.1 and a system that has SO_REUSEPORT";
  throw new UsageError("UNSUPPORTED", { ...context, detail });
}

/** The option came with libuv 1.49: Node 22.12 and 23.1. Older ones would ignore it in silence. */
export function hasReusePort(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (process.platform === "win32" || process.platform === "darwin") return false;
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
