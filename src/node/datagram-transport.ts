/** Datagram sockets of the kernel, on `node:dgram`. */

import dgram from "node:dgram";
import { Address } from "../core/address/address.ts";
import { UsageError } from "../core/errors.ts";
import type {
  Datagram,
  DatagramSink,
  DatagramTransport,
  GroupMembership,
  OutgoingDatagram,
  SendFailure,
  TransportBindOptions,
} from "../io/network/datagrams.ts";
import type { OperationContext } from "../io/operation/deadline.ts";
import { systemError } from "./errno.ts";
import { hasReusePort } from "./listen-transport.ts";
import { type ReceiveSwitch, receiveSwitch } from "./native-handle.ts";
import { hostInZone, multicastInterface } from "./zone.ts";

/** Senders whose `Address` is kept, so that a stream of datagrams makes one object for each sender. */
const KNOWN_SENDERS = 1024;

/** Opens a `udp` datagram socket. */
export async function bindTransport(local: Address, options: TransportBindOptions): Promise<DatagramTransport> {
  const { remote, signal } = options;
  const context = { op: "bind", local: local.toString(), remote: remote?.toString() };
  if (options.reusePort && !hasReusePort()) {
    const detail = "reusePort needs Node 22.12 or 23.1 and a system that has SO_REUSEPORT";
    throw new UsageError("UNSUPPORTED", { ...context, detail });
  }
  signal?.throwIfAborted();
  let socket: dgram.Socket | undefined;
  try {
    socket = dgram.createSocket(socketOptions(local.family === 6, options));
    await settled(socket, "listening", (opening) => opening.bind(placeOf(local, context)));
    if (remote !== undefined) {
      const host = hostOf(remote, local.family === 6, context);
      await settled(socket, "connect", (opening) => opening.connect(remote.port, host));
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

function placeOf(local: Address, context: OperationContext): dgram.BindOptions {
  // Windows cannot bind a group; the wildcard then receives what is sent to the group, and more.
  const wildcard = local.isMulticast && process.platform === "win32";
  const host = wildcard ? (local.family === 6 ? "::" : "0.0.0.0") : hostOf(local, local.family === 6, context);
  return { address: host, port: local.port, exclusive: true };
}

/** Begins an opening call and waits for its event, or for its error. */
function settled(
  socket: dgram.Socket,
  event: "listening" | "connect",
  begin: (socket: dgram.Socket) => void,
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

/** The host as the kernel wants it: on an IPv6 socket an IPv4 peer is written in mapped form (RFC 4291 section 2.5.5.2). */
function hostOf(address: Address, ipv6: boolean, context: OperationContext): string {
  return ipv6 && address.family === 4 ? mapped(address) : hostInZone(address, context);
}

function mapped({ host }: Address): string {
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
class KernelDatagramSocket implements DatagramTransport {
  readonly native: dgram.Socket;
  readonly localAddress: Address;
  readonly remoteAddress: Address | undefined;
  readonly #ipv6: boolean;
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
    this.#ipv6 = local.family === "IPv6";
    this.localAddress = Address.fromIp("udp", local.address, local.port).unmapped();
    this.remoteAddress = peerOf(socket);
    this.#switch = receiveSwitch(socket);
    socket.on("message", (data, sender) => this.#onMessage(data, sender));
    socket.on("error", (error) => this.#onError(error));
    socket.on("close", () => this.#onClose());
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
    return this.#ipv6 && to.family === 4 ? mapped(to) : to.host;
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

  get #family(): 4 | 6 {
    return this.#ipv6 ? 6 : 4;
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
      const from = this.#ipv6 ? address.unmapped() : address;
      sender = { ip, port, address: from, welcome: this.remoteAddress?.equals(from) ?? true };
      if (this.#senders.size >= KNOWN_SENDERS) this.#senders.clear();
      this.#senders.set(port, sender);
    }
    this.#lastSender = sender;
    return sender;
  }

  #onError(error: unknown): void {
    const typed = systemError(error, this.#context("receive", this.remoteAddress));
    this.#sink?.failed(typed, typed.code === "CLOSED");
  }

  #onClose(): void {
    if (this.#closed === undefined) this.#onError({ code: "ERR_SOCKET_DGRAM_NOT_RUNNING" });
  }

  #try<T>(op: string, action: (socket: dgram.Socket, context: OperationContext) => T): T {
    const context = this.#context(op, this.remoteAddress);
    try {
      return action(this.native, context);
    } catch (error) {
      throw systemError(error, context);
    }
  }

  #context(op: string, remote: Address | undefined): OperationContext {
    return { op, local: this.localAddress.toString(), remote: (remote ?? this.remoteAddress)?.toString() };
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
