/** A raw datagram socket that does only what the test says, so that every moment of a send or a delivery can be looked at. */

import { Address } from "../../core/address/address.ts";
import type { Clock, Network, Sockets } from "../../io/network/network.ts";
import type {
  Datagram,
  DatagramSink,
  DatagramTransport,
  GroupMembership,
  OutgoingDatagram,
  SendFailure,
} from "../../io/network/datagrams.ts";

type Done = (failures?: readonly SendFailure[]) => void;

/** What a {@link ManualDatagrams} may be told. */
export interface ManualDatagramsOptions {
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  readonly canPause?: boolean | undefined;
}

/** A {@link DatagramTransport} that is driven by hand. */
export class ManualDatagrams implements DatagramTransport {
  readonly localAddress: Address;
  readonly remoteAddress: Address | undefined;
  readonly native: unknown = undefined;
  readonly canPause: boolean;
  paused = false;
  closed = false;
  /** Calls other than `send`, in order, as text. */
  readonly calls: string[] = [];
  /** Batches that were handed over, in order. */
  readonly batches: (readonly OutgoingDatagram[])[] = [];
  /** Answers each batch at once instead of waiting for `decide`. */
  immediate = false;
  readonly #undecided: Done[] = [];
  #sink: DatagramSink | undefined;

  constructor(options: ManualDatagramsOptions = {}) {
    this.localAddress = Address.parse(options.local ?? "udp://127.0.0.1:1000");
    this.remoteAddress = options.remote === undefined ? undefined : Address.parse(options.remote);
    this.canPause = options.canPause ?? true;
  }

  /** The payloads of all batches, as texts. */
  get sent(): string[] {
    return this.batches.flat().map(({ data }) => Buffer.from(data).toString());
  }

  /** Delivers one batch of texts from `from`. */
  deliver(payloads: readonly string[], from = "udp://127.0.0.1:2000"): void {
    const sender = Address.parse(from);
    const batch: Datagram[] = payloads.map((text) => ({ data: Buffer.from(text), from: sender }));
    this.#sink?.received(batch);
  }

  /** Decides on the oldest batch that waits. */
  decide(failures?: readonly SendFailure[]): void {
    const done = this.#undecided.shift();
    if (done === undefined) throw new Error("no batch waits");
    done(failures);
  }

  /** Reports an error. */
  fail(error: unknown, fatal = false): void {
    this.#sink?.failed(error, fatal);
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  send(batch: readonly OutgoingDatagram[], done: Done): void {
    this.batches.push(batch);
    if (this.immediate) done();
    else this.#undecided.push(done);
  }
  join(membership: GroupMembership): void {
    this.calls.push(`join ${JSON.stringify(membership)}`);
  }
  leave(membership: GroupMembership): void {
    this.calls.push(`leave ${JSON.stringify(membership)}`);
  }
  setBroadcast(on: boolean): void {
    this.calls.push(`setBroadcast ${on}`);
  }
  setTtl(hops: number): void {
    this.calls.push(`setTtl ${hops}`);
  }
  setMulticastTtl(hops: number): void {
    this.calls.push(`setMulticastTtl ${hops}`);
  }
  setMulticastLoopback(on: boolean): void {
    this.calls.push(`setMulticastLoopback ${on}`);
  }
  setMulticastInterface(name: string): void {
    this.calls.push(`setMulticastInterface ${name}`);
  }
  bufferSizes(): { readonly receiveBytes: number; readonly sendBytes: number } {
    return { receiveBytes: 1, sendBytes: 2 };
  }
  setReferenced(on: boolean): void {
    this.calls.push(on ? "ref" : "unref");
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** A network whose `bind` gives these transports, one after the other, and that resolves names as told. */
export function manualNetwork(
  clock: Clock,
  transports: readonly DatagramTransport[],
  resolve: Sockets["resolve"] = () => Promise.resolve(["127.0.0.1"]),
): Network {
  const left = [...transports];
  const absent = (): Promise<never> => Promise.reject(new Error("not here"));
  const bind: Sockets["bind"] = () => {
    const transport = left.shift();
    return transport === undefined ? absent() : Promise.resolve(transport);
  };
  return {
    clock,
    random: { next: () => 0.5, bytes: (count) => new Uint8Array(count) },
    sockets: { resolve, connect: absent, listen: absent, bind, checkTls: () => undefined },
  };
}
