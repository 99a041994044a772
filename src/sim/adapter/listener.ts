/** A simulated listener as a {@link ListenerTransport}. */

import { Address } from "../../core/address/address.ts";
import type { RandomStream } from "../../core/faults/random-stream.ts";
import type { ListenerSink, ListenerTransport } from "../../io/network/network.ts";
import type { TcpListener, TcpStack } from "../kernel/tcp-stack.ts";
import type { Process } from "./process.ts";
import { addressOf, SimStream } from "./stream.ts";

/** A listener of a simulated host. */
export class SimListener implements ListenerTransport {
  readonly native = undefined;
  readonly localAddress: Address;
  readonly #process: Process;
  readonly #stack: TcpStack;
  readonly #listener: TcpListener;
  readonly #transport: "tcp" | "tls";
  readonly #cuts: RandomStream | undefined;
  #sink: ListenerSink | undefined;

  constructor(
    process: Process,
    stack: TcpStack,
    listener: TcpListener,
    transport: "tcp" | "tls",
    cuts: RandomStream | undefined,
  ) {
    this.#process = process;
    this.#stack = stack;
    this.#listener = listener;
    this.#cuts = cuts;
    this.#transport = transport;
    this.localAddress = Address.fromIp(transport, listener.local.ip, listener.local.port);
  }

  start(sink: ListenerSink): void {
    this.#sink = sink;
    this.#listener.ready = () =>
      this.#process.scheduler.at(this.#process.scheduler.nowUs, 0, () => this.#process.run(this.#take));
    if (this.#listener.queue.length > 0) this.#listener.ready();
  }

  close(): Promise<void> {
    this.#sink = undefined;
    this.#stack.closeListener(this.#listener);
    return new Promise((resolve) => this.#process.clock.defer(resolve));
  }

  setReferenced(): void {}

  readonly #take = (): void => {
    for (let socket = this.#listener.queue.shift(); socket !== undefined; socket = this.#listener.queue.shift()) {
      this.#sink?.accepted(new SimStream(this.#process, socket, addressOf(socket.remote, this.#transport), this.#cuts));
    }
  };
}
