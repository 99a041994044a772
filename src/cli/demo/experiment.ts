/** The two experiments of the demo: a line in capitals, and a long series through bad networks. */

import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "../../index.ts";
import { type FaultProxy, type ProxyDefinition, startProxy } from "../../proxy.ts";
import { RoleProcess } from "./process.ts";
import type { Answer, Question, Series, ServerAddresses } from "./roles.ts";
import type { TallyReport } from "./tally.ts";

/** Datagrams that may be under way at a time. More than the system's buffer holds would be lost without the proxy's doing. */
const BURST = 64;
/** What this machine loses by itself is not waited for longer. */
const PATIENCE_MS = 500;

/** On the way to the server; the way back has none. Both networks lose equally much. */
const WAY = { from: "client", to: "server" } as const;
const LOSS = { kind: "loss", ...WAY, chance: 0.05 } as const;
const STREAM_FAULTS: ProxyDefinition["faults"] = [
  LOSS,
  // Pieces that cut messages, and pieces that merge many.
  { kind: "slicing", ...WAY, averageBytes: 60, variationBytes: 59 },
];
const DATAGRAM_FAULTS: ProxyDefinition["faults"] = [
  LOSS,
  { kind: "duplication", ...WAY, chance: 0.01 },
  { kind: "reordering", ...WAY, chance: 0.02, delayMs: 3 },
];

/** How often each fault has acted. */
export type FaultSums = Readonly<Record<string, number>>;

/** The answers to one line. */
export interface LineResult {
  readonly tcp: Answer;
  readonly udp: Answer;
}

/** What became of the series. */
export interface SeriesResult {
  readonly tcp: { readonly tally: TallyReport; readonly faults: FaultSums };
  readonly udp: { readonly tally: TallyReport; readonly faults: FaultSums };
}

/** The processes that take part. */
export class Experiment {
  readonly server: RoleProcess = new RoleProcess("server");
  readonly telephone: RoleProcess = new RoleProcess("telephone");
  readonly mailbox: RoleProcess = new RoleProcess("mailbox");
  readonly #total: number;
  readonly #seed: number;

  /** Starts the processes. `total`: the length of the series. */
  constructor(total: number, seed: number) {
    this.#total = total;
    this.#seed = seed;
  }

  /** Opens the server's doors. */
  open(): Promise<ServerAddresses> {
    return this.server.call<ServerAddresses>("open", this.#total);
  }

  /** Each client asks the server for a line in capitals. */
  async askLine(addresses: ServerAddresses, line: string): Promise<LineResult> {
    const question = (address: string): Question => ({ address, line });
    const [tcp, udp] = await Promise.all([
      this.telephone.call<Answer>("ask", question(addresses.tcp)),
      this.mailbox.call<Answer>("ask", question(addresses.udp)),
    ]);
    return { tcp, udp };
  }

  /** Both clients send the series at the same time, each through its proxy. */
  async sendSeries({ tcpCounter, udpCounter }: ServerAddresses): Promise<SeriesResult> {
    const tcp = { name: "telephone", upstream: tcpCounter, faults: STREAM_FAULTS };
    const udp = { name: "mailbox", upstream: udpCounter, faults: DATAGRAM_FAULTS };
    await using proxied = await startProxy({ seed: this.#seed, proxies: [tcp, udp] });
    const [stream, datagrams] = proxied.proxies.values();
    if (stream === undefined || datagrams === undefined) throw new Error("there are two proxies");
    const faults = ({ name }: FaultProxy): FaultSums =>
      proxied.report().details.find(({ proxy }) => proxy === name)?.faults ?? {};
    const [streamTally, datagramTally] = await Promise.all([
      this.#sendStream(stream.listen),
      this.#sendDatagrams(datagrams, () => faults(datagrams)),
    ]);
    return {
      tcp: { tally: streamTally, faults: faults(stream) },
      udp: { tally: datagramTally, faults: faults(datagrams) },
    };
  }

  /** Ends the clients, and with `everything` the server. */
  stop(which: "clients" | "everything"): void {
    this.telephone.stop();
    this.mailbox.stop();
    if (which === "everything") this.server.stop();
  }

  async #sendStream(address: Address): Promise<TallyReport> {
    const counted = this.server.call<TallyReport>("stream");
    const series: Series = { address: String(address), first: 1, last: this.#total };
    const [tally] = await Promise.all([counted, this.telephone.call("send", series)]);
    return tally;
  }

  /** Burst after burst: the next one waits until the proxy has this one, and the server most of what came through. */
  async #sendDatagrams(proxy: FaultProxy, faults: () => FaultSums): Promise<TallyReport> {
    const arrive = (sent: number): Promise<TallyReport> => {
      const { loss = 0, duplication = 0 } = faults();
      const wait = { received: sent - loss + duplication, timeoutMs: PATIENCE_MS };
      return this.server.call<TallyReport>("datagrams", wait);
    };
    let bytes = 0;
    for (let first = 1; first <= this.#total; first += BURST) {
      const last = Math.min(this.#total, first + BURST - 1);
      const series: Series = { address: String(proxy.listen), first, last };
      await this.mailbox.call("send", series);
      for (let number = first; number <= last; number += 1) bytes += String(number).length;
      const sent = bytes;
      await within(PATIENCE_MS, () => proxy.bytes.fromClient >= sent);
      // What the proxy holds back may be overtaken by the next burst.
      await arrive(first - 1 - BURST);
    }
    return await arrive(this.#total);
  }
}

/** Waits until something holds, at most so long: this machine may lose a datagram as well. */
async function within(timeoutMs: number, holds: () => boolean): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  while (!holds() && performance.now() < untilMs) await delay(1);
}
