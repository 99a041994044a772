/** The one implementation of {@link StatelessServer}, over any network. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import { checkOptions, type OptionRules } from "../../core/options/check-options.ts";
import { showAs } from "../../core/show-as.ts";
import { checkContract, datagramAddress } from "../contract/handlers.ts";
import type { DatagramSocket } from "../datagram/public.ts";
import { openRequestServer } from "../datagram/serve.ts";
import type { DatagramCloseReport, DatagramServer } from "../datagram/server.ts";
import type { Network } from "../network/network.ts";
import type { GracefulCloseOptions, ServerEnd } from "../operation/graceful-close.ts";
import type { NativeInterop } from "../operation/own-clock.ts";
import { toldAs } from "../operation/restated.ts";
import { StatelessAnswers } from "./answers.ts";
import type * as api from "./public.ts";
import { checkStateless, type StatelessContract, type StatelessMethods, type StatelessServerStats } from "./public.ts";
import { SERVE_STATELESS_RULES, type ServeStatelessOptions } from "./settings.ts";

/** Serves a contract over the datagrams of `network`; see the public `serveStateless`, whose own options have more `rules`. */
export async function serveStatelessOver<Server extends StatelessMethods>(
  network: Network,
  contract: StatelessContract<Server>,
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
  const server = await openRequestServer(network, address, (request, context) => answers.serve(request, context), {
    ...rest,
    replies: "free",
    limits: { ...rest.limits, maxDatagramBytes: answers.maxDatagramBytes },
    ...(onError === undefined ? {} : { onError: (error, request) => onError(error, request?.from) }),
  }).catch(toldAs(op));
  return new StatelessServer(server, answers);
}

class StatelessServer implements api.StatelessServer {
  readonly #server: DatagramServer;
  readonly #answers: StatelessAnswers;

  constructor(server: DatagramServer, answers: StatelessAnswers) {
    this.#server = server;
    this.#answers = answers;
  }

  get localAddress(): Address {
    return this.#server.localAddress;
  }
  get socket(): DatagramSocket {
    return this.#server.socket;
  }
  get stats(): StatelessServerStats {
    return { ...this.#server.stats, ...this.#answers.counts };
  }
  get interop(): NativeInterop {
    return this.#server.interop;
  }
  get draining(): AbortSignal {
    return this.#server.draining;
  }
  get closed(): Promise<ServerEnd> {
    return this.#server.closed;
  }
  close(options?: GracefulCloseOptions): Promise<DatagramCloseReport> {
    return this.#server.close(options);
  }
  abort(reason?: unknown): void {
    this.#server.abort(reason);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
showAs(StatelessServer, "StatelessServer", ({ localAddress, stats }) => ({ localAddress, stats }));
