/** A simulated door as a {@link ListenerTransport}. */

import { Address } from "../../core/address/address.ts";
import type { RandomStream } from "../../core/faults/random-stream.ts";
import type { ListenerSink, ListenerTransport } from "../../io/network/network.ts";
import type { TcpDoor, TcpStack } from "../kernel/tcp-stack.ts";
import type { Process } from "./process.ts";
import { addressOf, SimStream } from "./stream.ts";

/** A door of a simulated host. */
export class SimListener implements ListenerTransport {
  readonly native = undefined;
  readonly localAddress: Address;
  readonly #process: Process;
  readonly #stack: TcpStack;
  readonly #door: TcpDoor;
  readonly #transport: "tcp" | "tls";
  readonly #cuts: RandomStream | undefined;
  #sink: ListenerSink | undefined;

  constructor(
    process: Process,
    stack: TcpStack,
    door: TcpDoor,
    transport: "tcp" | "tls",
    cuts: RandomStream | undefined,
  ) {
    this.#process = process;
    this.#stack = stack;
    this.#door = door;
    this.#cuts = cuts;
    this.#transport = transport;
    this.localAddress = Address.fromIp(transport, door.local.ip, door.local.port);
  }

  start(sink: ListenerSink): void {
    this.#sink = sink;
    this.#door.ready = () =>
      this.#process.scheduler.at(this.#process.scheduler.nowUs, 0, () => this.#process.run(this.#take));
    if (this.#door.queue.length > 0) this.#door.ready();
  }

  close(): Promise<void> {
    this.#sink = undefined;
    this.#stack.closeDoor(this.#door);
    return new Promise((resolve) => this.#process.clock.defer(resolve));
  }

  setReferenced(): void {}

  readonly #take = (): void => {
    for (let socket = this.#door.queue.shift(); socket !== undefined; socket = this.#door.queue.shift()) {
      this.#sink?.accepted(new SimStream(this.#process, socket, addressOf(socket.remote, this.#transport), this.#cuts));
    }
  };
}
