/** Making a connection. */

import { Address, type AddressLike } from "../../core/address/address.ts";
import { ConnectError, UsageError, ZocaloError } from "../../core/errors.ts";
import { type Backoff, BACKOFF } from "../../core/options/backoff.ts";
import {
  ANYTHING,
  checkOptions,
  OPERATION_RULES,
  type OptionRules,
  type RulesOf,
  options as object,
} from "../../core/options/check-options.ts";
import { StreamSocket } from "./socket.ts";
import {
  CONNECTION_RULES,
  type ConnectionOptions,
  connectionSettings,
  TCP_RULES,
  type TcpOptions,
} from "./settings.ts";
import { ConnectAttempts } from "./connect-attempts.ts";
import { Deadline, type OperationOptions, refusedAtOnce } from "../operation/deadline.ts";
import { happyEyeballs } from "./happy-eyeballs.ts";
import { checkZone, meetsItself } from "../operation/arguments.ts";
import type { Network, StreamTransport } from "../network/network.ts";
import { withRetry } from "../operation/retry.ts";
import type { TlsOptions } from "../network/tls.ts";
import { type ClientTls, clientTls, TLS_RULES } from "./tls-settings.ts";

/** Options of `connect`. */
export interface ConnectOptions extends OperationOptions, ConnectionOptions {
  /**
   * One time-out over everything: looking up the name, all attempts, the TLS handshake. Default 30000; the kernel alone
   * would wait about two minutes for a host that does not answer. `Infinity` leaves it to the kernel.
   */
  readonly timeoutMs?: number | undefined;
  /** The own address to connect from, as `host` or `host:port`; default: the system chooses. */
  readonly localAddress?: AddressLike | undefined;
  /**
   * Wait for a server that is not up yet: try again while it refuses, cannot be reached, or ends the handshake of TLS without
   * a word, as a proxy does that is up before its server. Default: do not. `timeoutMs` above goes on.
   */
  readonly retry?: Backoff | undefined;
  /** What only TCP has; refused with a `unix:` address. */
  readonly tcp?: TcpOptions | undefined;
  /** TLS settings of a `tls:` address. */
  readonly tls?: TlsOptions | undefined;
}

/** The time of a connection when nobody says another. */
export const DEFAULT_CONNECT_MS = 30_000;

/** What {@link ConnectOptions} must look like. */
export const CONNECT_RULES: RulesOf<ConnectOptions> = {
  ...OPERATION_RULES,
  ...CONNECTION_RULES,
  // Read as an address.
  localAddress: ANYTHING,
  tcp: object(TCP_RULES),
  retry: BACKOFF,
  tls: object(TLS_RULES),
};

/** Connects over `network`; see the public `connect`, whose own options have more `rules`. */
export async function connectOver(
  network: Network,
  address: AddressLike,
  given: ConnectOptions = {},
  rules: OptionRules = CONNECT_RULES,
): Promise<StreamSocket> {
  const target = connectionAddress(address);
  const options = checkOptions({ op: "connect", remote: target.toString() }, given, rules);
  return await openConnection(network, target, options);
}

/** Connects with options that were checked. */
export async function openConnection(
  network: Network,
  target: Address,
  options: ConnectOptions,
): Promise<StreamSocket> {
  const context = { op: "connect", remote: target.toString() };
  const { transport: kind } = target;
  const misplaced =
    options.tls !== undefined && kind !== "tls"
      ? "tls works only with a tls: address; this one is not encrypted"
      : options.tcp !== undefined && kind === "unix"
        ? "tcp works only with a tcp: or tls: address"
        : undefined;
  if (misplaced !== undefined) throw new UsageError("OPTION_INVALID", { ...context, detail: misplaced });
  const tls = kind === "tls" ? clientTls(context, options.tls ?? {}, target.host, "tls.") : undefined;
  if (tls !== undefined) network.sockets.checkTls(tls, context, "tls.");
  const settings = connectionSettings(options);
  const { signal, timeoutMs = DEFAULT_CONNECT_MS } = options;
  const refused = refusedAtOnce({ signal, timeoutMs }, () => context);
  if (refused !== undefined) throw refused.reason;
  const attempts = new ConnectAttempts(network.clock);
  const controller = new AbortController();
  const deadline = new Deadline(network.clock, { signal, timeoutMs }, (cause) => {
    controller.abort(typeof cause === "number" ? attempts.timedOut(cause, context) : cause.reason);
  });
  try {
    const transport = await withRetry(network, options.retry, controller.signal, () => {
      attempts.restart();
      return open(network, target, options, tls, attempts, controller.signal);
    });
    const connection = new StreamSocket(network, transport, settings);
    if (kind !== "unix") connection.connectedTo = target.host;
    return connection;
  } finally {
    deadline.cancel();
  }
}

/** The address of a stream; a datagram socket's is refused with the name of the right call. */
export function connectionAddress(address: AddressLike): Address {
  const target = Address.parse(address, { transport: "tcp", op: "connect" });
  const remote = target.toString();
  if (target.transport === "udp") {
    const detail = "udp is connectionless: use bind(local, { remote }) for a datagram socket with one peer";
    throw new UsageError("ADDRESS_INVALID", { op: "connect", remote, detail });
  }
  if (target.transport !== "unix" && target.port === 0) {
    throw new UsageError("ADDRESS_INVALID", { op: "connect", remote, detail: "port 0 cannot be connected to" });
  }
  return target.unmapped();
}

async function open(
  network: Network,
  target: Address,
  options: ConnectOptions,
  tls: ClientTls | undefined,
  attempts: ConnectAttempts,
  signal: AbortSignal,
): Promise<StreamTransport> {
  const transport = await reach(network, target, options, attempts, signal);
  if (tls === undefined) return transport;
  const abandon = (): void => transport.reset();
  signal.addEventListener("abort", abandon, { once: true });
  try {
    const secure = await transport.startTls(tls, new Uint8Array(0));
    if (!signal.aborted) return secure;
    secure.reset();
    throw signal.reason;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof ZocaloError) attempts.failedLater(error);
    throw asConnectError(error, target, attempts);
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** Connects to an IP address or a path at once, to a name by Happy Eyeballs. */
async function reach(
  network: Network,
  target: Address,
  options: ConnectOptions,
  attempts: ConnectAttempts,
  signal: AbortSignal,
): Promise<StreamTransport> {
  const localAddress = localAddressOf(options.localAddress, target);
  const { noDelay = true } = options.tcp ?? {};
  const attempt = async (address: Address, stop: AbortSignal): Promise<StreamTransport> => {
    // The interface of the own address is the way.
    if (localAddress === undefined || localAddress.zone === "")
      checkZone(address, { op: "connect", remote: address.toString() });
    return notItself(await network.sockets.connect(address.unmapped(), { localAddress, noDelay, signal: stop }));
  };
  if (target.family === "name") {
    const families = localAddress === undefined ? ([6, 4] as const) : ([localAddress.family as 4 | 6] as const);
    return await happyEyeballs(network, target, families, attempt, signal, attempts);
  }
  try {
    return await attempts.run(target, signal, () => attempt(target, signal));
  } catch (error) {
    throw signal.aborted ? signal.reason : asConnectError(error, target, attempts);
  }
}

/** Refuses a connection that came back to itself; the next attempt is made from another port. */
function notItself(transport: StreamTransport): StreamTransport {
  const { localAddress, remoteAddress } = transport;
  if (!meetsItself(localAddress, remoteAddress)) return transport;
  transport.reset();
  const detail =
    "nothing listens there: the connection was made to its own port; start the server first, or check the port";
  const ends = { local: localAddress.toString(), remote: remoteAddress.toString() };
  throw new ConnectError("CONNECTION_REFUSED", { op: "connect", detail, ...ends });
}

/** The error of a single attempt, told as the failure of the whole call. */
function asConnectError(error: unknown, target: Address, attempts: ConnectAttempts): unknown {
  if (!(error instanceof ZocaloError) || error instanceof UsageError) return error;
  const { code, detail, side, local, cause } = error;
  const remote = target.toString();
  return new ConnectError(code, { op: "connect", detail, side, local, remote, cause, attempts: attempts.failed });
}

function localAddressOf(input: AddressLike | undefined, target: Address): Address | undefined {
  if (input === undefined) return undefined;
  const local = Address.parse(input, { transport: "tcp", defaultPort: 0, op: "connect" }).unmapped();
  const ends = { op: "connect", local: local.toString(), remote: target.toString() };
  checkZone(local, ends);
  if (!local.isIp) {
    throw new UsageError("ADDRESS_INVALID", { ...ends, detail: "localAddress must be an IP address of this machine" });
  }
  if (target.family === "name" || target.family === local.family) return local;
  const detail =
    target.family === "unix"
      ? "localAddress works only with an IP address, not with a path"
      : `localAddress is IPv${local.family}, and IPv${target.family} is connected to; give an own IPv${target.family} address`;
  throw new UsageError("OPTION_INVALID", { ...ends, detail });
}
