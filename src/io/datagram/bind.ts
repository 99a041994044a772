/** Opening a datagram socket. */

import { Address, type AddressLike } from "../../core/address/address.ts";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import type { Network } from "../network/network.ts";
import type { DatagramTransport, TransportBindOptions } from "../network/datagrams.ts";
import { checkOptions, optionInvalid, type OptionRules } from "../../core/options/check-options.ts";
import { type OperationContext } from "../operation/deadline.ts";
import { openWithin } from "../operation/within.ts";
import { checkZone, meetsItself, toIp } from "../operation/arguments.ts";
import { restated } from "../operation/restated.ts";
import { DatagramSocket } from "./socket.ts";
import type * as api from "./public.ts";
import { BIND_RULES, type BindOptions, type DatagramSettings, datagramSettings } from "./settings.ts";

/** Parameters of an address that names a multicast group: one that is joined, and one that is sent to. */
const OWN_PARAMS: ReadonlySet<string> = new Set(["interface", "source"]);
const PARTNER_PARAMS: ReadonlySet<string> = new Set(["interface"]);

/** Binds over `network`; see the public `bind`, whose own options have more `rules`. */
export async function bindOver(
  network: Network,
  local: AddressLike,
  options: BindOptions = {},
  rules: OptionRules = BIND_RULES,
): Promise<api.DatagramSocket> {
  return await openDatagramSocket(network, local, checkOptions({ op: "bind" }, options, rules));
}

/** Binds with options that were checked. A server wants a larger receive buffer than the system's, where none is asked for. */
export async function openDatagramSocket(
  network: Network,
  local: AddressLike,
  options: BindOptions,
  wantedReceiveBufferBytes?: number,
): Promise<api.DatagramSocket> {
  const address = datagramSocketAddress(local, OWN_PARAMS);
  const remote = options.remote === undefined ? undefined : datagramSocketAddress(options.remote, PARTNER_PARAMS);
  if (remote?.port === 0) throw invalid(remote, "port 0 cannot be sent to");
  const context: OperationContext = { op: "bind", local: address.toString(), remote: remote?.toString() };
  const settings = datagramSettings(options);
  const { signal, timeoutMs } = options;
  const wanted = { ...options, wantedReceiveBufferBytes };
  const opening = (): Promise<DatagramSocket> => open(network, address, remote, wanted, settings);
  return await openWithin(network.clock, opening, { signal, timeoutMs }, context);
}

/** Reads the address of a datagram socket; that of a connection is refused with the names of the right calls. */
function datagramSocketAddress(input: AddressLike, params: ReadonlySet<string>): Address {
  const address = Address.parse(input, { transport: "udp", op: "bind" });
  if (address.transport !== "udp") {
    const { transport } = address;
    const detail = `${transport} is connection-oriented: use listen(address) to wait for calls, or connect(address)`;
    throw invalid(address, detail);
  }
  const wrong = Object.keys(address.params).find((name) => !address.isMulticast || !params.has(name));
  if (wrong === undefined) return address.unmapped();
  const detail = `parameter "${wrong}" does not work here; a multicast group takes ?interface=, and ?source= where it is joined`;
  throw invalid(address, detail);
}

async function open(
  network: Network,
  asked: Address,
  peer: Address | undefined,
  options: BindOptions & Pick<TransportBindOptions, "wantedReceiveBufferBytes">,
  settings: DatagramSettings,
): Promise<DatagramSocket> {
  const { sockets } = network;
  const local = await toIp(sockets, asked, peer?.isIp === true ? [peer.family as 4 | 6] : [4, 6]);
  const { reuseAddress, reusePort = false, ipv6Only = false, receiveBufferBytes, sendBufferBytes } = options.udp ?? {};
  if (ipv6Only && local.family !== 6)
    throw optionInvalid({ op: "bind", local: local.toString() }, "udp.ipv6Only works only on an IPv6 address");
  const families =
    local.family === 4 ? ([4] as const) : local.isUnspecified && !ipv6Only ? ([6, 4] as const) : ([6] as const);
  const remote = peer === undefined ? undefined : await toIp(sockets, peer, families);
  if (remote !== undefined && !(families as readonly unknown[]).includes(remote.family)) {
    const problem = `a datagram socket on ${local.hostPort} cannot reach it`;
    throw invalid(remote, `${problem}; bind an address of the same IP version`);
  }
  checkZone(local, { op: "bind", local: asked.toString() });
  if (remote !== undefined && local.zone === "") {
    checkZone(remote, { op: "bind", local: local.toString(), remote: remote.toString() });
  }
  const transport = await bindApart(sockets, local, {
    remote,
    reuseAddress: reuseAddress ?? local.isMulticast,
    reusePort,
    ipv6Only,
    receiveBufferBytes,
    wantedReceiveBufferBytes: options.wantedReceiveBufferBytes,
    sendBufferBytes,
    signal: options.signal,
  });
  let datagramSocket: DatagramSocket | undefined;
  try {
    prepare(transport, local, peer, settings);
    datagramSocket = new DatagramSocket(network, transport, settings, families);
    if (local.isMulticast)
      datagramSocket.udp.joinGroup(local, { interface: wayOf(local), source: local.params["source"] });
    return datagramSocket;
  } catch (error) {
    await (datagramSocket ?? transport).close();
    throw error instanceof ZocaloError ? restated(error, { op: "bind", local: local.toString() }) : error;
  }
}

/** Binds; again, if the port that the system has chosen is the one of the peer itself. */
async function bindApart(
  sockets: Network["sockets"],
  local: Address,
  options: TransportBindOptions,
): Promise<DatagramTransport> {
  const transport = await sockets.bind(local, options);
  if (local.port !== 0 || options.remote === undefined) return transport;
  if (!meetsItself(transport.localAddress, options.remote)) return transport;
  try {
    return await sockets.bind(local, options);
  } finally {
    // Held until now, so that the system has chosen another one.
    await transport.close();
  }
}

/** What must hold before the first datagram is delivered. */
function prepare(
  transport: DatagramTransport,
  local: Address,
  peer: Address | undefined,
  settings: DatagramSettings,
): void {
  if (settings.receiveQueue.policy === "block" && !transport.canPause) {
    const detail = "this runtime cannot stop receiving; choose another overflow";
    throw new UsageError("UNSUPPORTED", { op: "bind", local: local.toString(), detail });
  }
  // The way in is also the way out.
  const way = wayOf(peer) ?? wayOf(local);
  if (way !== undefined) transport.setMulticastInterface(way);
}

/** The network interface that the address of a group names. */
function wayOf(group: Address | undefined): string | undefined {
  if (group?.isMulticast !== true) return undefined;
  return group.params["interface"] ?? (group.zone === "" ? undefined : group.zone);
}

function invalid(address: Address, detail: string): UsageError {
  return new UsageError("ADDRESS_INVALID", { op: "bind", local: address.toString(), detail });
}
