/** Captures the packets of a world, each as its sender puts it on the wire. */

import { ipPacket } from "../../core/capture/ip-packet.ts";
import { enhancedPacket, interfaceDescription, sectionHeader } from "../../core/capture/pcapng.ts";
import { PACKAGE_VERSION } from "../../core/version.ts";
import type { Packet } from "../kernel/packet.ts";

/** Writes a pcapng file while a world runs. */
export class PacketCapture {
  readonly #write: (bytes: Uint8Array) => void;
  /** The number of each host's interface. */
  readonly #interfaces = new Map<string, number>();

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
    write(sectionHeader(`zocalo ${PACKAGE_VERSION}`));
  }

  /** A host sends a packet; `lost` says why it does not arrive. */
  packet(atUs: number, host: string, packet: Packet, lost: string | undefined): void {
    let id = this.#interfaces.get(host);
    if (id === undefined) {
      id = this.#interfaces.size;
      this.#interfaces.set(host, id);
      this.#write(interfaceDescription(host));
    }
    this.#write(enhancedPacket(id, atUs, ipPacket(packet), lost === undefined ? undefined : `lost: ${lost}`));
  }
}
