/** A simulated machine: its kernel, its program, its clock and its disk. */

import type { ErrorCode, ZocaloError } from "../../core/errors.ts";
import type { CertificateFault } from "../../core/faults/fault.ts";
import { microseconds } from "../../core/faults/latency.ts";
import type { Streams } from "../../core/faults/link.ts";
import { hashText } from "../../core/faults/random-stream.ts";
import type { Network } from "../../io/network/network.ts";
import { KernelDriver } from "../adapter/kernel-driver.ts";
import { Process } from "../adapter/process.ts";
import { SimSockets } from "../adapter/sockets.ts";
import type { Scope } from "../guard/scope.ts";
import { isIpv6, isLoopbackIp, type Machine, type Packet } from "../kernel/packet.ts";
import type { SimTcpSettings } from "../kernel/tcp-settings.ts";
import { Disk } from "./disk.ts";
import { isDocumentationIp } from "./names.ts";
import type { Fabric, FabricHost } from "./fabric.ts";
import type { HostSnapshot } from "./failure.ts";
import type { Host, HostMain } from "./host-contract.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { Trace } from "./trace.ts";

/** What a host needs of its owner, the world. */
export interface HostOwner {
  readonly scheduler: Scheduler;
  readonly fabric: Fabric;
  readonly trace: Trace;
  readonly streams: Streams;
  readonly tcp: SimTcpSettings;
  readonly cutReads: boolean;
  readonly world: object;
  readonly seed: number;
  leaked(error: ZocaloError): void;
  /** The program of a host has failed. */
  programFailed(error: unknown): void;
  resolve(name: string): readonly string[] | ErrorCode;
}

/** One life of the machine: from power on to power off. */
interface Life {
  readonly process: Process;
  readonly network: Network;
  readonly kernel: KernelDriver;
}

/** A machine of a world, as the simulator sees it. */
export class SimHost implements Host, FabricHost {
  readonly name: string;
  readonly nameHash: number;
  readonly addresses: readonly string[];
  readonly disk: Disk = new Disk();
  readonly #owner: HostOwner;
  readonly #main: HostMain | undefined;
  #life: Life;
  #up = true;
  #frozen = false;
  #skewUs = 0;
  #starts = 0;
  zombieCalls = 0;

  constructor(owner: HostOwner, name: string, addresses: readonly string[], main: HostMain | undefined) {
    this.#owner = owner;
    this.name = name;
    this.nameHash = hashText(name);
    this.addresses = addresses;
    this.#main = main;
    this.#life = this.#boot();
  }

  get network(): Network {
    return this.#life.network;
  }
  get hasProgram(): boolean {
    return this.#main !== undefined;
  }
  get silent(): boolean {
    return this.#frozen || !this.#up;
  }
  get skewMs(): number {
    return this.#skewUs / 1000;
  }
  set skewMs(value: number) {
    this.#skewUs = value < 0 ? -microseconds(-value, "skewMs") : microseconds(value, "skewMs");
    this.#note("skew");
  }
  get certificateFault(): CertificateFault | undefined {
    return this.#life.process.certificateFault;
  }
  set certificateFault(fault: CertificateFault | undefined) {
    this.#life.process.certificateFault = fault;
  }

  /** Starts the program; the world does that. */
  start(): void {
    const { process, network } = this.#life;
    const main = this.#main;
    if (main === undefined) return;
    process.run(() => {
      // A program that throws at once fails as one that rejects.
      const running = new Promise<void>((resolve) => resolve(main(network, this.disk)));
      running.catch((error: unknown) => this.#failed(process, error));
    });
  }

  crash(): void {
    if (!this.#up) return;
    this.end();
    this.#note("crash");
  }

  restart(): void {
    if (this.#up) this.#halt();
    this.#up = true;
    this.#frozen = false;
    this.#note("restart");
    const { certificateFault } = this.#life.process;
    this.#life = this.#boot();
    this.#life.process.certificateFault = certificateFault;
    this.start();
  }

  pause(): void {
    this.#life.process.pause();
    this.#note("pause");
  }

  resume(): void {
    this.#note("resume");
    this.#life.process.resume();
  }

  freeze(): void {
    this.#frozen = true;
    this.#life.process.pause();
    this.#note("freeze");
  }

  thaw(): void {
    this.#frozen = false;
    this.#note("thaw");
    this.#life.process.resume();
  }

  /** What the machine holds, for reports. */
  snapshot(): HostSnapshot {
    const { process, kernel } = this.#life;
    const { tcp, udp } = kernel;
    const { heldWakes, timersUs } = process;
    const state = !this.#up ? "down" : this.#frozen ? "frozen" : process.paused ? "paused" : "up";
    return { state, heldWakes, timersUs, listeners: tcp.listeners, sockets: tcp.sockets, datagramSockets: udp.sockets };
  }

  /** Ends the present life for good; the world does that when it ends. */
  end(): void {
    this.#up = false;
    this.#halt();
  }

  /** A packet arrived; the fabric says so. */
  arrive(packet: Packet): void {
    if (!this.silent) this.#life.kernel.arrive(packet);
  }

  #halt(): void {
    const { process, kernel } = this.#life;
    process.end();
    kernel.halt();
  }

  #failed(process: Process, reason: unknown): void {
    if (process.alive) this.#owner.programFailed(reason);
  }

  #note(event: string): void {
    const { trace, scheduler } = this.#owner;
    trace.record(scheduler.nowUs, this.name, "", event);
  }

  #boot(): Life {
    const { scheduler, streams, fabric, tcp: settings, cutReads, world, seed } = this.#owner;
    this.#starts += 1;
    const label = (use: string): string => `host/${this.name}/${this.#starts}/${use}`;
    const scope: Scope = {
      place: this.name,
      now: () => scheduler.nowUs / 1000,
      seed,
      world,
      leaked: (error) => this.#owner.leaked(error),
      unhandled: (reason) => this.#failed(process, reason),
    };
    const onZombie = (): void => {
      this.zombieCalls += 1;
      this.#note("zombie");
    };
    const process = new Process(scheduler, scope, streams(label("random")), () => this.#skewUs, onZombie);
    const cuts = cutReads ? streams(label("cuts")) : undefined;
    const send = (packet: Packet, flow: number): void => fabric.send(this, packet, flow);
    const kernel = new KernelDriver(process, this.#machine(label("kernel")), settings, cuts, send);
    const sockets = new SimSockets(kernel, (name) => this.#owner.resolve(name));
    return { process, kernel, network: { sockets, clock: process.clock, random: process.random } };
  }

  #machine(label: string): Machine {
    const { fabric, scheduler, streams } = this.#owner;
    return {
      random: streams(label),
      addresses: this.addresses,
      newFlow: () => scheduler.newFlow(),
      mtuTo: (ip) => {
        const target = isLoopbackIp(ip) ? this.name : fabric.hostAt(ip)?.name;
        return target === undefined ? fabric.defaults.mtuBytes : fabric.link(this.name, target).conditions.mtuBytes;
      },
      noWayTo: (ip) => {
        if (isLoopbackIp(ip)) return undefined;
        const family = this.addresses.some((own) => isIpv6(own) === isIpv6(ip));
        return family && isDocumentationIp(ip) ? undefined : "network unreachable";
      },
    };
  }
}
