/** Drives the kernel of one life of a host: packets, calls and time go in; what it sends, tells and waits for is taken out. */

import type { RandomStream } from "../../core/faults/random-stream.ts";
import type { Endpoint, Machine, Packet } from "../kernel/packet.ts";
import type { Place } from "../kernel/ports.ts";
import type { TcpNotice } from "../kernel/tcp-connection.ts";
import type { SimTcpSettings } from "../kernel/tcp-settings.ts";
import { type TcpListener, type TcpSocket, TcpStack } from "../kernel/tcp-stack.ts";
import type { UdpSocket } from "../kernel/udp-socket.ts";
import { UdpStack } from "../kernel/udp-stack.ts";
import type { MovingTimer } from "../time/event-queue.ts";
import type { Process } from "./process.ts";

/** As on the loopback interface, so that a group and its members hear datagrams in one order. */
const LOOPBACK_US = 10;

/** Whose state a program looks at. */
type KernelSocket = TcpSocket | TcpListener | UdpSocket;

/** The kernel of one life of a host. */
export class KernelDriver {
  readonly tcp: TcpStack;
  readonly udp: UdpStack;
  readonly process: Process;
  readonly machine: Machine;
  /** Decides where reads are cut; undefined leaves them whole. */
  readonly cuts: RandomStream | undefined;
  /** Who is told that a socket has something for its program. It takes a note and calls nothing. */
  readonly users: Map<KernelSocket, (notice?: TcpNotice) => void> = new Map();
  readonly #send: (packet: Packet, flow: number) => void;
  /** One for all deadlines of a connection. */
  readonly #timers = new Map<TcpSocket, MovingTimer>();

  /** `send` takes a packet; those of one flow keep their order. */
  constructor(
    process: Process,
    machine: Machine,
    settings: SimTcpSettings,
    cuts: RandomStream | undefined,
    send: (packet: Packet, flow: number) => void,
  ) {
    this.process = process;
    this.machine = machine;
    this.cuts = cuts;
    this.#send = send;
    this.tcp = new TcpStack(machine, settings);
    this.udp = new UdpStack(machine);
  }

  get nowUs(): number {
    return this.process.scheduler.nowUs;
  }

  /** A packet arrived. */
  arrive(packet: Packet): void {
    const { kind, route } = packet;
    if (kind === "tcp") this.poll(this.tcp.receive(packet, this.nowUs));
    else if (kind === "udp") this.#tell(this.udp.receive(packet));
    else if (packet.about === "tcp") this.poll(this.tcp.refused(route.to, route.from, packet.failure));
    else this.#tell(this.udp.refused(route.to, route.from, packet.failure));
    for (const answer of [...this.tcp.answers(), ...this.udp.answers()]) this.#send(answer, this.machine.newFlow());
  }

  /** Begins to connect. Throws a refusal of the kernel. */
  connect(from: Place | undefined, remote: Endpoint): TcpSocket {
    const socket = this.tcp.connect(from, remote, this.nowUs);
    this.poll(socket);
    return socket;
  }

  /** To be called after every call to a connection: does what it wants. */
  poll(socket: TcpSocket | undefined): void {
    if (socket === undefined || !this.process.alive) return;
    const { connection, route, flow } = socket;
    let notice: TcpNotice | undefined;
    do {
      for (const segment of connection.output(this.nowUs)) this.#send({ kind: "tcp", route, segment }, flow);
      notice = connection.nextNotice();
      if (notice !== undefined) {
        const listener = this.tcp.handshakeDone(socket, notice);
        this.users.get(listener ?? socket)?.(notice);
      }
    } while (notice !== undefined);
    let timer = this.#timers.get(socket);
    if (connection.state === "CLOSED") {
      timer?.cancel();
      this.#timers.delete(socket);
      this.users.delete(socket);
      this.tcp.forget(socket);
      return;
    }
    if (timer === undefined) {
      timer = this.process.scheduler.timer(flow, () => {
        connection.onDeadline(this.nowUs);
        this.poll(socket);
      });
      this.#timers.set(socket, timer);
    }
    timer.set(connection.deadlineUs);
  }

  /** Closes a listener: what waits behind it is reset. */
  closeListener(listener: TcpListener): void {
    this.users.delete(listener);
    for (const socket of this.tcp.closeListener(listener)) this.poll(socket);
  }

  /** Sends one datagram. Throws a refusal of the kernel. */
  sendDatagram(socket: UdpSocket, data: Buffer, to: Place): void {
    const { packet, leaves, heardOn } = this.udp.send(socket, data, to);
    const hear = (): void => this.#tell(this.udp.receive(packet, heardOn));
    if (heardOn !== undefined) this.process.scheduler.at(this.nowUs + LOOPBACK_US, socket.flow, hear);
    if (leaves) this.#send(packet, socket.flow);
  }

  /** Ends everything without a word, as when the power fails. */
  halt(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.users.clear();
    this.tcp.halt();
    this.udp.halt();
  }

  #tell(sockets: readonly UdpSocket[]): void {
    for (const socket of sockets) this.users.get(socket)?.();
  }
}
