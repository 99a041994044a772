/** The calls of contracts over datagrams, on the kernel's network unless another one is given. */

import type { AddressLike } from "../core/address/address.ts";
import type { OptionRules } from "../core/options/check-options.ts";
import type { StatelessClient, StatelessContract, StatelessMethods, StatelessServer } from "../io/stateless/public.ts";
import {
  type ServeStatelessOptions,
  type ConnectStatelessOptions,
  STATELESS_CLIENT_RULES,
  SERVE_STATELESS_RULES,
} from "../io/stateless/settings.ts";
import { openStatelessClient } from "../io/stateless/connect.ts";
import { serveStatelessOver } from "../io/stateless/serve.ts";
import { NETWORK_RULES, networkOf, type NetworkOption } from "./call-options.ts";
import { closeOn, type SignalOptions, SERVER_RULES } from "./close-on-signals.ts";
import { onErrorOf } from "./untold-errors.ts";

const SERVE: OptionRules = { ...SERVE_STATELESS_RULES, ...SERVER_RULES, onError: onErrorOf("serveStateless") };
const CLIENT: OptionRules = { ...STATELESS_CLIENT_RULES, ...NETWORK_RULES };

/**
 * Serves a contract over datagrams. The server keeps nothing about its clients: handlers get `from`, never a session. What a
 * datagram cannot promise does not compile: only events, and calls with `{ idempotent: true }`. A call may be handled more
 * than once, since its caller asks again until it has the answer; an event may arrive twice, late or never.
 *
 * Handlers run for whoever sends a datagram, also from a forged address and before any proof; no answer is kept, so what is
 * asked again is handled again. Use it for what is cheap, small, and the same when it is done twice.
 *
 * An answer longer than three times its question goes only to a caller that has shown that it receives at its address; the
 * client does that by itself, which costs one more round trip, once a minute or so. Datagrams that make no sense are counted
 * and never answered. Whoever can read or forge the datagrams on the way can read and forge everything: there is no
 * encryption here.
 *
 * Rejects as `bind` does, with `OPTION_INVALID` when a handler is missing, and with `UNSUPPORTED` for a contract that cannot go
 * over datagrams.
 *
 * @example
 * ```ts
 * import { call, contract, event, serveStateless, connectStateless, typeOnly } from "zocalo/protocol";
 * const telemetry = contract("telemetry", "1.0.0", {
 *   server: {
 *     measured: event<{ celsius: number }>(),
 *     highest: call(undefined, typeOnly<number>(), { idempotent: true }),
 *   },
 * });
 * let highest = -Infinity;
 * await using server = await serveStateless(telemetry, "udp://127.0.0.1:0", {
 *   handlers: {
 *     measured({ celsius }, { from }) {
 *       console.log(from.host, celsius); // 127.0.0.1 21.5
 *       highest = Math.max(highest, celsius);
 *     },
 *     highest: () => highest,
 *   },
 * });
 * await using client = await connectStateless(telemetry, server.localAddress);
 * await client.remote.measured({ celsius: 21.5 });
 * console.log(await client.remote.highest(undefined, { timeoutMs: 5_000 })); // 21.5
 * ```
 */
export function serveStateless(
  contract: StatelessContract<Readonly<Record<string, never>>>,
  address: AddressLike,
): Promise<StatelessServer>;
/** With options: they are required as soon as the contract's server offers anything. */
export function serveStateless<Server extends StatelessMethods>(
  contract: StatelessContract<Server>,
  address: AddressLike,
  options: ServeStatelessOptions<Server> & NetworkOption & SignalOptions,
): Promise<StatelessServer>;
export async function serveStateless<Server extends StatelessMethods>(
  contract: StatelessContract<Server>,
  address: AddressLike,
  options = {} as ServeStatelessOptions<Server> & NetworkOption & SignalOptions,
): Promise<StatelessServer> {
  const network = networkOf("serveStateless", options);
  const server = await serveStatelessOver(network, contract, address, options, SERVE);
  closeOn(server, options);
  return server;
}

/**
 * Opens a client of a contract over datagrams: its `remote` has the methods of the server as functions. Nothing is sent yet:
 * there is no connection, and a server that is not there is noticed by nothing but the time-out of a call.
 *
 * A call is sent again with pauses that grow until it is answered or `timeoutMs` is over; then it rejects with `TIMEOUT`, and
 * its `outcome` is `unknown`: the server may have handled it. An event is sent once. A host name is looked up again after
 * `dnsMaxAgeMs`, so that a server may move.
 *
 * Rejects with `ADDRESS_INVALID`, `NAME_NOT_FOUND`, `NAME_LOOKUP_FAILED`, `OPTION_INVALID`, `TIMEOUT`, with the signal's reason, and
 * with `UNSUPPORTED` for a contract that cannot go over datagrams.
 *
 * @example
 * ```ts
 * import { call, contract, serveStateless, connectStateless, typeOnly } from "zocalo/protocol";
 * const clock = contract("clock", "1.0.0", {
 *   server: { now: call(undefined, typeOnly<string>(), { idempotent: true }) },
 * });
 * await using server = await serveStateless(clock, "udp://127.0.0.1:0", { handlers: { now: () => "noon" } });
 * await using client = await connectStateless(clock, server.localAddress);
 * console.log(await client.remote.now()); // noon
 * ```
 */
export async function connectStateless<Server extends StatelessMethods>(
  contract: StatelessContract<Server>,
  address: AddressLike,
  options: ConnectStatelessOptions & NetworkOption = {},
): Promise<StatelessClient<Server>> {
  return await openStatelessClient(networkOf("connectStateless", options), contract, address, options, CLIENT);
}
