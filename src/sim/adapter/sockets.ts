/** The socket calls of one life of a simulated host. */

import type { Address } from "../../core/address/address.ts";
import { type ErrorCode, UsageError, ZocaloError } from "../../core/errors.ts";
import type { OperationContext } from "../../io/operation/deadline.ts";
import type {
  ListenerSink,
  ListenerTransport,
  Sockets,
  StreamTransport,
  TransportConnectOptions,
  TransportListenOptions,
} from "../../io/network/network.ts";
import type { DatagramTransport, TransportBindOptions } from "../../io/network/datagrams.ts";
import { isIpv6 } from "../kernel/packet.ts";
import type { TcpListener } from "../kernel/tcp-stack.ts";
import type { KernelDriver } from "./kernel-driver.ts";
import { SimDatagramSocket } from "./datagrams.ts";
import { SimStream } from "./stream.ts";
import { addressOf, failureError, placeOf, refusalError } from "./translation.ts";

/** What Linux gives a datagram socket that asks for nothing. */
const DEFAULT_BUFFER_BYTES = 212_992;
/** What Linux gives at most, as long as nobody raises net.core.rmem_max: twice that (socket(7)). */
const MOST_BUFFER_BYTES = 425_984;
/** How long the name service takes. */
const LOOKUP_MS = 1;

/** The name service of the world: all addresses of a name, or why there are none. */
type Resolve = (name: string) => readonly string[] | ErrorCode;

/** Never settles: what a call of a life that has ended gets. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** The socket calls of one life of a host. */
export class SimSockets implements Sockets {
  readonly #kernel: KernelDriver;
  readonly #resolve: Resolve;

  constructor(kernel: KernelDriver, resolve: Resolve) {
    this.#kernel = kernel;
    this.#resolve = resolve;
  }

  resolve(host: string, family: 4 | 6): Promise<readonly string[]> {
    const { process } = this.#kernel;
    if (process.isZombie()) return never();
    return new Promise((resolve, reject) => {
      process.clock.setTimer(() => {
        const found = this.#resolve(host);
        const fitting = typeof found === "string" ? [] : found.filter((ip) => isIpv6(ip) === (family === 6));
        const code = typeof found === "string" ? found : "NAME_NOT_FOUND";
        if (fitting.length > 0) resolve(fitting);
        else reject(new ZocaloError(code, { op: "resolve", remote: host }));
      }, LOOKUP_MS);
    });
  }

  connect(target: Address, options: TransportConnectOptions): Promise<StreamTransport> {
    const kernel = this.#kernel;
    if (kernel.process.isZombie()) return never();
    const { signal, localAddress } = options;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const context = { op: "connect", local: localAddress?.toString(), remote: target.toString() };
    return new Promise((resolve, reject) => {
      const from = localAddress === undefined ? undefined : placeOf(localAddress, context);
      const place = placeOf(target, context);
      const socket = this.#try(context, () => kernel.connect(from, place));
      const stream = new SimStream(kernel, socket, target);
      const aborted = (): void => {
        stream.destroy();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", aborted, { once: true });
      stream.whenOpen((failure) => {
        signal?.removeEventListener("abort", aborted);
        if (failure === undefined) resolve(stream);
        else reject(failureError(failure, context));
      });
    });
  }

  /** Nothing of them is read here. */
  checkTls(): void {}

  listen(local: Address, options: TransportListenOptions): Promise<ListenerTransport> {
    const kernel = this.#kernel;
    if (kernel.process.isZombie()) return never();
    const context = { op: "listen", local: local.toString() };
    return new Promise((resolve) => {
      if (options.fd !== undefined) {
        throw new UsageError("UNSUPPORTED", { ...context, detail: "a simulated host has no file descriptors" });
      }
      const { ipv6Only, reusePort, backlog } = options;
      const standing = { local: placeOf(local, context), dual: !ipv6Only, shared: reusePort };
      const listener = this.#try(context, () => kernel.tcp.listen(standing, backlog));
      resolve(new SimListener(kernel, listener, local.transport === "tls" ? "tls" : "tcp"));
    });
  }

  bind(local: Address, options: TransportBindOptions): Promise<DatagramTransport> {
    const kernel = this.#kernel;
    if (kernel.process.isZombie()) return never();
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason);
    const context = { op: "bind", local: local.toString(), remote: options.remote?.toString() };
    return new Promise((resolve) => {
      const { remote, ipv6Only, reusePort, reuseAddress } = options;
      const { wantedReceiveBufferBytes: wanted = DEFAULT_BUFFER_BYTES, sendBufferBytes = DEFAULT_BUFFER_BYTES } =
        options;
      const receiveBufferBytes = Math.min(options.receiveBufferBytes ?? wanted, MOST_BUFFER_BYTES);
      const standing = { local: placeOf(local, context), dual: !ipv6Only, shared: reusePort || reuseAddress };
      const peer = remote === undefined ? undefined : placeOf(remote, context);
      const socket = this.#try(context, () => kernel.udp.bind(standing, peer, receiveBufferBytes));
      resolve(new SimDatagramSocket(kernel, socket, sendBufferBytes));
    });
  }

  #try<T>(context: OperationContext, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw refusalError(error, context);
    }
  }
}

/** A simulated listener as a {@link ListenerTransport}. */
class SimListener implements ListenerTransport {
  readonly native = undefined;
  readonly localAddress: Address;
  readonly #kernel: KernelDriver;
  readonly #listener: TcpListener;
  readonly #transport: "tcp" | "tls";
  #sink: ListenerSink | undefined;

  constructor(kernel: KernelDriver, listener: TcpListener, transport: "tcp" | "tls") {
    this.#kernel = kernel;
    this.#listener = listener;
    this.#transport = transport;
    this.localAddress = addressOf(listener.local, transport);
  }

  start(sink: ListenerSink): void {
    this.#sink = sink;
    const take = (): void => this.#kernel.process.wake(0, this.#take);
    this.#kernel.users.set(this.#listener, take);
    if (this.#listener.queue.length > 0) take();
  }

  close(): Promise<void> {
    this.#sink = undefined;
    this.#kernel.closeListener(this.#listener);
    return new Promise((resolve) => this.#kernel.process.clock.defer(resolve));
  }

  setReferenced(): void {}

  readonly #take = (): void => {
    for (let socket = this.#listener.queue.shift(); socket !== undefined; socket = this.#listener.queue.shift()) {
      const remote = addressOf(socket.route.to, this.#transport);
      this.#sink?.accepted(new SimStream(this.#kernel, socket, remote));
    }
  };
}
