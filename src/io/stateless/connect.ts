/** The one implementation of {@link StatelessClient}, over any network. */

import { type Interop, interopOf } from "../operation/own-clock.ts";
import { Address, type AddressLike } from "../../core/address/address.ts";
import { UsageError, ZocaloError } from "../../core/errors.ts";
import { showAs } from "../../core/show-as.ts";
import { CallWatch } from "../contract/call-watch.ts";
import { checkContract, datagramAddress, remoteObject } from "../contract/handlers.ts";
import type { RemoteCallOptions } from "../contract/metadata.ts";
import { ContractPlan, type OffersPlan } from "../contract/plan.ts";
import { bindOver } from "../datagram/bind.ts";
import { ConnectedDatagramSocket } from "../datagram/connected-socket.ts";
import { DEFAULT_DNS_MAX_AGE_MS } from "../datagram/settings.ts";
import type { DatagramEnd, DatagramSocket } from "../datagram/public.ts";
import type { Network } from "../network/network.ts";
import { checkOptions, type OptionRules } from "../../core/options/check-options.ts";
import type { CloseReport, GracefulCloseOptions } from "../operation/graceful-close.ts";
import { toldAs } from "../operation/restated.ts";
import { StatelessCalls } from "./calls.ts";
import { headOf } from "./format.ts";
import { callSettings, type ConnectStatelessOptions, STATELESS_CLIENT_RULES } from "./settings.ts";
import type * as api from "./public.ts";
import { checkStateless } from "./public.ts";

const OP = "connectStateless";
/** Opens a client over the datagrams of `network`; see the public `connectStateless`, whose own options have more `rules`. */
export async function openStatelessClient<Server extends api.StatelessMethods>(
  network: Network,
  contract: api.StatelessContract<Server>,
  address: AddressLike,
  given: ConnectStatelessOptions,
  rules: OptionRules = STATELESS_CLIENT_RULES,
): Promise<api.StatelessClient<Server>> {
  const options = checkOptions({ op: OP }, given, rules);
  checkContract(OP, contract);
  checkStateless(OP, contract);
  const remote = datagramAddress(OP, address, "connectSession");
  if (remote.isMulticast || remote.isBroadcast) {
    const detail = "a client has one server, not a group or a broadcast address; to reach many, use bind() and send()";
    throw new UsageError("ADDRESS_INVALID", { op: OP, remote: remote.toString(), detail });
  }
  const { codec = "msgpack", validate = "receive" } = options;
  const offers = new ContractPlan(contract, "client", validate).of(codec).peer;
  const socket = await openPeer(network, remote, options);
  const calls = new StatelessCalls(network, socket, {
    ...callSettings(options),
    contract,
    head: headOf(contract, codec),
  });
  const watch = new CallWatch(contract, options.around, undefined);
  return new Client(socket, calls, offers, watch) as unknown as api.StatelessClient<Server>;
}

async function openPeer(
  network: Network,
  remote: Address,
  options: ConnectStatelessOptions,
): Promise<ConnectedDatagramSocket> {
  const { localAddress, dnsMaxAgeMs = DEFAULT_DNS_MAX_AGE_MS } = options;
  // Two datagram sockets cannot have one port at the same time.
  const fixed = localAddress !== undefined && Address.parse(localAddress, { transport: "udp", op: OP }).port !== 0;
  return new ConnectedDatagramSocket(network, await openDatagramSocket(network, remote, options), {
    host: remote.family === "name" && !fixed ? remote.host : undefined,
    maxAgeMs: dnsMaxAgeMs,
    open: () => openDatagramSocket(network, remote, { localAddress }),
  });
}

/** A name is looked up in IPv4 first, as servers do, so that both sides of `localhost` meet. */
async function openDatagramSocket(
  network: Network,
  remote: Address,
  options: ConnectStatelessOptions,
): Promise<DatagramSocket> {
  const { signal, timeoutMs, localAddress } = options;
  const open = (local: AddressLike): Promise<DatagramSocket> =>
    bindOver(network, local, { remote, signal, timeoutMs }).catch(toldAs(OP));
  if (localAddress !== undefined) return await open(localAddress);
  if (remote.family === 6) return await open("udp://[::]:0");
  try {
    return await open("udp://0.0.0.0:0");
  } catch (error) {
    const elsewhere = remote.family === "name" && error instanceof ZocaloError && error.code === "NAME_NOT_FOUND";
    if (!elsewhere) throw error;
    return await open("udp://[::]:0");
  }
}

/** A client of any contract. */
class Client implements api.StatelessClientBase {
  readonly remote: object;
  readonly #socket: ConnectedDatagramSocket;
  readonly #calls: StatelessCalls;

  constructor(socket: ConnectedDatagramSocket, calls: StatelessCalls, { methods }: OffersPlan, watch: CallWatch) {
    this.#socket = socket;
    this.#calls = calls;
    this.remote = remoteObject(methods, (plan) => {
      const send = (input: unknown, options?: RemoteCallOptions): unknown =>
        plan.kind === "event" ? calls.event(plan, input, options) : calls.call(plan, input, options);
      return watch.asking(plan, send, () => calls.asked);
    });
  }

  get localAddress(): Address {
    return this.#socket.localAddress;
  }
  get remoteAddress(): Address {
    return this.#socket.remoteAddress;
  }
  get stats(): api.StatelessClientStats {
    return this.#calls.stats;
  }
  get closed(): Promise<DatagramEnd> {
    return this.#socket.closed;
  }
  get signal(): AbortSignal {
    return this.#socket.signal;
  }
  close(options?: GracefulCloseOptions): Promise<CloseReport> {
    return this.#calls.close(options);
  }
  abort(reason?: unknown): void {
    this.#calls.abort(reason);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
  get interop(): Interop {
    return interopOf((referenced) => this.#calls.refer(referenced));
  }
}
showAs(Client, "StatelessClient", ({ localAddress, remoteAddress, stats }) => {
  return { localAddress, remoteAddress, stats };
});
