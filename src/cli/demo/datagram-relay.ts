/** The bad network between the two mailboxes of the demo. */

import { type Address, bind, type DatagramSocket } from "../../index.ts";
import { DatagramFaults, type DatagramFaultReport } from "./datagram-faults.ts";
import type { SeededRandom } from "./random.ts";

/** Passes datagrams on to `target`, with faults. */
export class DatagramRelay {
  readonly #box: DatagramSocket;
  readonly #target: Address;
  readonly #faults: DatagramFaults;
  readonly #running: Promise<void>;
  #wake: (() => void) | undefined;

  private constructor(box: DatagramSocket, target: Address, random: SeededRandom) {
    this.#box = box;
    this.#target = target;
    this.#faults = new DatagramFaults(random);
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** Opens a relay on a free port. */
  static async open(target: Address, random: SeededRandom): Promise<DatagramRelay> {
    return new DatagramRelay(await bind("udp://127.0.0.1:0"), target, random);
  }

  get address(): Address {
    return this.#box.localAddress;
  }

  /** What was done so far. */
  report(): DatagramFaultReport {
    return this.#faults.report();
  }

  /** Waits until so many datagrams were taken, at most `timeoutMs`: this machine may lose one as well. */
  async hasTaken(count: number, timeoutMs: number): Promise<void> {
    if (this.report().taken >= count) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        if (this.report().taken >= count) resolve();
      };
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  /** Sends on what is still held back. */
  async flush(): Promise<void> {
    await this.#forward(this.#faults.flush());
  }

  /** Ends the relay. Rejects when it broke before. */
  async close(): Promise<void> {
    await this.#box.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    for await (const batch of this.#box.batches()) {
      // The bytes of a batch are only lent; what is held back outlives it.
      await this.#forward(batch.flatMap(({ data }) => this.#faults.take(Buffer.from(data))));
      this.#wake?.();
    }
  }

  async #forward(out: readonly Buffer[]): Promise<void> {
    await this.#box.sendMany(out.map((data) => ({ data, to: this.#target })));
  }
}
