/** The one implementation of {@link StatelessServer}, over any network. */

import type { AddressLike } from "../../core/address/address.ts";
import { checkOptions, type OptionRules } from "../../core/options/check-options.ts";
import { showAs } from "../../core/show-as.ts";
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
}
showAs(StatelessServer, "StatelessServer", ({ localAddress, stats }) => ({ localAddress, stats }));
