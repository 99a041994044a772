/** Addresses of the kernel's sockets. An IPv4 peer of a socket for both families has its IPv4 address, as everywhere. */

import type net from "node:net";
import { Address } from "../core/address/address.ts";
import { peerName } from "./native-handle.ts";

/** The own address of a connected socket; `known` where that is all there is to say. */
export function localAddressOf(socket: net.Socket, known: Address): Address {
  if (socket.localAddress === undefined || known.transport === "unix") return known;
  return Address.fromIp(known.transport, socket.localAddress, socket.localPort ?? 0).unmapped();
}

/** The peer of a socket that a listener at `local` accepted; undefined when it is gone already. */
export function acceptedPeer(socket: net.Socket, local: Address): Address | undefined {
  // A Unix client has no name of its own.
  if (local.transport === "unix") return Address.fromPath("");
  const name = peerName(socket);
  return name === undefined ? undefined : Address.fromIp(local.transport, name.address, name.port).unmapped();
}
