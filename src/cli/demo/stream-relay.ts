/**
 * The bad network between the two telephones of the demo. It cuts, merges and stalls. It removes nothing: a relay that took
 * bytes out of a TCP stream would not be a bad network but a broken one, since TCP repeats what a network loses.
 */

import { setTimeout as delay } from "node:timers/promises";
import {
  type Address,
  bind,
  connect,
  type DatagramSocket,
  EndOfStreamError,
  serve,
  type Server,
  type StreamSocket,
} from "../../index.ts";
import { RandomStream } from "../../core/faults/random-stream.ts";
import { type DatagramFaultReport, DatagramFaults } from "./datagram-faults.ts";

/** How often, in one hundred pieces. */
const CUT_PER_CENT = 60;
const STALL_PER_CENT = 4;
/** Sizes of a piece that cuts a message, and of one that merges many, in bytes. */
const CUT_BYTES: readonly [number, number] = [1, 7];
const MERGE_BYTES: readonly [number, number] = [20, 400];
const STALL_MS: readonly [number, number] = [2, 15];

const LF = 0x0a;

/** What was done so far. */
export interface StreamFaultReport {
  /** Pieces in which the bytes were sent on. */
  readonly pieces: number;
  /** Pieces that ended in the middle of a message. */
  readonly cuts: number;
  /** Pieces that held more than one message. */
  readonly merges: number;
  readonly stalls: number;
}

/** A relay that runs. */
export interface StreamRelay {
  readonly address: Address;
  report(): StreamFaultReport;
  close(): Promise<void>;
}

/** Opens a relay to `target` on a free port. The way there has faults, the way back has none. */
export async function openStreamRelay(target: Address, seed: number): Promise<StreamRelay> {
  const random = new RandomStream(seed, "stream");
  const done = { pieces: 0, cuts: 0, merges: 0, stalls: 0 };
  const server: Server = await serve("tcp://127.0.0.1:0", async (caller) => {
    const called = await connect(target);
    const back = carryBack(called, caller);
    for (let piece = await nextPiece(caller, random); piece !== undefined; piece = await nextPiece(caller, random)) {
      if (random.below(100) < STALL_PER_CENT) {
        done.stalls += 1;
        await delay(between(random, STALL_MS));
      }
      await called.write(piece);
      done.pieces += 1;
      if (piece.at(-1) !== LF) done.cuts += 1;
      if (piece.indexOf(LF) < piece.lastIndexOf(LF)) done.merges += 1;
    }
    await called.end();
    await back;
    await called.close();
  });
  return {
    address: server.localAddress,
    report: () => ({ ...done }),
    close: () => server.close({ timeoutMs: 0 }).then(() => undefined),
  };
}

/** The next bytes, in a size that was drawn; undefined at the end. */
async function nextPiece(caller: StreamSocket, random: RandomStream): Promise<Buffer | undefined> {
  const sizes = random.below(100) < CUT_PER_CENT ? CUT_BYTES : MERGE_BYTES;
  try {
    return await caller.readExactly(between(random, sizes));
  } catch (error) {
    if (!(error instanceof EndOfStreamError)) throw error;
    return error.partial.length === 0 ? undefined : Buffer.from(error.partial);
  }
}

function between(random: RandomStream, [least, most]: readonly [number, number]): number {
  return least + random.below(most - least + 1);
}

async function carryBack(called: StreamSocket, caller: StreamSocket): Promise<void> {
  for await (const bytes of called) await caller.write(bytes);
  await caller.end();
}

/** Passes datagrams on to `target`, with faults. */
export class DatagramRelay {
  readonly #box: DatagramSocket;
  readonly #target: Address;
  readonly #faults: DatagramFaults;
  readonly #running: Promise<void>;
  #wake: (() => void) | undefined;

  private constructor(box: DatagramSocket, target: Address, seed: number) {
    this.#box = box;
    this.#target = target;
    this.#faults = new DatagramFaults(seed);
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** Opens a relay on a free port. */
  static async open(target: Address, seed: number): Promise<DatagramRelay> {
    return new DatagramRelay(await bind("udp://127.0.0.1:0"), target, seed);
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
