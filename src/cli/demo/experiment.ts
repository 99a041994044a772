/** The two experiments of the demo: a line in capitals, and a long series through bad networks. */

import { Address } from "../../index.ts";
import type { DatagramFaultReport } from "./datagram-faults.ts";
import { RoleProcess } from "./process.ts";
import type { Answer, Question, Series, ServerAddresses } from "./roles.ts";
import { DatagramRelay, openStreamRelay, type StreamFaultReport } from "./stream-relay.ts";
import type { TallyReport } from "./tally.ts";

/** Datagrams that may be under way at a time. More than the system's buffer holds would be lost without the relay's doing. */
const BURST = 64;
/** What this machine loses by itself is not waited for longer. */
const PATIENCE_MS = 500;

/** The answers to one line. */
export interface LineResult {
  readonly tcp: Answer;
  readonly udp: Answer;
}

/** What became of the series. */
export interface SeriesResult {
  readonly tcp: { readonly tally: TallyReport; readonly faults: StreamFaultReport };
  readonly udp: { readonly tally: TallyReport; readonly faults: DatagramFaultReport };
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

  /** Both clients send the series at the same time, each through its relay. */
  async sendSeries(addresses: ServerAddresses): Promise<SeriesResult> {
    const [tcp, udp] = await Promise.all([this.#sendStream(addresses), this.#sendDatagrams(addresses)]);
    return { tcp, udp };
  }

  /** Ends the clients, and with `everything` the server. */
  stop(which: "clients" | "everything"): void {
    this.telephone.stop();
    this.mailbox.stop();
    if (which === "everything") this.server.stop();
  }

  async #sendStream({ tcpCounter }: ServerAddresses): Promise<SeriesResult["tcp"]> {
    const relay = await openStreamRelay(Address.parse(tcpCounter), this.#seed);
    const counted = this.server.call<TallyReport>("stream");
    const series: Series = { address: String(relay.address), first: 1, last: this.#total };
    const [tally] = await Promise.all([counted, this.telephone.call("send", series)]);
    const faults = relay.report();
    await relay.close();
    return { tally, faults };
  }

  /** Burst after burst: the next one waits until the last one has come through. */
  async #sendDatagrams({ udpCounter }: ServerAddresses): Promise<SeriesResult["udp"]> {
    const relay = await DatagramRelay.open(Address.parse(udpCounter), this.#seed);
    let tally: TallyReport | undefined;
    let forwarded = 0;
    const arrive = async (): Promise<TallyReport> => {
      const more = relay.report().forwarded - forwarded;
      forwarded += more;
      const received = (tally?.received ?? 0) + more;
      return await this.server.call<TallyReport>("datagrams", { received, timeoutMs: PATIENCE_MS });
    };
    for (let first = 1; first <= this.#total; first += BURST) {
      const last = Math.min(this.#total, first + BURST - 1);
      const { taken } = relay.report();
      const series: Series = { address: String(relay.address), first, last };
      await this.mailbox.call("send", series);
      await relay.hasTaken(taken + last - first + 1, PATIENCE_MS);
      tally = await arrive();
    }
    await relay.flush();
    tally = await arrive();
    const faults = relay.report();
    await relay.close();
    return { tally, faults };
  }
}
