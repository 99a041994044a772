/** Datagram sockets of the kernel, on `node:dgram`. */

import type dgram from "node:dgram";
import { Address } from "../core/address/address.ts";
import type {
  Datagram,
  DatagramSink,
  DatagramTransport,
  GroupMembership,
  OutgoingDatagram,
  SendFailure,
} from "../io/network/datagrams.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { systemError } from "./errno.ts";
import { inodeOf, kernelDropsOf } from "./kernel-drops.ts";
import { descriptorOf, type ReceiveSwitch, receiveSwitch } from "./native-handle.ts";
import { hostInZone, multicastInterface } from "./zone.ts";

/** Senders whose `Address` is kept, so that a stream of datagrams makes one object for each sender. */
const KNOWN_SENDERS = 1024;

/** An IPv4 peer of an IPv6 socket is written in mapped form (RFC 4291 section 2.5.5.2). */
export function mapped({ host }: Address): string {
  return `::ffff:${host}`;
}

interface Sender {
  readonly ip: string;
  readonly port: number;
  readonly address: Address;
  /** False for strangers whose datagrams came in before the socket was connected. */
  readonly welcome: boolean;
}

/** A datagram socket of the kernel. */
export class KernelDatagramSocket implements DatagramTransport {
  readonly native: dgram.Socket;
  readonly localAddress: Address;
  readonly remoteAddress: Address | undefined;
  readonly #family: 4 | 6;
  readonly #switch: ReceiveSwitch | undefined;
  #sink: DatagramSink | undefined;
  /** What arrived in this turn of the event loop. */
  readonly #arrived: Datagram[] = [];
  readonly #deliver: () => void = () => this.#flush();
  #lastSender: Sender | undefined;
  readonly #senders: Map<number, Sender> = new Map();
  /** Each datagram has a receiver, and to look for an interface is dear. */
  readonly #zones: Map<string, string> = new Map();
  #closed: Promise<void> | undefined;

  constructor(socket: dgram.Socket) {
    this.native = socket;
    const local = socket.address();
    this.#family = local.family === "IPv6" ? 6 : 4;
    this.localAddress = Address.fromIp("udp", local.address, local.port).unmapped();
    this.remoteAddress = peerOf(socket);
    this.#switch = receiveSwitch(socket);
    socket.on("message", (data, sender) => this.#onMessage(data, sender));
    socket.on("error", (error) => this.#onError(error));
    socket.on("close", () => {
      if (this.#closed === undefined) this.#onError({ code: "ERR_SOCKET_DGRAM_NOT_RUNNING" });
    });
  }

  get canPause(): boolean {
    return this.#switch !== undefined;
  }
  start(sink: DatagramSink): void {
    this.#sink = sink;
    if (this.#arrived.length > 0) setImmediate(this.#deliver);
  }
  pause(): void {
    this.#switch?.recvStop();
  }
  resume(): void {
    if (this.#closed === undefined) this.#switch?.recvStart();
  }

  send(batch: readonly OutgoingDatagram[], done: (failures?: readonly SendFailure[]) => void): void {
    let left = batch.length;
    let failures: SendFailure[] | undefined;
    const settle = (index: number, error: Error | null): void => {
      if (error !== null) {
        failures ??= [];
        failures.push({ index, error: systemError(error, this.#context("send", batch[index]?.to)) });
      }
      left -= 1;
      // Refusals of the runtime come before those of the kernel.
      if (left === 0) done(failures?.sort((a, b) => a.index - b.index));
    };
    for (let index = 0; index < batch.length; index += 1) {
      const { data, to } = batch[index] as OutgoingDatagram;
      const decided = (error: Error | null): void => settle(index, error);
      try {
        if (to === undefined) this.native.send(data, decided);
        else this.native.send(data, to.port, this.#hostOf(to), decided);
      } catch (error) {
        decided(error as Error);
      }
    }
  }

  /** What an error would say is needed only where a zone is looked up. */
  #hostOf(to: Address): string {
    if (to.zone !== "") return hostInZone(to, this.#context("send", to), this.#zones);
    return this.#family === 6 && to.family === 4 ? mapped(to) : to.host;
  }

  join({ group, interface: way, source }: GroupMembership): void {
    this.#try("joinGroup", (socket, context) => {
      const place = way === undefined ? undefined : multicastInterface(way, this.#family, context);
      if (source === undefined) socket.addMembership(group, place);
      else socket.addSourceSpecificMembership(source, group, place);
    });
  }
  leave({ group, interface: way, source }: GroupMembership): void {
    this.#try("leaveGroup", (socket, context) => {
      const place = way === undefined ? undefined : multicastInterface(way, this.#family, context);
      if (source === undefined) socket.dropMembership(group, place);
      else socket.dropSourceSpecificMembership(source, group, place);
    });
  }
  setBroadcast(on: boolean): void {
    this.#try("setBroadcast", (socket) => socket.setBroadcast(on));
  }
  setTtl(hops: number): void {
    this.#try("setTtl", (socket) => socket.setTTL(hops));
  }
  setMulticastTtl(hops: number): void {
    this.#try("setMulticastTtl", (socket) => socket.setMulticastTTL(hops));
  }
  setMulticastLoopback(on: boolean): void {
    this.#try("setMulticastLoopback", (socket) => socket.setMulticastLoopback(on));
  }
  setMulticastInterface(name: string): void {
    this.#try("setMulticastInterface", (socket, context) =>
      socket.setMulticastInterface(multicastInterface(name, this.#family, context)),
    );
  }
  bufferSizes(): { readonly receiveBytes: number; readonly sendBytes: number } {
    return this.#try("bufferSizes", (socket) => {
      return { receiveBytes: socket.getRecvBufferSize(), sendBytes: socket.getSendBufferSize() };
    });
  }

  async kernelDrops(): Promise<number | undefined> {
    const descriptor = descriptorOf(this.native);
    // Looked up before anything is awaited: a descriptor that was closed may be another socket's by then.
    const inode = descriptor === undefined ? undefined : inodeOf(descriptor);
    return inode === undefined ? undefined : await kernelDropsOf(inode, this.#family);
  }

  setReferenced(on: boolean): void {
    if (on) this.native.ref();
    else this.native.unref();
  }
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#sink = undefined;
      try {
        this.native.close(resolve);
      } catch {
        // Closed already, by someone who holds `native`.
        resolve();
      }
    });
    return this.#closed;
  }

  /** One message of the kernel. All that arrive in one turn of the event loop are delivered together at its end. */
  #onMessage(data: Buffer, info: dgram.RemoteInfo): void {
    const sender = this.#senderOf(info);
    if (!sender.welcome) return;
    if (this.#arrived.push({ data, from: sender.address }) === 1) setImmediate(this.#deliver);
  }

  #flush(): void {
    if (this.#sink === undefined && this.#closed === undefined) return;
    this.#sink?.received(this.#arrived);
    this.#arrived.length = 0;
  }

  #senderOf({ address: ip, port }: dgram.RemoteInfo): Sender {
    const last = this.#lastSender;
    if (last !== undefined && last.port === port && last.ip === ip) return last;
    let sender = this.#senders.get(port);
    if (sender === undefined || sender.ip !== ip) {
      const address = Address.fromIp("udp", ip, port);
      const from = this.#family === 6 ? address.unmapped() : address;
      sender = { ip, port, address: from, welcome: this.remoteAddress?.equals(from) ?? true };
      if (this.#senders.size >= KNOWN_SENDERS) this.#senders.clear();
      this.#senders.set(port, sender);
    }
    this.#lastSender = sender;
    return sender;
  }

  #onError(error: unknown): void {
    const typed = systemError(error, this.#context("receive"));
    this.#sink?.failed(typed, typed.code === "CLOSED");
  }

  #try<T>(op: string, action: (socket: dgram.Socket, context: OperationContext) => T): T {
    const context = this.#context(op);
    try {
      return action(this.native, context);
    } catch (error) {
      throw systemError(error, context);
    }
  }

  #context(op: string, remote: Address | undefined = this.remoteAddress): OperationContext {
    return { op, local: this.localAddress.toString(), remote: remote?.toString() };
  }
}

/** The peer of a connected socket. */
function peerOf(socket: dgram.Socket): Address | undefined {
  try {
    const { address, port } = socket.remoteAddress();
    return Address.fromIp("udp", address, port).unmapped();
  } catch {
    return undefined;
  }
}
