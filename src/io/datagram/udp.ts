/** What only UDP has: hops, broadcast, and multicast groups as programs name them (RFC 1112, RFC 4607). */

import { Address } from "../../core/address/address.ts";
import { UsageError } from "../../core/errors.ts";
import { checkOptions, FLAG, type OptionRule, TEXT, wholeNumber } from "../../core/options/check-options.ts";
import { handled } from "../operation/handled-rejection.ts";
import type { DatagramPartOwner } from "./owner.ts";
import type * as api from "./public.ts";
import { GROUP_RULES, type GroupOptions } from "./settings.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { DatagramTransport, GroupMembership } from "../network/datagrams.ts";

/** A datagram socket, as its {@link UdpSettings} see it. */
interface UdpHost extends DatagramPartOwner {
  readonly localAddress: Address;
  /** The transport. @throws ConnectionError the datagram socket is closed. */
  open(op: string): DatagramTransport;
}

type Setter = Extract<keyof api.UdpSettings & keyof DatagramTransport, `set${string}`>;

/** The one implementation of {@link api.UdpSettings}. */
export class UdpSettings implements api.UdpSettings {
  readonly #socket: UdpHost;

  constructor(socket: UdpHost) {
    this.#socket = socket;
  }

  // They may be taken off, as the members of every `interop`.
  readonly joinGroup = (group: string | Address, options: GroupOptions = {}): void => {
    this.#socket.open("joinGroup").join(this.#membership("joinGroup", group, options));
  };
  readonly leaveGroup = (group: string | Address, options: GroupOptions = {}): void => {
    this.#socket.open("leaveGroup").leave(this.#membership("leaveGroup", group, options));
  };
  readonly setBroadcast = (on: boolean): void => this.#set("setBroadcast", on, FLAG);
  readonly setTtl = (hops: number): void => this.#set("setTtl", hops, wholeNumber(1, 255));
  readonly setMulticastTtl = (hops: number): void => this.#set("setMulticastTtl", hops, wholeNumber(0, 255));
  readonly setMulticastLoopback = (on: boolean): void => this.#set("setMulticastLoopback", on, FLAG);
  readonly setMulticastInterface = (name: string): void => this.#set("setMulticastInterface", name, TEXT);
  readonly bufferSizes = (): { readonly receiveBytes: number; readonly sendBytes: number } => {
    return this.#socket.open("bufferSizes").bufferSizes();
  };
  readonly kernelDrops = (): Promise<number | undefined> => handled(this.#kernelDrops());

  async #kernelDrops(): Promise<number | undefined> {
    return await this.#socket.open("kernelDrops").kernelDrops();
  }

  #membership(op: string, group: string | Address, options: GroupOptions): GroupMembership {
    return membership(group, options, this.#socket.context(op), this.#socket.localAddress);
  }

  /** Hands a value, which must keep `rule`, to the method of the transport that has the name of the call. */
  #set(op: Setter, value: boolean | number | string, rule: OptionRule): void {
    checkOptions(this.#socket.context(op), { value }, { value: { ...rule, required: true } });
    const transport: Record<Setter, (value: never) => void> = this.#socket.open(op);
    transport[op](value as never);
  }
}

/** Checks a group that a datagram socket on `local` wants to join. */
function membership(
  group: string | Address,
  given: GroupOptions,
  context: OperationContext,
  local: Address,
): GroupMembership {
  const options = checkOptions(context, given, GROUP_RULES);
  const address = ipOf(group, "group", context);
  if (!address.isMulticast || address.family !== local.family) {
    const detail = address.isMulticast
      ? `a datagram socket on ${local.hostPort} cannot join a group of the other IP version`
      : `${address.host} is not a multicast group (224.0.0.0/4 or ff00::/8)`;
    throw new UsageError("ADDRESS_INVALID", { ...context, detail });
  }
  const source = options.source === undefined ? undefined : ipOf(options.source, "source", context).host;
  const zone = address.zone === "" ? undefined : address.zone;
  return { group: address.host, interface: options.interface ?? zone, source };
}

function ipOf(input: string | Address, what: string, context: OperationContext): Address {
  if (input instanceof Address) return input;
  const { op } = context;
  if (typeof input !== "string") {
    const detail = `${what} must be an IP address as text, or an Address`;
    throw new UsageError("ADDRESS_INVALID", { ...context, detail });
  }
  const address = input.includes("://")
    ? Address.parse(input, { transport: "udp", defaultPort: 0, op })
    : Address.parse({ transport: "udp", host: input, port: 0 }, { op });
  if (address.isIp) return address;
  throw new UsageError("ADDRESS_INVALID", { ...context, detail: `${what} must be an IP address, not a name` });
}
