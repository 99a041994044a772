/** Opening a listener for connections. */

import { Address, type AddressLike, type Transport } from "../../core/address/address.ts";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import type { ListenerTransport, Network } from "../network/network.ts";
import {
  checkOptions,
  countFrom,
  FLAG,
  OPERATION_RULES,
  optionInvalid,
  type OptionRules,
  options as object,
  POSITIVE,
  type RulesOf,
  TEXTS,
  wholeNumber,
} from "../../core/options/check-options.ts";
import { type OperationContext } from "../operation/deadline.ts";
import { openWithin } from "../operation/within.ts";
import { checkZone, toIp } from "../operation/arguments.ts";
import { restated } from "../operation/restated.ts";
import { StreamSocket } from "../stream/socket.ts";
import { connectionSettings, STREAM_LIMIT_RULES, STREAM_TIMEOUT_RULES, TCP_RULES } from "../stream/settings.ts";
import { serverTls, TLS_RULES } from "../stream/tls-settings.ts";
import { UNIX_PEERS } from "./admission.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import type * as api from "./public.ts";

const DEFAULT_BACKLOG = 511;
/** The largest that the call takes; the kernel caps it further. */
const LARGEST_INT = 2_147_483_647;

/** What {@link api.ListenerLimits} must look like. */
export const LISTENER_LIMIT_RULES: RulesOf<api.ListenerLimits> = {
  ...STREAM_LIMIT_RULES,
  maxBacklog: wholeNumber(1, LARGEST_INT),
  maxWaitingConnections: countFrom(0),
  maxConnections: countFrom(0),
  maxConnectionsPerAddress: countFrom(0),
  maxHandshakes: countFrom(1),
};

/** What {@link ListenOptions} must look like. */
export const LISTEN_RULES: RulesOf<api.ListenOptions> = {
  ...OPERATION_RULES,
  limits: object(LISTENER_LIMIT_RULES),
  timeouts: object({ ...STREAM_TIMEOUT_RULES, handshakeMs: POSITIVE } satisfies RulesOf<api.ListenerTimeouts>),
  allow: TEXTS,
  deny: TEXTS,
  proxyProtocol: object({ from: { ...TEXTS, required: true } }),
  tls: object(TLS_RULES),
  tcp: object({ ...TCP_RULES, reusePort: FLAG, ipv6Only: FLAG } satisfies RulesOf<api.ListenerTcpOptions>),
  mode: wholeNumber(0, 0o777),
  fd: wholeNumber(0, LARGEST_INT),
};

/** Listens over `network`; see the public `listen`, whose own options have more `rules`. */
export async function listenOver(
  network: Network,
  address: AddressLike,
  given: api.ListenOptions = {},
  rules: OptionRules = LISTEN_RULES,
): Promise<api.Listener> {
  const asked = listenerAddress(address, "listen");
  const options = checkOptions({ op: "listen", local: asked.toString() }, given, rules);
  const settings = connectionSettings(options);
  return await openListener("listen", network, asked, options, {
    create: (transport, announced) => new StreamSocket(network, transport, settings, announced),
  });
}

/** Opens a listener for the call `op` with options that were checked. Its connections are made by `listener.create`. */
export async function openListener<Socket extends StreamSocket>(
  op: string,
  network: Network,
  asked: Address,
  options: api.ListenOptions,
  listener: Omit<ListenerOptions<Socket>, "tls">,
): Promise<Listener<Socket>> {
  const context = { op, local: asked.toString() };
  checkMeaning(context, asked.transport, options);
  const tls = asked.transport === "tls" ? serverTls(context, options.tls ?? {}, "tls.") : undefined;
  if (tls !== undefined) network.sockets.checkTls(tls, context, "tls.");
  let transport: ListenerTransport | undefined;
  try {
    const opening = (): Promise<ListenerTransport> => openTransport(network, asked, options);
    const { signal, timeoutMs } = options;
    transport = await openWithin(network.clock, opening, { signal, timeoutMs }, context);
    return new Listener(network, transport, options, { ...listener, tls });
  } catch (error) {
    await transport?.close();
    // The network below, and the lists, know only that something is opened.
    throw error instanceof ZocaloError && error.op !== op ? restated(error, context) : error;
  }
}

/** An option that does not work with the address is refused: who gave it counts on what it does. */
function checkMeaning(context: OperationContext, transport: Transport, options: api.ListenOptions): void {
  const refuse = (option: string, meaning: string): never => {
    throw optionInvalid(context, `${option} works only ${meaning}`);
  };
  if (options.tls !== undefined && transport !== "tls") refuse("tls", "with a tls: address; this one is not encrypted");
  if (options.mode !== undefined && transport !== "unix") refuse("mode", "with a unix: address, which has a file");
  if (options.tcp !== undefined && transport === "unix") refuse("tcp", "with a tcp: or tls: address");
  const proxies = options.proxyProtocol?.from;
  if (transport === "unix" && proxies !== undefined && (proxies.length !== 1 || proxies[0] !== UNIX_PEERS)) {
    const detail = `proxyProtocol.from must be ["${UNIX_PEERS}"] with a unix: address: whoever may use its file is trusted (mode)`;
    throw optionInvalid(context, detail);
  }
  if (transport !== "unix" && proxies?.includes(UNIX_PEERS) === true) {
    refuse(`"${UNIX_PEERS}" in proxyProtocol.from`, "with a unix: address");
  }
}

/** The address of a listener; a datagram socket's is refused with the names of the right calls. */
export function listenerAddress(address: AddressLike, op: string): Address {
  const asked = Address.parse(address, { transport: "tcp", op });
  if (asked.transport !== "udp") return asked.unmapped();
  const detail = "udp is connectionless: use bind(address) for a datagram socket, or serveDatagrams";
  throw new UsageError("ADDRESS_INVALID", { op, local: asked.toString(), detail });
}

async function openTransport(network: Network, asked: Address, options: api.ListenOptions): Promise<ListenerTransport> {
  const { reusePort = false, ipv6Only = false, noDelay = true } = options.tcp ?? {};
  const { limits: { maxBacklog: backlog = DEFAULT_BACKLOG } = {}, mode, fd } = options;
  const settings = { backlog, reusePort, ipv6Only, noDelay, mode, fd };
  const local = await toIp(network.sockets, asked, [4, 6]);
  checkZone(local, { op: "listen", local: asked.toString() });
  if (ipv6Only && local.family !== 6) {
    throw optionInvalid({ op: "listen", local: local.toString() }, "tcp.ipv6Only works only on an IPv6 address");
  }
  return await network.sockets.listen(local, settings);
}
