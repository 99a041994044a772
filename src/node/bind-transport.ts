/** Binding: the kernel opens a datagram socket. */

import dgram from "node:dgram";
import type { Address } from "../core/address/address.ts";
import type { DatagramTransport, TransportBindOptions } from "../io/network/datagrams.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { KernelDatagramSocket, mapped } from "./datagram-transport.ts";
import { systemError } from "./errno.ts";
import { checkReusePort, opened } from "./listen-transport.ts";
import { hostInZone } from "./zone.ts";

/** Opens a `udp` datagram socket. */
export async function bindTransport(local: Address, options: TransportBindOptions): Promise<DatagramTransport> {
  const { remote, signal } = options;
  const context = { op: "bind", local: local.toString(), remote: remote?.toString() };
  checkReusePort(options, context);
  signal?.throwIfAborted();
  let socket: dgram.Socket | undefined;
  try {
    socket = dgram.createSocket(socketOptions(local.family === 6, options));
    await opened(socket, "listening", (opening) => opening.bind(placeOf(local, options, context)));
    if (options.receiveBufferBytes === undefined) widenReceiveBuffer(socket, options.wantedReceiveBufferBytes);
    if (remote !== undefined) {
      const host = hostOf(remote, local.family === 6, context);
      await opened(socket, "connect", (opening) => opening.connect(remote.port, host));
    }
    return new KernelDatagramSocket(socket);
  } catch (error) {
    socket?.on("error", () => undefined).close();
    throw systemError(error, context);
  }
}

function socketOptions(ipv6: boolean, options: TransportBindOptions): dgram.SocketOptions {
  const { reuseAddress, reusePort, receiveBufferBytes, sendBufferBytes } = options;
  return {
    type: ipv6 ? "udp6" : "udp4",
    reuseAddr: reuseAddress,
    ...(ipv6 ? { ipv6Only: options.ipv6Only } : {}),
    ...(reusePort ? { reusePort } : {}),
    ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
    ...(sendBufferBytes === undefined ? {} : { sendBufferSize: sendBufferBytes }),
    // Addresses are IP texts here: answered at once, where the default would ask a thread or wait a tick for each send.
    lookup: (host, _options, answer) => answer(null, host, ipv6 ? 6 : 4),
  };
}

/** Asks for a larger receive buffer. Linux gives what it has; others refuse what is too much, and a runtime may have no such call. */
export function widenReceiveBuffer(
  socket: Pick<dgram.Socket, "getRecvBufferSize" | "setRecvBufferSize">,
  wantedBytes: number = 0,
): void {
  for (let ask = wantedBytes; ask > 0; ask >>= 1) {
    try {
      if (socket.getRecvBufferSize() < ask) socket.setRecvBufferSize(ask);
      return;
    } catch {
      // Half of it may do.
    }
  }
}

function placeOf(
  local: Address,
  { remote, reusePort }: TransportBindOptions,
  context: OperationContext,
): dgram.BindOptions {
  // Windows cannot bind a group; the wildcard then receives what is sent to the group, and more.
  const wildcard = local.isMulticast && process.platform === "win32";
  const host = wildcard ? (local.family === 6 ? "::" : "0.0.0.0") : hostOf(local, local.family === 6, context);
  // Workers of node:cluster share the port of a server. A client has a socket of its own: what is sent to it is for nobody else.
  return { address: host, port: local.port, exclusive: reusePort || local.port === 0 || remote !== undefined };
}

/** The host as the kernel wants it: with its zone, and mapped where it is an IPv4 peer of an IPv6 socket. */
function hostOf(address: Address, ipv6: boolean, context: OperationContext): string {
  return ipv6 && address.family === 4 ? mapped(address) : hostInZone(address, context);
}
