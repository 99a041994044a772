/** The one implementation of {@link DatagramServer}: one handler for each datagram, over any network. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import { ConnectionError, type ZocaloError } from "../../core/errors.ts";
import { type MetricFamily, openMetricsText } from "../../core/open-metrics.ts";
import { showAs } from "../../core/show-as.ts";
import { isPeersFault } from "../contract/error-body.ts";
import type { Network } from "../network/network.ts";
import type { Datagram } from "../network/datagrams.ts";
import { checkOptions, HANDLER, type OptionRules } from "../../core/options/check-options.ts";
import { listChange, publish } from "../operation/diagnostics.ts";
import { type NativeInterop, serverInterop } from "../operation/own-clock.ts";
import { GracefulServer } from "../operation/graceful-close.ts";
import { isOrderlyEnd, PeerProblems, reportProblem } from "../operation/peer-problems.ts";
import { toldAs } from "../operation/restated.ts";
import { openDatagramSocket } from "./bind.ts";
import { datagramFamilies } from "./metrics.ts";
import { DatagramContext } from "./request-context.ts";
import { canBeRequest, ReplyBudget, Request, type RequestOwner } from "./request.ts";
import type * as api from "./server.ts";
import { requestSettings, SERVE_DATAGRAMS_RULES } from "./server.ts";
import type { DatagramSocket } from "./public.ts";
import { SERVER_RECEIVE_BUFFER_BYTES } from "./settings.ts";

/** Serves over `network`; see the public `serveDatagrams`, whose own options have more `rules`. */
export async function serveDatagramsOver(
  network: Network,
  address: AddressLike,
  handler: api.DatagramHandler,
  options: api.ServeDatagramsOptions = {},
  rules: OptionRules = SERVE_DATAGRAMS_RULES,
): Promise<api.DatagramServer> {
  const call = { op: "serveDatagrams" };
  checkOptions(call, { handler }, { handler: HANDLER });
  const checked = checkOptions(call, options, rules);
  const settings = requestSettings(checked);
  const socket = await openServerSocket(network, address, checked, call.op);
  return new DatagramServer(network, socket, handler, settings);
}

/** Opens the datagram socket of a server, with options that were checked. */
export async function openServerSocket(
  network: Network,
  address: AddressLike,
  options: api.ServeDatagramsOptions,
  op: string,
): Promise<DatagramSocket> {
  return await openDatagramSocket(network, address, options, SERVER_RECEIVE_BUFFER_BYTES).catch(toldAs(op));
}

/** One socket, and a handler that is called for each of its datagrams. */
export class DatagramServer
  extends GracefulServer<api.DatagramCloseReport>
  implements api.DatagramServer, RequestOwner
{
  readonly socket: DatagramSocket;
  readonly localAddress: Address;
  readonly settings: api.RequestSettings;
  readonly budget: ReplyBudget | undefined;
  readonly #handler: api.DatagramHandler;
  readonly #shared: ConstructorParameters<typeof DatagramContext>[0];
  #active = 0;
  #handled = 0;
  #failed = 0;
  #refused = 0;
  /** Wakes the loop that waits for a free place. */
  #onSettled: (() => void) | undefined;
  readonly #peerProblems: PeerProblems;
  readonly #reported = new WeakSet<object>();

  constructor(network: Network, socket: DatagramSocket, handler: api.DatagramHandler, settings: api.RequestSettings) {
    super(network);
    this.#peerProblems = new PeerProblems(network.clock, (error) => this.#tell(error, undefined));
    this.socket = socket;
    this.localAddress = socket.localAddress;
    this.settings = settings;
    const { replies, maxRepliesPerSource } = settings;
    if (replies === "guarded") this.budget = new ReplyBudget(network.clock, maxRepliesPerSource);
    this.#handler = handler;
    this.#shared = { localAddress: this.localAddress, leaving: this.closing.leaving, closed: socket.signal };
    void socket.closed.then(({ how, error }) => {
      if (how === "failed") this.closing.fail(error as ZocaloError);
      else void this.close({ timeoutMs: 0 });
    });
    void this.#run();
    listChange(this, true);
  }

  get stats(): api.DatagramServerStats {
    return {
      ...this.socket.stats,
      requestsActive: this.#active,
      requestsHandled: this.#handled,
      requestsFailed: this.#failed,
      requestsRefused: this.#refused,
    };
  }

  async metrics(): Promise<string> {
    return openMetricsText(await this.families());
  }

  /** The figures of now. The kernel is not asked once the datagram socket is closed. */
  async families(): Promise<readonly MetricFamily[]> {
    const kernelDrops = await this.socket.udp.kernelDrops().catch(() => undefined);
    return datagramFamilies(this.stats, kernelDrops);
  }

  get interop(): NativeInterop {
    return serverInterop(this.clock, this.socket.interop);
  }
  override abort(reason?: unknown): void {
    super.abort(reason);
    // What waits is counted before; replies that the kernel has not taken by then are dropped.
    this.clock.defer(() => this.socket.abort(reason));
  }

  /** Tells of an error, once, to everybody who wants to know. */
  report(error: unknown, request: api.DatagramRequest | undefined): void {
    // What is cut when the server closes is counted in its report.
    const { leaving } = this.closing;
    if (leaving.aborted && isOrderlyEnd(error, this.#placeOf(request), leaving)) return;
    if (typeof error === "object" && error !== null) {
      if (this.#reported.has(error)) return;
      this.#reported.add(error);
    }
    if (!isPeersFault(error) || this.#peerProblems.admit()) this.#tell(error, request);
  }

  #tell(error: unknown, request: api.DatagramRequest | undefined): void {
    const place = { kind: "datagram", ...this.#placeOf(request) } as const;
    reportProblem(error, place, () => this.settings.onError?.(error, request));
  }
  #placeOf(request: api.DatagramRequest | undefined): { readonly local: string; readonly remote: string | undefined } {
    return { local: this.localAddress.toString(), remote: request?.from.toString() };
  }

  /** Takes datagrams as long as there are free places, until the server closes. */
  async #run(): Promise<void> {
    const { maxConcurrentRequests } = this.settings;
    const signal = this.closing.leaving;
    while (!signal.aborted) {
      try {
        if (this.#active >= maxConcurrentRequests) await this.#oneDone();
        else
          for (const datagram of await this.socket.receiveMany(maxConcurrentRequests - this.#active, { signal }))
            this.#take(datagram);
      } catch (error) {
        if (signal.aborted) return;
        this.report(error, undefined);
        // The datagram socket is gone: nothing will come any more.
        if (error instanceof ConnectionError) return;
      }
    }
  }

  #oneDone(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled = resolve;
    });
  }

  #take(datagram: Datagram): void {
    const { from } = datagram;
    if (this.budget !== undefined && !(canBeRequest(from, this.localAddress) && this.budget.allows(from))) {
      this.#refused += 1;
      publish("refusal", () => {
        const [local, remote] = [this.localAddress.toString(), from.toString()];
        return { kind: "datagram", local, remote, reason: "not-a-request" };
      });
      return;
    }
    this.#active += 1;
    void this.#serve(new Request(this, datagram));
  }

  /** Runs the handler; whatever comes of it stays with this one request. */
  async #serve(request: Request): Promise<void> {
    const context = new DatagramContext(this.#shared);
    try {
      const answer = await this.#handler(request, context);
      if (answer !== undefined) await request.reply(answer);
    } catch (error) {
      this.#failed += 1;
      this.report(error, request);
    }
    context.release();
    this.#active -= 1;
    this.#handled += 1;
    this.#onSettled?.();
    this.closing.look();
  }

  protected override async finish(): Promise<api.DatagramCloseReport> {
    const running = this.#active;
    await this.closing.untilIdle(() => this.#active === 0);
    const cut = this.#active;
    const { datagramsWaiting: dropped } = this.socket.stats;
    await this.socket.close().catch((error: unknown) => this.report(error, undefined));
    this.#peerProblems.close();
    return { finished: running - cut, cut, dropped, durationMs: this.closing.durationMs };
  }
}
showAs(DatagramServer, "DatagramServer", ({ localAddress, stats }) => ({ localAddress, stats }));
