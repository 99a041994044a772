/** Addresses of the kernel's sockets. */

import type net from "node:net";
import { Address } from "../core/address/address.ts";

/** The own address of a connected socket; `fallback` for Unix sockets and when the kernel does not know any more. */
export function localAddressOf(socket: net.Socket, fallback: Address): Address {
  if (socket.localAddress === undefined || fallback.transport === "unix") return fallback;
  return Address.fromIp(fallback.transport, socket.localAddress, socket.localPort ?? 0);
}

/** The peer's address of a connected socket. */
export function remoteAddressOf(socket: net.Socket, fallback: Address): Address {
  if (socket.remoteAddress === undefined || fallback.transport === "unix") return fallback;
  return Address.fromIp(fallback.transport, socket.remoteAddress, socket.remotePort ?? 0);
}
