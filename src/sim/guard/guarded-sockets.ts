/** Sockets that were opened outside of the world: what the guard covers when a simulated program uses one of them. */

import { Connection } from "../../io/stream/connection.ts";
import { Door } from "../../io/listener/door.ts";
import { FramedConnection } from "../../io/stream/framed-connection.ts";
import { FramedMailbox } from "../../io/datagram/framed-mailbox.ts";
import { Mailbox } from "../../io/datagram/mailbox.ts";
import { builtin } from "./builtin.ts";
import { type GuardedCall, type GuardOptions, guard, type Use } from "./guarded-call.ts";

/** Reading, writing and accepting; to close or to abort one is no leak. */
const CALLS = ["read", "readInto", "readExactly", "readUntil", "write", "end", "upgradeTls", "accept"];
const MESSAGE_CALLS = ["receive", "receiveMany", "send", "sendMany", "flush", "onMessages", "onFrames"];
const ITERATORS = [Symbol.asyncIterator, "batches"];

/** Of the runtime, and of this package: a simulated socket has nothing beneath it. */
export function socketCalls(): GuardedCall[] {
  const { Socket } = builtin("net") as { Socket: { readonly prototype: object } };
  const own: GuardOptions = { harmless: isOutput };
  return [
    // `write` and `end` are inherited, by streams of all kinds: only sockets are guarded.
    ...guard("SIM_LEAK", "net.Socket", Socket.prototype, ["read", "resume"], own),
    ...["write", "end"].map((name): GuardedCall => {
      return { ...own, code: "SIM_LEAK", label: `net.Socket.${name}`, owner: Socket.prototype, name };
    }),
    ...kernelOnly("StreamSocket", Connection),
    ...kernelOnly("FramedSocket", FramedConnection),
    ...kernelOnly("DatagramSocket", Mailbox),
    ...kernelOnly("FramedDatagramSocket", FramedMailbox),
    ...kernelOnly("Listener", Door),
  ];
}

/** What a program prints may leave the world. */
function isOutput({ self }: Use): boolean {
  return self === process.stdout || self === process.stderr;
}

function kernelOnly(label: string, { prototype }: { readonly prototype: object }): GuardedCall[] {
  return [
    ...guard("SIM_LEAK", label, prototype, [...CALLS, ...MESSAGE_CALLS], { rejects: true, harmless: isSimulated }),
    ...guard("SIM_LEAK", label, prototype, ITERATORS, { harmless: isSimulated }),
  ];
}

function isSimulated({ self }: Use): boolean {
  const { native, socket } = self as { readonly native?: unknown; readonly socket?: { readonly native: unknown } };
  return (socket === undefined ? native : socket.native) === undefined;
}
