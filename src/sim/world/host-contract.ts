/** The public contract of a simulated machine. */

import type { Network } from "../../io/network/network.ts";
import type { CertificateFault } from "../../core/faults/fault.ts";
import type { Disk } from "./disk.ts";

/** The program of a host. `network` is the host's own; each start of the host gets a new one, and the same `disk`. */
export type HostMain = (network: Network, disk: Disk) => Promise<void> | void;

/**
 * A machine of a world. It has addresses, a clock of its own, a disk, and a program that runs on its network.
 *
 * @example
 * ```ts
 * import { connect, serve } from "zocalo";
 * import { simulate } from "zocalo/sim";
 * await simulate({ seed: 1 }, async (world) => {
 *   world.host("server", async (network) => {
 *     await serve("tcp://0.0.0.0:7000", (peer) => peer.write("hola"), { network });
 *   });
 *   const { network } = world.host("client");
 *   const call = await connect("tcp://server:7000", { network });
 *   console.log(String(await call.read()));
 * });
 * ```
 */
export interface Host {
  /** Its name, which the name service knows. */
  readonly name: string;
  /** The IP addresses, without those of loopback. */
  readonly addresses: readonly string[];
  /** What the machine keeps when it crashes. */
  readonly disk: Disk;
  /** The network of the present life. What was made with it dies with a crash. */
  readonly network: Network;
  /** Whether it has a program, which `restart` calls; a host without one is used from outside by its `network`. */
  readonly hasProgram: boolean;
  /** Whether packets get no answer here, because the machine is off or frozen. */
  readonly silent: boolean;
  /** How far the clock of this host is ahead of the world's, in milliseconds; negative: behind. Timers do not change. */
  skewMs: number;
  /**
   * What is wrong with the certificates that this host shows, as a TLS server or to one that asks; default: nothing. TLS in
   * a world is a stand-in: it takes its round trip and agrees on a protocol, but it encrypts nothing and reads no certificate.
   * A client without the certificate that a server requires is told when it connects, as with TLS 1.2.
   */
  certificateFault: CertificateFault | undefined;
  /** Calls that code of an earlier life made after its crash. They never settle. */
  readonly zombieCalls: number;
  /**
   * Takes the power away: the program ends in the middle of what it does (its pending calls never settle, `finally` does
   * not run), the kernel forgets everything, and peers hear nothing.
   */
  crash(): void;
  /** Starts the machine again, after a crash or at once, and calls the program with a new network and the old disk. */
  restart(): void;
  /** Stops the program until `resume`; the kernel goes on, so that peers see their bytes acknowledged. */
  pause(): void;
  /** Lets the program go on with what it missed. */
  resume(): void;
  /** Stops the whole machine until `thaw`: packets that come are lost, and none leaves. */
  freeze(): void;
  /** Lets the machine go on, with all timers that have come due. */
  thaw(): void;
}
