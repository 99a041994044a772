/** The one implementation of {@link StatelessServer}, over any network. */

import type { AddressLike } from "../../core/address/address.ts";
import { checkOptions, type OptionRules } from "../../core/options/check-options.ts";
import { counter, type MetricFamily } from "../../core/open-metrics.ts";
import { showAs } from "../../core/show-as.ts";
import { serverFamily } from "../contract/call-metrics.ts";
import { checkContract, datagramAddress } from "../contract/handlers.ts";
import type { DatagramSocket } from "../datagram/public.ts";
import { DatagramServer, openServerSocket } from "../datagram/serve.ts";
import { type RequestSettings, requestSettings, type ServeDatagramsOptions } from "../datagram/server.ts";
import type { Network } from "../network/network.ts";
import { StatelessAnswers } from "./answers.ts";
import type * as api from "./public.ts";
import { checkStateless } from "./public.ts";
import { SERVE_STATELESS_RULES, type ServeStatelessOptions } from "./settings.ts";

/** Serves a contract over the datagrams of `network`; see the public `serveStateless`, whose own options have more `rules`. */
export async function serveStatelessOver<Server extends api.StatelessMethods>(
  network: Network,
  contract: api.StatelessContract<Server>,
  address: AddressLike,
  given: ServeStatelessOptions<Server>,
  rules: OptionRules = SERVE_STATELESS_RULES,
): Promise<api.StatelessServer> {
  const op = "serveStateless";
  const options = checkOptions({ op }, given, rules);
  checkContract(op, contract);
  checkStateless(op, contract);
  datagramAddress(op, address, "serveSessions");
  const answers = new StatelessAnswers(network, contract, options);
  const { onError, ...rest } = options;
  const served: ServeDatagramsOptions = {
    ...rest,
    replies: "free",
    limits: { ...rest.limits, maxDatagramBytes: answers.maxDatagramBytes },
    ...(onError === undefined ? {} : { onError: (error, request) => onError(error, request?.from) }),
  };
  const socket = await openServerSocket(network, address, served, op);
  return new StatelessServer(network, socket, answers, requestSettings(served));
}

class StatelessServer extends DatagramServer implements api.StatelessServer {
  readonly #answers: StatelessAnswers;

  constructor(network: Network, socket: DatagramSocket, answers: StatelessAnswers, settings: RequestSettings) {
    super(network, socket, (request, context) => answers.serve(request, context), settings);
    this.#answers = answers;
  }

  override get stats(): api.StatelessServerStats {
    return { ...super.stats, ...this.#answers.counts };
  }

  override async families(): Promise<readonly MetricFamily[]> {
    const { repeated, retries, refused, invalid } = this.#answers.counts;
    return [
      serverFamily(this.#answers.contract),
      ...(await super.families()),
      counter("zocalo_calls_repeated", "Repetitions of calls whose handlers were running", repeated),
      counter("zocalo_address_proofs", "Callers that were asked to prove their address", retries),
      counter("zocalo_other_contracts", "Calls and events of another contract or codec", refused),
      counter("zocalo_invalid_datagrams", "Datagrams that are no request of this protocol", invalid),
      ...(this.#answers.watch.metrics?.families() ?? []),
    ];
  }
}
showAs(StatelessServer, "StatelessServer", ({ localAddress, stats }) => ({ localAddress, stats }));
