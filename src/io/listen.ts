/** Opening a door: the called side of the telephone. */

import { Address, type AddressLike, type Transport } from "../core/address/address.ts";
import { UsageError, ZocaloError } from "../core/errors.ts";
import {
  checkOptions,
  countFrom,
  FLAG,
  type OptionRules,
  options as object,
  POSITIVE,
  TEXTS,
  wholeNumber,
} from "./check-options.ts";
import { Connection } from "./connection.ts";
import { connectionSettings } from "./connection-settings.ts";
import { Door, type DoorOptions } from "./door.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import type { ListenerTransport, Network } from "./network.ts";
import { restated } from "./restated.ts";
import { TLS_RULES } from "./tls.ts";
import type { OperationContext } from "./deadline.ts";
import { openWithin } from "./with-deadline.ts";

const DEFAULT_BACKLOG = 511;
/** The largest that the call takes; the kernel caps it further. */
const LARGEST_INT = 2_147_483_647;

const RULES: OptionRules = {
  backlog: wholeNumber(1, LARGEST_INT),
  acceptQueue: countFrom(0),
  maxConnections: countFrom(0),
  maxConnectionsPerAddress: countFrom(0),
  proxyProtocol: object({ from: { ...TEXTS, required: true } }),
  tls: object(TLS_RULES),
  handshakeTimeoutMs: POSITIVE,
  reusePort: FLAG,
  ipv6Only: FLAG,
  noDelay: FLAG,
  mode: wholeNumber(0, 0o777),
  fd: wholeNumber(0, LARGEST_INT),
};

/** Listens over `network`; see the public `listen`. */
export async function listenOver(
  network: Network,
  address: AddressLike,
  options: ListenOptions = {},
): Promise<Listener> {
  const settings = connectionSettings(options, "listen");
  return await openDoor("listen", network, address, options, {
    create: (transport, remote) => new Connection(network, transport, settings, remote),
  });
}

/** Opens a door for the call `op`, whose connections are made by `door.create`. */
export async function openDoor<Socket extends Connection>(
  op: string,
  network: Network,
  address: AddressLike,
  options: ListenOptions,
  door: DoorOptions<Socket>,
): Promise<Door<Socket>> {
  const asked = doorAddress(address, op);
  const context = { op, local: asked.toString() };
  checkOptions(context, options, RULES);
  checkMeaning(context, asked.transport, options);
  let transport: ListenerTransport | undefined;
  try {
    const opening = (): Promise<ListenerTransport> => openTransport(network, asked, options);
    transport = await openWithin(network.clock, opening, options, context);
    if (transport.localAddress.transport === "tls") transport.checkTls(serverTls(options, transport));
    return new Door(network, transport, options, door);
  } catch (error) {
    await transport?.close();
    // The network below, and the lists, know only that something is opened.
    throw error instanceof ZocaloError && error.op !== op ? restated(error, context) : error;
  }
}

/** An option that has no meaning with the address is refused: who gave it counts on what it does. */
function checkMeaning(context: OperationContext, transport: Transport, options: ListenOptions): void {
  const refuse = (option: string, meaning: string): never => {
    throw new UsageError("OPTION_INVALID", { ...context, detail: `${option} has a meaning only ${meaning}` });
  };
  if (options.tls !== undefined && transport !== "tls") refuse("tls", "with a tls: address; this one is not encrypted");
  if (options.mode !== undefined && transport !== "unix") refuse("mode", "with a unix: address, which has a file");
  if (options.proxyProtocol !== undefined && transport === "unix") {
    refuse("proxyProtocol", "where peers have IP addresses, by which a proxy is known");
  }
}

/** The address of a door; a mailbox's is refused with the names of the right calls. */
function doorAddress(address: AddressLike, op: string): Address {
  const asked = Address.parse(address, { transport: "tcp", op });
  if (asked.transport !== "udp") return asked;
  const detail = "udp is connectionless: use bind(address) for a mailbox, or serveDatagrams";
  throw new UsageError("ADDRESS_INVALID", { op, local: asked.toString(), detail });
}

async function openTransport(network: Network, asked: Address, options: ListenOptions): Promise<ListenerTransport> {
  const { backlog = DEFAULT_BACKLOG, reusePort = false, ipv6Only = false, noDelay = true, mode, fd } = options;
  const settings = { backlog, reusePort, ipv6Only, noDelay, mode, fd };
  return await network.sockets.listen(await localIp(network, asked), settings);
}

/** A name is looked up here, so that the address that is opened is one that can be told. */
async function localIp(network: Network, asked: Address): Promise<Address> {
  if (asked.family !== "name") return asked;
  const { sockets } = network;
  try {
    const [first] = await sockets.resolve(asked.host, 4).catch(() => sockets.resolve(asked.host, 6));
    return first === undefined ? asked : asked.with({ host: first });
  } catch (error) {
    throw error instanceof ZocaloError ? restated(error, { op: "listen", local: asked.toString() }) : error;
  }
}

function serverTls(options: ListenOptions, transport: ListenerTransport): NonNullable<ListenOptions["tls"]> {
  const { tls } = options;
  if (tls !== undefined && ((tls.cert !== undefined && tls.key !== undefined) || tls.sni !== undefined)) return tls;
  const detail = "a tls: listener needs a certificate: give tls: { cert, key }, or tls: { sni }";
  throw new UsageError("OPTION_INVALID", { op: "listen", local: transport.localAddress.toString(), detail });
}
