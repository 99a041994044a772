/** The one implementation of {@link DatagramServer}: one handler for each datagram, over any network. */

import type { Address, AddressLike } from "../../core/address/address.ts";
import { ConnectionError, UsageError, ZocaloError } from "../../core/errors.ts";
import { showAs } from "../../core/show-as.ts";
import { isPeersFault } from "../contract/error-body.ts";
import type { Datagram, Network } from "../network/network.ts";
import {
  checkOptions,
  countFrom,
  FUNCTION,
  oneOf,
  OPERATION_RULES,
  type OptionRules,
  options as object,
  type RulesOf,
} from "../../core/options/check-options.ts";
import type { OperationOptions } from "../operation/deadline.ts";
import { publish } from "../operation/diagnostics.ts";
import { type NativeInterop, OwnClock, serverInterop } from "../operation/own-clock.ts";
import { type OnError, PeerProblems, reportProblem } from "../operation/peer-problems.ts";
import { restated } from "../operation/restated.ts";
import { BIND_RULES, openDatagramSocket } from "./bind.ts";
import { DATAGRAM_LIMIT_RULES } from "./settings.ts";
import { canBeRequest, ReplyBudget } from "./reply-guard.ts";
import { Request, type RequestHost } from "./request.ts";
import type * as api from "./server.ts";
import type {
  DatagramContext,
  DatagramDrainReport,
  DatagramHandler,
  DatagramServerLimits,
  DatagramRequest,
  DatagramServerStats,
  ServeDatagramsOptions,
} from "./server.ts";
import type { DatagramSocket } from "./public.ts";

const { remote: _remote, ...DATAGRAM_RULES } = BIND_RULES;
/** What {@link DatagramServerLimits} must look like. */
export const DATAGRAM_SERVER_LIMIT_RULES: RulesOf<DatagramServerLimits> = {
  ...DATAGRAM_LIMIT_RULES,
  maxConcurrentRequests: countFrom(1),
  maxRepliesPerSource: countFrom(1),
};
/** What {@link ServeDatagramsOptions} must look like. A server has many peers. */
export const SERVE_DATAGRAMS_RULES: RulesOf<ServeDatagramsOptions> = {
  ...DATAGRAM_RULES,
  limits: object(DATAGRAM_SERVER_LIMIT_RULES),
  replies: oneOf("free", "guarded"),
  onError: FUNCTION,
};
const DEFAULT_CONCURRENT = 1024;
const DEFAULT_DRAIN_MS = 5000;
const DEFAULT_REPLIES_PER_SOURCE = 1000;

/** Serves over `network`; see the public `serveDatagrams`, whose own options have more `rules`. */
export async function serveDatagramsOver(
  network: Network,
  address: AddressLike,
  handler: DatagramHandler,
  options: ServeDatagramsOptions = {},
  rules: OptionRules = SERVE_DATAGRAMS_RULES,
): Promise<api.DatagramServer> {
  if (typeof handler !== "function") {
    const detail = "handler must be a function that takes a datagram";
    throw new UsageError("OPTION_INVALID", { op: "serveDatagrams", detail });
  }
  return await openRequestServer(network, address, handler, checkOptions({ op: "serveDatagrams" }, options, rules));
}

/** Serves with options that were checked. */
export async function openRequestServer(
  network: Network,
  address: AddressLike,
  handler: DatagramHandler,
  options: ServeDatagramsOptions,
): Promise<api.DatagramServer> {
  const { limits, replies = "free" } = options;
  if (limits?.maxRepliesPerSource !== undefined && replies !== "guarded") {
    const detail = 'limits.maxRepliesPerSource has a meaning only with replies: "guarded"';
    throw new UsageError("OPTION_INVALID", { op: "serveDatagrams", detail });
  }
  const socket = await openDatagramSocket(network, address, options).catch((error: unknown) => {
    if (!(error instanceof ZocaloError)) throw error;
    throw restated(error, { op: "serveDatagrams", local: error.local, remote: error.remote }, error.outcome);
  });
  return new DatagramServer(network, socket, handler, {
    onError: options.onError,
    replies,
    maxConcurrentRequests: limits?.maxConcurrentRequests ?? DEFAULT_CONCURRENT,
    maxDatagramBytes: limits?.maxDatagramBytes ?? Number.POSITIVE_INFINITY,
    maxRepliesPerSource: limits?.maxRepliesPerSource ?? DEFAULT_REPLIES_PER_SOURCE,
  });
}

/** The options with every default in place. */
interface Settings {
  readonly onError: OnError<DatagramRequest> | undefined;
  readonly replies: "free" | "guarded";
  readonly maxConcurrentRequests: number;
  readonly maxDatagramBytes: number;
  readonly maxRepliesPerSource: number;
}

class DatagramServer implements api.DatagramServer, RequestHost {
  readonly socket: DatagramSocket;
  readonly localAddress: Address;
  readonly closed: Promise<void>;
  readonly settings: Settings;
  readonly budget: ReplyBudget | undefined;
  readonly #clock: OwnClock;
  readonly #handler: DatagramHandler;
  readonly #draining: AbortController = new AbortController();
  readonly #context: DatagramContext;
  #active = 0;
  #handled = 0;
  #failed = 0;
  #refused = 0;
  /** Wakes the loop that waits for a free place, or the drain that waits for the last handler. */
  #onSettled: (() => void) | undefined;
  #drained: Promise<DatagramDrainReport> | undefined;
  readonly #peerProblems: PeerProblems;
  /** The time to drain is over. */
  #late = false;
  readonly #reported: WeakSet<object> = new WeakSet();

  constructor(network: Network, socket: DatagramSocket, handler: DatagramHandler, settings: Settings) {
    this.#clock = new OwnClock(network.clock);
    this.#peerProblems = new PeerProblems(network.clock, (error) => this.#tell(error, undefined));
    this.socket = socket;
    this.localAddress = socket.localAddress;
    this.settings = settings;
    const { replies, maxRepliesPerSource } = settings;
    if (replies === "guarded") this.budget = new ReplyBudget(network.clock, maxRepliesPerSource);
    this.#handler = handler;
    this.#context = {
      localAddress: this.localAddress,
      draining: this.#draining.signal,
      signal: socket.signal,
    };
    this.closed = socket.closed.then(() => undefined);
    void this.#run();
  }

  get stats(): DatagramServerStats {
    return {
      ...this.socket.stats,
      requestsActive: this.#active,
      requestsHandled: this.#handled,
      requestsFailed: this.#failed,
      requestsRefused: this.#refused,
    };
  }

  get interop(): NativeInterop {
    return serverInterop(this.#clock, this.socket.interop);
  }

  drain(options: OperationOptions = {}): Promise<DatagramDrainReport> {
    try {
      const context = { op: "drain", local: this.localAddress.toString() };
      const checked = checkOptions(context, options, OPERATION_RULES);
      this.#drained ??= this.#drain(checked);
      return this.#drained;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async close(): Promise<void> {
    const draining = this.drain({ timeoutMs: 0 });
    // If a drain was under way, it is cut short.
    await this.socket.close();
    this.#onSettled?.();
    await draining;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /** Tells of an error, once, to everybody who wants to know. */
  report(error: unknown, request: DatagramRequest | undefined): void {
    if (typeof error === "object" && error !== null) {
      if (this.#reported.has(error)) return;
      this.#reported.add(error);
    }
    if (!isPeersFault(error) || this.#peerProblems.admit()) this.#tell(error, request);
  }

  #tell(error: unknown, request: DatagramRequest | undefined): void {
    const local = this.localAddress.toString();
    const remote = request?.from.toString();
    reportProblem(error, { kind: "datagram", local, remote }, () => this.settings.onError?.(error, request));
  }

  /** Takes datagrams as long as there are free places, until the server drains. */
  async #run(): Promise<void> {
    const { maxConcurrentRequests } = this.settings;
    const { signal } = this.#draining;
    while (!signal.aborted) {
      try {
        if (this.#active >= maxConcurrentRequests) await this.#settled();
        else
          for (const datagram of await this.socket.receiveMany(maxConcurrentRequests - this.#active, { signal }))
            this.#take(datagram);
      } catch (error) {
        if (signal.aborted) return;
        this.report(error, undefined);
        if (error instanceof ConnectionError) {
          // The datagram socket is gone: nothing will come any more.
          await this.drain({ timeoutMs: 0 });
          return;
        }
      }
    }
  }

  #settled(): Promise<void> {
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
    try {
      const answer = await this.#handler(request, this.#context);
      if (answer !== undefined) await request.reply(answer);
    } catch (error) {
      this.#failed += 1;
      this.report(error, request);
    }
    this.#active -= 1;
    this.#handled += 1;
    this.#onSettled?.();
  }

  async #drain(options: OperationOptions): Promise<DatagramDrainReport> {
    const clock = this.#clock;
    const startedAt = clock.now();
    const running = this.#active;
    this.#draining.abort(new ConnectionError("CLOSED", { op: "drain", local: this.localAddress.toString() }));
    await this.#untilIdle(options);
    const cut = this.#active;
    const { datagramsWaiting } = this.socket.stats;
    await this.socket.close().catch((error: unknown) => this.report(error, undefined));
    this.#peerProblems.close();
    return { finished: running - cut, cut, dropped: datagramsWaiting, durationMs: clock.now() - startedAt };
  }

  /** Waits for the last handler, the end of the time, the signal, or `close`. */
  async #untilIdle(options: OperationOptions): Promise<void> {
    const { timeoutMs = DEFAULT_DRAIN_MS, signal } = options;
    this.#late = timeoutMs === 0 || signal?.aborted === true;
    const stop = (): void => {
      this.#late = true;
      this.#onSettled?.();
    };
    const timer = this.#clock.setTimer(stop, timeoutMs);
    signal?.addEventListener("abort", stop, { once: true });
    while (this.#active > 0 && !this.#late && !this.socket.signal.aborted) await this.#settled();
    timer.cancel();
    signal?.removeEventListener("abort", stop);
  }
}
showAs(DatagramServer, "DatagramServer", ({ localAddress, stats }) => ({ localAddress, stats }));
