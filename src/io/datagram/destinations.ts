/** What is sent and where it goes, checked: texts and names become IP addresses once, not on each send. */

import { Address, type AddressLike } from "../../core/address/address.ts";
import { NO_PARAMS } from "../../core/address/parts.ts";
import { UsageError } from "../../core/errors.ts";
import type { OutgoingDatagram } from "../network/datagrams.ts";
import type { Sockets } from "../network/network.ts";
import { firstAddress, missingZone, textBytes } from "../operation/arguments.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { DatagramPartOwner } from "./owner.ts";
import type { DatagramInput } from "./public.ts";
import { MAX_IPV4_PAYLOAD_BYTES, MAX_IPV6_PAYLOAD_BYTES } from "./settings.ts";

/** Most texts and names that are remembered; then it starts anew, so that a program with many peers keeps its memory. */
const REMEMBERED = 1024;

/** Told of a name's address, or why there is none. */
type Found = (error: unknown, address: Address | undefined) => void;

interface KnownName {
  address: Address;
  readonly since: number;
}

/** The destinations of one datagram socket. */
export class Destinations {
  readonly #owner: DatagramPartOwner;
  readonly #sockets: Sockets;
  readonly #families: readonly (4 | 6)[];
  readonly #maxAgeMs: number;
  readonly #texts = new Map<string, Address>();
  readonly #names = new Map<string, KnownName>();
  /** Lookups under way, each with the sends that wait for it, in their order. */
  readonly #lookups: Map<string, ((error: unknown) => void)[]> = new Map();

  /** `families`: those that the datagram socket can reach, the preferred one first. */
  constructor(owner: DatagramPartOwner, sockets: Sockets, families: readonly (4 | 6)[], maxAgeMs: number) {
    this.#owner = owner;
    this.#sockets = sockets;
    this.#families = families;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Reads a receiver's address and checks that this datagram socket can send there. */
  read(to: AddressLike, op: string): Address {
    if (to instanceof Address) return this.#checked(to, op);
    if (typeof to !== "string") return this.#checked(Address.parse(to, { transport: "udp", op }), op);
    const known = this.#texts.get(to);
    if (known !== undefined) return known;
    const address = this.#checked(Address.parse(to, { transport: "udp", op }), op);
    remember(this.#texts, to, address);
    return address;
  }

  /** The IP address of a receiver, if it is known by now; otherwise `found` is called when it is. */
  resolve(address: Address, found: Found): Address | undefined {
    if (address.isIp) return address;
    const known = this.#names.get(address.host);
    if (known !== undefined && this.#owner.clock.now() - known.since < this.#maxAgeMs) return at(known, address.port);
    const waiting = this.#lookups.get(address.host) ?? [];
    if (waiting.length === 0) this.#lookUp(address.host, waiting);
    waiting.push((error) => {
      const name = this.#names.get(address.host);
      found(error, error === undefined && name !== undefined ? at(name, address.port) : undefined);
    });
    return undefined;
  }

  #lookUp(host: string, waiting: ((error: unknown) => void)[]): void {
    this.#lookups.set(host, waiting);
    const done = (error: unknown): void => {
      this.#lookups.delete(host);
      for (const tell of waiting) tell(error);
    };
    firstAddress(this.#sockets, host, this.#families).then((ip) => {
      remember(this.#names, host, { address: Address.fromIp("udp", ip, 0).unmapped(), since: this.#owner.clock.now() });
      done(undefined);
    }, done);
  }

  #checked(receiver: Address, op: string): Address {
    const address = receiver.unmapped();
    const detail = this.#problemOf(address);
    if (detail === undefined) return address;
    const context = this.#owner.context(op, address.toString());
    throw new UsageError("ADDRESS_INVALID", { ...context, detail, outcome: "none" });
  }

  #problemOf(address: Address): string | undefined {
    if (address.transport !== "udp") return `datagrams go to udp: addresses, not to ${address.transport}:`;
    if (address.port === 0) return "port 0 cannot be sent to";
    if (address.params !== NO_PARAMS) {
      return "an address to send to takes no parameters; choose the interface with udp.setMulticastInterface()";
    }
    // A datagram socket on a link-local address is bound to its interface.
    const zoneless = this.#owner.transport.localAddress.zone === "" ? missingZone(address) : undefined;
    if (zoneless !== undefined) return zoneless;
    if (address.family === "name" || this.#families.includes(address.family as 4 | 6)) return undefined;
    return address.family === 6
      ? "a datagram socket on an IPv4 address cannot send to IPv6; bind [::] for both"
      : "this datagram socket cannot send to IPv4; bind 0.0.0.0, or [::] for both";
  }
}

/** A known name's address with another port; the last one is kept, since a program rarely uses two. */
function at(name: KnownName, port: number): Address {
  if (name.address.port !== port) name.address = name.address.with({ port });
  return name.address;
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= REMEMBERED) map.clear();
  map.set(key, value);
}

/** One datagram to `to`, or to the peer of a connected datagram socket. */
export function outgoing(
  data: DatagramInput | undefined,
  to: Address | undefined,
  peer: Address | undefined,
  maxDatagramBytes: number,
  context: (remote: string | undefined) => OperationContext,
): OutgoingDatagram {
  const receiver = to ?? peer;
  const here = (): OperationContext => context(receiver?.toString());
  const bytes = bytesOf(data, here);
  if (bytes === undefined) {
    const detail = "data must be a string, a Uint8Array, or an array of them";
    throw new UsageError("OPTION_INVALID", { ...here(), detail, outcome: "none" });
  }
  const most = Math.min(maxDatagramBytes, receiver?.family === 4 ? MAX_IPV4_PAYLOAD_BYTES : MAX_IPV6_PAYLOAD_BYTES);
  if (bytes.length > most) {
    const detail = `the datagram has ${bytes.length} bytes; at most ${most} fit into one to that address`;
    throw new UsageError("DATAGRAM_TOO_LARGE", { ...here(), detail, outcome: "none" });
  }
  return { data: bytes, to };
}

function bytesOf(data: DatagramInput | undefined, context: () => OperationContext): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data;
  if (typeof data === "string") return textBytes(data, "data", context);
  if (!Array.isArray(data)) return undefined;
  // A hole counts as undefined.
  const pieces = Array.from(data, (piece: unknown) => {
    return typeof piece === "string" || piece instanceof Uint8Array ? bytesOf(piece, context) : undefined;
  });
  return pieces.every((piece) => piece !== undefined) ? Buffer.concat(pieces) : undefined;
}

/** The bytes that a payload will have. */
export function lengthOf(data: DatagramInput): number {
  if (data instanceof Uint8Array) return data.length;
  if (typeof data === "string") return Buffer.byteLength(data, "utf8");
  let bytes = 0;
  for (const piece of Array.isArray(data) ? (data as readonly (string | Uint8Array)[]) : []) bytes += lengthOf(piece);
  return bytes;
}
