/** A simulated datagram socket as a {@link DatagramTransport}. */

import type { Address } from "../../core/address/address.ts";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import type {
  DatagramSink,
  DatagramTransport,
  GroupMembership,
  OutgoingDatagram,
  SendFailure,
} from "../../io/network/datagrams.ts";
import type { Interface, Place } from "../kernel/ports.ts";
import { type Membership, takeDatagrams, type UdpSocket } from "../kernel/udp-socket.ts";
import type { KernelDriver } from "./kernel-driver.ts";
import { addressOf, failureError, interfaceOf, placeOf, refusalError } from "./translation.ts";

const MOST_HOPS = 255;

/** A datagram socket of a simulated host. */
export class SimDatagramSocket implements DatagramTransport {
  readonly native = undefined;
  readonly canPause = true;
  readonly localAddress: Address;
  readonly remoteAddress: Address | undefined;
  readonly #kernel: KernelDriver;
  readonly #socket: UdpSocket;
  readonly #sendBufferBytes: number;
  #sink: DatagramSink | undefined;
  #paused = false;
  #scheduled = false;
  #closed = false;

  constructor(kernel: KernelDriver, socket: UdpSocket, sendBufferBytes: number) {
    this.#kernel = kernel;
    this.#socket = socket;
    this.#sendBufferBytes = sendBufferBytes;
    this.localAddress = addressOf(socket.local, "udp");
    this.remoteAddress = socket.remote === undefined ? undefined : addressOf(socket.remote, "udp");
    kernel.users.set(socket, () => this.#schedule());
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    this.#schedule();
  }
  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  send(batch: readonly OutgoingDatagram[], done: (failures?: readonly SendFailure[]) => void): void {
    if (this.#kernel.process.isZombie()) return;
    let failures: SendFailure[] | undefined;
    for (const [index, { data, to }] of batch.entries()) {
      try {
        this.#kernel.sendDatagram(this.#socket, Buffer.from(data), this.#targetOf(to));
      } catch (error) {
        failures ??= [];
        failures.push({ index, error: refusalError(error, this.#context("send", to)) });
      }
    }
    done(failures);
  }

  join(membership: GroupMembership): void {
    if (this.#kernel.udp.join(this.#socket, this.#membershipOf(membership, "joinGroup"))) return;
    throw new ZocaloError("ADDRESS_IN_USE", this.#context("joinGroup"));
  }
  leave(membership: GroupMembership): void {
    if (this.#kernel.udp.leave(this.#socket, this.#membershipOf(membership, "leaveGroup"))) return;
    throw new ZocaloError("ADDRESS_NOT_AVAILABLE", this.#context("leaveGroup"));
  }
  setBroadcast(on: boolean): void {
    this.#socket.broadcast = on;
  }
  setTtl(hops: number): void {
    this.#checkHops("setTtl", hops, 1);
  }
  setMulticastTtl(hops: number): void {
    this.#checkHops("setMulticastTtl", hops, 0);
  }
  setMulticastLoopback(on: boolean): void {
    this.#socket.loopback = on;
  }
  setMulticastInterface(name: string): void {
    this.#socket.outgoing = this.#interfaceOf(name, "setMulticastInterface");
  }
  bufferSizes(): { readonly receiveBytes: number; readonly sendBytes: number } {
    return { receiveBytes: this.#socket.receiveBufferBytes, sendBytes: this.#sendBufferBytes };
  }
  kernelDrops(): Promise<number> {
    return Promise.resolve(this.#socket.overflows);
  }
  setReferenced(): void {}

  close(): Promise<void> {
    this.#closed = true;
    this.#sink = undefined;
    this.#kernel.users.delete(this.#socket);
    this.#kernel.udp.close(this.#socket);
    return new Promise((resolve) => this.#kernel.process.clock.defer(resolve));
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed || this.#sink === undefined) return;
    if (this.#socket.failures.length === 0 && (this.#paused || this.#socket.queue.length === 0)) return;
    this.#scheduled = true;
    this.#kernel.process.wake(this.#socket.flow, () => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    for (const failure of this.#socket.failures.splice(0)) {
      this.#sink?.failed(failureError(failure, this.#context("receive", this.remoteAddress)), false);
    }
    if (this.#paused || this.#socket.queue.length === 0) return;
    this.#sink?.received(takeDatagrams(this.#socket).map(({ data, from }) => ({ data, from: addressOf(from, "udp") })));
  }

  #targetOf(to: Address | undefined): Place {
    if (to === undefined) return this.#socket.remote as Place;
    // What an error would say is dear, and few addresses have a zone.
    return to.zone === "" ? { ip: to.host, port: to.port } : placeOf(to, this.#context("send", to));
  }

  #membershipOf({ group, interface: way, source = "" }: GroupMembership, op: string): Membership {
    return { group, via: way === undefined ? "eth0" : this.#interfaceOf(way, op), source };
  }

  #interfaceOf(way: string, op: string): Interface {
    if (way === "127.0.0.1" || way === "::1") return "lo";
    return this.#kernel.machine.addresses.includes(way) ? "eth0" : interfaceOf(way, this.#context(op));
  }

  #checkHops(op: string, hops: number, least: number): void {
    if (Number.isInteger(hops) && hops >= least && hops <= MOST_HOPS) return;
    const detail = `hops must be a whole number from ${least} to ${MOST_HOPS}, not ${hops}`;
    throw new UsageError("OPTION_INVALID", { ...this.#context(op), detail });
  }

  #context(op: string, remote?: Address): { op: string; local: string; remote: string | undefined } {
    return { op, local: this.localAddress.toString(), remote: (remote ?? this.remoteAddress)?.toString() };
  }
}
