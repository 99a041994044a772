/**
 * What an error says at one call, where the sentence of its code would say something that did not happen there: a group that
 * is joined twice is no address that another program uses.
 */

import type { ErrorSide } from "./error-codes.ts";

/** The sentence, and whose fault it is where that is not the usual side of the code. */
type Sentence = readonly [detail: string, side?: ErrorSide];

const NO_SOCKET_MEMORY: Sentence = ["the kernel has no memory for another socket; close some, or try again later"];
const LOST_ON_THE_WAY: Sentence = [
  "the network reports no way to the peer, and the kernel ended the connection; what was not answered may or may not have arrived",
];
const NOBODY_THERE: Sentence = [
  "nothing listens there: that host refused an earlier datagram; open that datagram socket first, or check the address and the port",
];

/** By operation and code. */
const AT_CALL: Readonly<Record<string, Readonly<Record<string, Sentence>>>> = {
  listen: {
    PATH_NOT_FOUND: ["the folder of that path does not exist; make it first"],
    NO_BUFFER_SPACE: NO_SOCKET_MEMORY,
  },
  accept: { NO_BUFFER_SPACE: NO_SOCKET_MEMORY },
  connect: {
    ADDRESS_IN_USE: ["another socket has the own address (`localAddress`); leave out its port, or choose another one"],
    ADDRESS_NOT_AVAILABLE: [
      "localAddress is not an address of this machine, or no free local port is left; leave it out, or close connections",
    ],
    PERMISSION_DENIED: ["a firewall or another rule of this machine forbids this connection"],
    NO_BUFFER_SPACE: NO_SOCKET_MEMORY,
    CONNECTION_RESET: [
      "the peer reset the connection before it was made; it may have no room, or not want this client",
    ],
    CONNECTION_TIMED_OUT: [
      "no answer came and the kernel gave up; check the address, and whether a firewall drops the packets",
    ],
  },
  bind: {
    NO_BUFFER_SPACE: NO_SOCKET_MEMORY,
  },
  read: {
    HOST_UNREACHABLE: LOST_ON_THE_WAY,
    NETWORK_UNREACHABLE: LOST_ON_THE_WAY,
    CONNECTION_REFUSED: LOST_ON_THE_WAY,
    PERMISSION_DENIED: ["a firewall or another rule of this machine ended the connection"],
    NO_BUFFER_SPACE: ["the kernel ended the connection because it has no memory left; close some sockets"],
  },
  send: {
    CONNECTION_REFUSED: NOBODY_THERE,
    PERMISSION_DENIED: [
      "for a broadcast address call udp.setBroadcast(true) first; otherwise a firewall or another rule of this machine forbids it",
    ],
    ADDRESS_NOT_AVAILABLE: ["this machine has no address from which that one can be reached"],
  },
  receive: {
    CONNECTION_REFUSED: NOBODY_THERE,
    HOST_UNREACHABLE: ["an earlier datagram found no way to that host; check the address and the network"],
    NETWORK_UNREACHABLE: ["an earlier datagram found no way to that network; check the address and the network"],
  },
  startTls: {
    CONNECTION_RESET: [
      "the peer reset the connection during the TLS handshake; it may not speak TLS, or not want this side",
    ],
  },
  joinGroup: {
    ADDRESS_IN_USE: ["this datagram socket is in that group already", "local"],
    ADDRESS_NOT_AVAILABLE: ["no interface of this machine can join that group; name another one as `interface`"],
    NO_BUFFER_SPACE: [
      "this datagram socket is in as many groups, or takes as many sources, as the system allows (Linux: net.ipv4.igmp_max_memberships, igmp_max_msf); leave some, or open another datagram socket",
    ],
  },
  leaveGroup: {
    ADDRESS_NOT_AVAILABLE: [
      "this datagram socket is not in that group; leave it as it was joined, with the same interface and source",
      "local",
    ],
  },
  setMulticastInterface: {
    ADDRESS_NOT_AVAILABLE: ["this machine has no such interface; give the name or an address of one of its own"],
  },
};

/** What the error `code` says at the operation `op`; undefined when the sentence of the code does. */
export function atCall(op: string, code: string): Sentence | undefined {
  const sentences = AT_CALL[op];
  return sentences !== undefined && Object.hasOwn(sentences, code) ? sentences[code] : undefined;
}
