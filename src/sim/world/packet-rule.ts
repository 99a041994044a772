/** Faults by predicate: code that sees each packet before its link does, and may decide its fate. */

/** A packet that is about to leave, as a rule sees it. */
export interface PacketView {
  /** The name of the host that sends it. */
  readonly from: string;
  /** The name of the host that it is for. */
  readonly to: string;
  /** A TCP segment, a whole datagram, or the message of ICMP that refuses one of them. */
  readonly kind: "tcp" | "udp" | "refusal";
  /** IP address and port of the end that sends it: `192.0.2.1:49152`. */
  readonly source: string;
  /** IP address and port of the end that it is for. */
  readonly destination: string;
  /** The payload; must not be changed. */
  readonly payload: Uint8Array;
  /** Which packet of its kind from `from` to `to` this is, from 1 on. */
  readonly number: number;
  /** Payload bytes from `source` to `destination` so far, this packet and repetitions included. */
  readonly flowBytes: number;
}

/**
 * What a rule decides: nothing, that the packet is lost, that it is late by so many milliseconds, or that a middlebox takes it
 * and answers for both ends: each gets a reset (TCP; anything else is only lost).
 */
export type PacketVerdict = undefined | "drop" | "reset" | { readonly delayMs: number };

/** A rule; called for each packet in the order of virtual time. Must not throw. */
export type PacketRule = (packet: PacketView) => PacketVerdict;

/** What a rule sees, before it is counted. */
type UncountedPacket = Omit<PacketView, "number" | "flowBytes">;

/** The rules of one world, and what they count. */
export class PacketRules {
  readonly #rules = new Set<{ readonly rule: PacketRule }>();
  readonly #packets = new Map<string, number>();
  readonly #bytes = new Map<string, number>();

  /** Whether there is any rule; without one nothing is counted. */
  get any(): boolean {
    return this.#rules.size > 0;
  }

  /** Adds a rule; the answer takes it away again. */
  add(rule: PacketRule): () => void {
    const entry = { rule };
    this.#rules.add(entry);
    return () => void this.#rules.delete(entry);
  }

  /** Asks all rules, in the order in which they were added: the first loss counts, delays add up. */
  decide(packet: UncountedPacket): PacketVerdict {
    const view = this.#count(packet);
    let delayMs = 0;
    for (const { rule } of this.#rules) {
      const verdict = rule(view);
      if (verdict === "drop" || verdict === "reset") return verdict;
      delayMs += verdict?.delayMs ?? 0;
    }
    return delayMs > 0 ? { delayMs } : undefined;
  }

  #count(packet: UncountedPacket): PacketView {
    const { from, to, kind, source, destination, payload } = packet;
    const number = raise(this.#packets, `${kind} ${from}>${to}`, 1);
    const flowBytes = raise(this.#bytes, `${kind} ${source}>${destination}`, payload.length);
    return { ...packet, number, flowBytes };
  }
}

function raise(counts: Map<string, number>, key: string, by: number): number {
  const value = (counts.get(key) ?? 0) + by;
  counts.set(key, value);
  return value;
}
