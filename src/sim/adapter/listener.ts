/** A simulated listener as a {@link ListenerTransport}. */

import { Address } from "../../core/address/address.ts";
import type { ListenerSink, ListenerTransport } from "../../io/network/network.ts";
import type { TcpListener } from "../kernel/tcp-stack.ts";
import type { KernelDriver } from "./kernel-driver.ts";
import { addressOf, SimStream } from "./stream.ts";

/** A listener of a simulated host. */
export class SimListener implements ListenerTransport {
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
    this.localAddress = Address.fromIp(transport, listener.local.ip, listener.local.port);
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
