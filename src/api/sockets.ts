/** The calls of Zócalo, on the kernel's network unless another one is given. */

import type { AddressLike } from "../core/address/address.ts";
import { bindOver } from "../io/datagram/bind.ts";
import { BIND_RULES, type BindOptions } from "../io/datagram/settings.ts";
import { checkOptions, FROM_ZERO, type OptionRules, SIGNAL } from "../core/options/check-options.ts";
import { sleepOn } from "../io/operation/retry.ts";
import { CONNECT_RULES, type ConnectOptions, connectOver } from "../io/stream/connect.ts";
import { CONNECTION_RULES, type ConnectionOptions } from "../io/stream/settings.ts";
import {
  type DatagramHandler,
  type DatagramServer,
  type ServeDatagramsOptions,
  SERVE_DATAGRAMS_RULES,
} from "../io/datagram/server.ts";
import type { DatagramSocket } from "../io/datagram/public.ts";
import { LISTEN_RULES, listenOver } from "../io/listener/listen.ts";
import type { Listener, ListenOptions } from "../io/listener/public.ts";
import { pairOver } from "../memory/pair.ts";
import { SERVE_RULES, serveOver } from "../io/listener/serve.ts";
import type { PeerHandler, ServeOptions, Server } from "../io/listener/public.ts";
import { serveDatagramsOver } from "../io/datagram/serve.ts";
import type { StreamSocket } from "../io/stream/public.ts";
import { NETWORK_RULES, networkOf, type NetworkOption } from "./call-options.ts";
import { closeOn, SERVER_RULES, type SignalOptions } from "./close-on-signals.ts";
import { onErrorOf } from "./untold-errors.ts";

const CONNECT: OptionRules = { ...CONNECT_RULES, ...NETWORK_RULES };
const LISTEN: OptionRules = { ...LISTEN_RULES, ...NETWORK_RULES };
const SERVE: OptionRules = { ...SERVE_RULES, ...SERVER_RULES, onError: onErrorOf("serve") };
const BIND: OptionRules = { ...BIND_RULES, ...NETWORK_RULES };
const SERVE_DATAGRAMS: OptionRules = {
  ...SERVE_DATAGRAMS_RULES,
  ...SERVER_RULES,
  onError: onErrorOf("serveDatagrams"),
};
const SLEEP: OptionRules = { signal: SIGNAL, ...NETWORK_RULES };
const PAIR: OptionRules = { ...CONNECTION_RULES, ...NETWORK_RULES };

/**
 * Makes a connection: names the server's address and port and waits until the virtual path stands.
 *
 * The address is `tcp://host:port`, `tls://host:port`, `unix:/path`, or an object; without a scheme it is TCP. A name is
 * looked up in both families at once and its addresses are tried with overlapping attempts (Happy Eyeballs, RFC 8305).
 *
 * Rejects with a `ConnectError` that lists every attempt: `CONNECTION_REFUSED` when nothing listens there,
 * `PATH_NOT_FOUND`, `PERMISSION_DENIED`, `NAME_NOT_FOUND`, `NAME_LOOKUP_FAILED`, `HOST_UNREACHABLE`,
 * `NETWORK_UNREACHABLE`, `CONNECTION_TIMED_OUT`, `CONNECTION_RESET`, `TLS_FAILED`, `CERTIFICATE_*`; with `TIMEOUT` after
 * `timeoutMs` (30000 by default), which lists them too, with `ADDRESS_INVALID`, `OPTION_INVALID` or, for a certificate or a key of this side that
 * cannot be used, `CERTIFICATE_INVALID` (each a `UsageError`), or with the signal's reason.
 *
 * A server that resets the connection at once, as one does that has too many, may be seen here already
 * (`CONNECTION_RESET`) or by the first call on the socket: whichever asks the kernel first.
 *
 * @example
 * ```ts
 * import { connect, serve } from "zocalo";
 * await using listener = await serve("tcp://127.0.0.1:0", async (peer) => await peer.write("hola\n"));
 * await using call = await connect(listener.localAddress, { timeoutMs: 2_000 });
 * console.log(String(await call.readUntil("\n")));
 * ```
 */
export async function connect(
  address: AddressLike,
  options: ConnectOptions & NetworkOption = {},
): Promise<StreamSocket> {
  return await connectOver(networkOf("connect", options), address, options, CONNECT);
}

/**
 * Opens a listener for connections. Rejects with `ADDRESS_IN_USE`, `ADDRESS_NOT_AVAILABLE`, `PERMISSION_DENIED`,
 * `PATH_NOT_FOUND`, `NAME_NOT_FOUND`, `NAME_LOOKUP_FAILED`, `ADDRESS_INVALID`, `CERTIFICATE_INVALID`, `UNSUPPORTED`,
 * `OPTION_INVALID`, `TIMEOUT`, or with the signal's reason.
 *
 * @example
 * ```ts
 * import { connect, listen } from "zocalo";
 * await using listener = await listen("tcp://127.0.0.1:0");
 * await using call = await connect(listener.localAddress);
 * await using peer = await listener.accept({ timeoutMs: 1_000 });
 * console.log(peer.remoteAddress.equals(call.localAddress)); // true
 * ```
 */
export async function listen(address: AddressLike, options: ListenOptions & NetworkOption = {}): Promise<Listener> {
  return await listenOver(networkOf("listen", options), address, options, LISTEN);
}

/**
 * Runs a server: `handler` is called for each connection. When it returns, the connection is closed gracefully; when it
 * throws, the connection is aborted and `onError` is told. No error of one peer touches another or the process.
 *
 * Rejects as `listen` does.
 *
 * @example
 * ```ts
 * import { connect, serve } from "zocalo";
 * const listener = await serve("tcp://127.0.0.1:0", async (peer) => {
 *   for await (const bytes of peer) await peer.write(bytes);
 * });
 * const call = await connect(listener.localAddress);
 * await call.write("eco");
 * console.log(String(await call.readExactly(3)));
 * await call.close();
 * console.log((await listener.close({ timeoutMs: 1_000 })).cut); // 0
 * ```
 */
export async function serve(
  address: AddressLike,
  handler: PeerHandler,
  options: ServeOptions & NetworkOption & SignalOptions = {},
): Promise<Server> {
  const server = await serveOver(networkOf("serve", options), address, handler, options, SERVE);
  closeOn(server, options);
  return server;
}

/**
 * Opens a datagram socket: a UDP socket that sends and receives whole datagrams. With `{ remote }` it has one peer: only that
 * peer's datagrams arrive, and a peer that is not there is noticed (`CONNECTION_REFUSED` on the next call).
 *
 * Rejects with `ADDRESS_IN_USE`, `ADDRESS_NOT_AVAILABLE`, `PERMISSION_DENIED`, `ADDRESS_INVALID`, `NAME_NOT_FOUND`,
 * `NAME_LOOKUP_FAILED`, `UNSUPPORTED`, `OPTION_INVALID`, `TIMEOUT`, or with the signal's reason.
 *
 * @example
 * ```ts
 * import { bind } from "zocalo";
 * await using box = await bind("udp://127.0.0.1:0");
 * await using friend = await bind("udp://127.0.0.1:0");
 * await friend.send("hola", box.localAddress);
 * const { data, from } = await box.receive({ timeoutMs: 1_000 });
 * console.log(String(data), from.equals(friend.localAddress)); // hola true
 * ```
 */
export async function bind(local: AddressLike, options: BindOptions & NetworkOption = {}): Promise<DatagramSocket> {
  return await bindOver(networkOf("bind", options), local, options, BIND);
}

/**
 * Runs a server that keeps nothing about its clients: `handler` is called for each datagram and may answer. What it throws
 * stays with that datagram and goes to `onError`.
 *
 * Rejects as `bind` does.
 *
 * @example
 * ```ts
 * import { bind, serveDatagrams } from "zocalo";
 * await using server = await serveDatagrams("udp://127.0.0.1:0", ({ data }) => String(data).toUpperCase());
 * await using client = await bind("udp://127.0.0.1:0", { remote: server.localAddress });
 * await client.send("hola");
 * console.log(String((await client.receive({ timeoutMs: 1_000 })).data)); // HOLA
 * ```
 */
export async function serveDatagrams(
  address: AddressLike,
  handler: DatagramHandler,
  options: ServeDatagramsOptions & NetworkOption & SignalOptions = {},
): Promise<DatagramServer> {
  const network = networkOf("serveDatagrams", options);
  const server = await serveDatagramsOver(network, address, handler, options, SERVE_DATAGRAMS);
  closeOn(server, options);
  return server;
}

/**
 * Two ends of one connection in memory, for tests and for joining parts of a program. They behave as sockets do: bounded
 * buffers, half-close, reset, delivery in a later turn of the event loop.
 *
 * @example
 * ```ts
 * import { pair } from "zocalo";
 * const [left, right] = pair();
 * await left.write("hola");
 * console.log(String(await right.read()));
 * ```
 */
export function pair(options: ConnectionOptions & NetworkOption = {}): [StreamSocket, StreamSocket] {
  return pairOver(networkOf("pair", options), options, PAIR);
}

/** Options of {@link sleep}. */
export interface SleepOptions extends NetworkOption {
  /** Ends the sleep; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for a time in milliseconds, on the clock of the network: in a simulated world that is virtual time. `Infinity` waits
 * for the signal. It keeps the process alive.
 *
 * Rejects with the signal's reason, and with `OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { pair, sleep } from "zocalo";
 * const [left, right] = pair();
 * await sleep(10, { signal: left.signal }); // no longer than the connection lasts
 * await Promise.all([left.close(), right.close()]);
 * ```
 */
export async function sleep(durationMs: number, options: SleepOptions = {}): Promise<void> {
  const { clock } = networkOf("sleep", options);
  const { signal } = checkOptions({ op: "sleep" }, options, SLEEP);
  checkOptions({ op: "sleep" }, { durationMs }, { durationMs: { ...FROM_ZERO, required: true } });
  signal?.throwIfAborted();
  await sleepOn(clock, durationMs, signal);
}
