/** `zocalo sim trace`: everything that happens in a run, as text, as packets or as a picture. */

import { type Command, Option } from "commander";
import { explore, type TraceRecord } from "../../sim.ts";
import { countUpTo, milliseconds } from "../terminal/command.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type CommandContext, leaveSignals, running } from "../terminal/run-command.ts";
import { holdProgramsBack } from "./program-output.ts";
import { simFailure, writeResult } from "./report.ts";
import { type Band, drawSequence, type Flight, type Moment, type Sequence } from "./sequence.ts";
import { sayInDiagram } from "./sequence-words.ts";
import { addSeedFlags, loadSimulation, newSimCommand, replayLine, runOf, type SimFlags } from "./sim-flags.ts";
import type { Tone } from "./svg.ts";

interface TraceFlags extends SimFlags {
  readonly json?: boolean;
  readonly pcapng?: string;
  readonly svg?: string | true;
  readonly from?: number;
  readonly to?: number;
  readonly max: number;
  readonly seq?: boolean;
}

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "show what happens in a run",
      paragraphs: [
        "Runs one seed and prints what happens, a line for each packet, fault and life of a host: the virtual time in " +
          "milliseconds, the host, the connection, the event, and how many bytes. Flags of TCP are S(YN), F(IN), R(ST) and . " +
          "for ACK, with the sequence and acknowledgement numbers behind them.",
        "With --svg it draws a sequence diagram: hosts as lines, packets as arrows, a cross where one is lost, a bolt where a " +
          "reset arrives, faults as areas with their names. Long silences are cut short.",
        "With --pcapng the packets go to a file that Wireshark and tshark open.",
      ],
    },
    json: "print the trace as lines of JSON, with a rolling hash",
    pcapng: "write the packets to a file, and print nothing",
    svg: "draw a sequence diagram: to a file, or to stdout",
    from: "draw only what is sent from this virtual time on",
    to: "draw only what is sent until this virtual time",
    max: "draw at most this many packets, and as many faults",
    seq: "draw sequence and acknowledgement numbers",
  },
  es: {
    help: {
      summary: "enseña lo que ocurre en una ejecución",
      paragraphs: [
        "Ejecuta una semilla y escribe lo que ocurre, una línea por cada paquete, fallo y vida de una máquina: el tiempo " +
          "virtual en milisegundos, la máquina, la conexión, el suceso y cuántos bytes. Las marcas de TCP son S(YN), F(IN), " +
          "R(ST) y . para ACK, con los números de secuencia y de acuse de recibo detrás.",
        "Con --svg dibuja un diagrama de secuencia: las máquinas como líneas, los paquetes como flechas, una cruz donde se " +
          "pierde uno, un rayo donde llega un reset, los fallos como zonas con su nombre. Los silencios largos se acortan.",
        "Con --pcapng los paquetes van a un archivo que abren Wireshark y tshark.",
      ],
    },
    json: "escribe la traza como líneas de JSON, con un resumen que avanza",
    pcapng: "escribe los paquetes en un archivo, y nada más",
    svg: "dibuja un diagrama de secuencia: en un archivo, o en stdout",
    from: "dibuja solo lo que se envía desde este tiempo virtual",
    to: "dibuja solo lo que se envía hasta este tiempo virtual",
    max: "dibuja como mucho estos paquetes, y otros tantos fallos",
    seq: "dibuja los números de secuencia y de acuse de recibo",
  },
});
/** Lines are written in pieces of so many characters. */
const PIECE_CHARACTERS = 65_536;
/** What a browser still shows at once. */
const MOST_DRAWN = 2_000;

/** The command. */
export function simTraceCommand(): Command {
  const examples = [
    "zocalo sim trace orders.mjs --seed 17 | less",
    "zocalo sim trace orders.mjs --seed 17 --svg orders.svg",
    "zocalo sim trace orders.mjs --seed 17 --pcapng orders.pcapng",
  ];
  const command = newSimCommand("trace", { ...TEXTS.help, examples })
    .option("--json", TEXTS.json)
    .option("--pcapng <file>", TEXTS.pcapng)
    .addOption(new Option("--svg [file]", TEXTS.svg).conflicts(["json", "pcapng"]))
    .option("--from <ms>", TEXTS.from, milliseconds)
    .option("--to <ms>", TEXTS.to, milliseconds)
    .option("--max <n>", TEXTS.max, countUpTo(MOST_DRAWN), 60)
    .option("--seq", TEXTS.seq);
  return addSeedFlags(command).action(running(trace, {}));
}

async function trace(file: string, flags: TraceFlags, { stdout, output }: CommandContext): Promise<number> {
  leaveSignals();
  const simulation = loadSimulation(file, flags.export);
  const lines: string[] = [];
  const packets: Uint8Array[] = [];
  const wanted =
    flags.pcapng === undefined
      ? { trace: (line: string) => void lines.push(line) }
      : { capture: (bytes: Uint8Array) => void packets.push(bytes) };
  holdProgramsBack();
  const { failure, seed } = await explore(simulation, { ...runOf(flags), ...wanted });
  if (flags.svg !== undefined) await writePicture(lines, seed, flags, stdout, output);
  else if (flags.pcapng === undefined) await printLines(flags.json === true ? lines : lines.map(textOf), stdout);
  else {
    await writeResult("--pcapng", flags.pcapng, packets);
    output.say({ event: "written", file: flags.pcapng }, `packets are in ${flags.pcapng}`);
  }
  if (failure !== undefined) throw simFailure(failure.identity, replayLine(file, flags, seed));
  return EXIT.done;
}

async function writePicture(
  lines: readonly string[],
  seed: number,
  flags: TraceFlags,
  stdout: CommandContext["stdout"],
  output: CommandContext["output"],
): Promise<void> {
  const { svg: path, from = 0, to, max: most } = flags;
  const say = sayInDiagram;
  const title = `${say("seed")} ${seed}${flags.faults === undefined ? "" : `, ${say("faults of a list")}`}`;
  const until = to === undefined ? {} : { toUs: to * 1000 };
  const picture = drawSequence(readSequence(lines, flags.seq), { title, fromUs: from * 1000, ...until, most, say });
  if (typeof path !== "string") return await stdout.write(picture);
  await writeResult("--svg", path, [picture]);
  output.say({ event: "written", file: path }, `the diagram is in ${path}`);
}

/** A line of the trace for people. The header stays as it is. */
function textOf(line: string, index: number): string {
  if (index === 0) return `# ${line}`;
  const { t, host, flow, event, length } = JSON.parse(line) as TraceRecord;
  const bytes = length > 0 ? `  ${length} bytes` : "";
  const where = flow === "" ? "" : `  ${flow}`;
  return `${(t / 1000).toFixed(3).padStart(12)}  ${host.padEnd(10)}${where}  ${event}${bytes}\n`;
}

async function printLines(lines: readonly string[], stdout: CommandContext["stdout"]): Promise<void> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE_CHARACTERS) continue;
    await stdout.write(piece);
    piece = "";
  }
  await stdout.write(piece);
}

/** Events of hosts that begin something, and those that end it. */
const BEGINNINGS: Readonly<Record<string, string>> = { pause: "pause", freeze: "freeze", crash: "crash" };
const ENDINGS: Readonly<Record<string, readonly string[]>> = {
  resume: ["pause"],
  thaw: ["freeze", "pause"],
  restart: ["crash", "freeze", "pause"],
};
/** Faults of which the hosts and links tell themselves. */
const TOLD_ELSEWHERE = /^(?:partition|partition-one-way|isolate|pause|freeze|crash|skew) /;
const PACKET = /^(send|receive|lost) ([SFR]*\.?|datagram|[a-z ]+?)(?: (\d+\/\d*))?(?: \(([a-z ]+)\))?$/;
const FLAGS: Readonly<Record<string, string>> = { S: "SYN", F: "FIN", R: "RST" };

/** Reads the lines of a trace, its header first; with `seqs` labels have the sequence and acknowledgement numbers. */
export function readSequence(lines: readonly string[], seqs = false): Sequence {
  const reader = new Reader(seqs);
  for (const line of lines.slice(1)) reader.record(JSON.parse(line) as TraceRecord);
  return reader;
}

class Reader implements Sequence {
  readonly flights: Flight[] = [];
  readonly bands: Band[] = [];
  readonly moments: Moment[] = [];
  endUs = 0;
  readonly #hosts = new Set<string>();
  /** Stretches of streams that were sent, to know them when they are sent again. */
  readonly #sent = new Set<string>();
  /** The host that has an address, as packets show it. */
  readonly #owners = new Map<string, string>();
  /** Packets that are under way, and the last one that arrived, of each kind of packet. */
  readonly #underWay = new Map<string, Flight[]>();
  readonly #arrived = new Map<string, Flight>();
  /** Those that have not ended. */
  readonly #begun = new Set<Band>();
  readonly #seqs: boolean;

  constructor(seqs: boolean) {
    this.#seqs = seqs;
  }

  get hosts(): readonly string[] {
    return [...this.#hosts];
  }

  record(record: TraceRecord): void {
    const { t, host, flow, event } = record;
    this.endUs = t;
    const packet = PACKET.exec(event);
    if (/^(?:tcp|udp|refusal) /.test(flow) && packet !== null) this.#packet(record, packet);
    else if (event === "cut" || event === "heal") this.#way(t, host, flow.slice(host.length + 1), event);
    else if (host === "world") this.#fault(t, flow, event);
    else this.#life(t, host, event);
  }

  #packet({ t, host, flow, length, hash }: TraceRecord, [, verb, what = "", numbers = "", why]: RegExpExecArray): void {
    this.#hosts.add(host);
    const [source, destination] = endsOf(flow);
    const key = `${flow} ${what} ${numbers} ${length} ${hash}`;
    const queue = this.#underWay.get(key) ?? [];
    this.#underWay.set(key, queue);
    if (why === "middlebox") {
      this.moments.push({ host, atUs: t, name: "reset" });
      return;
    }
    const departs = verb === "send" || (verb === "lost" && this.#owners.get(destination) !== host);
    if (departs) {
      this.#owners.set(source, host);
      const label = [
        ...labelOf(flow, what, length, this.#seqs ? numbers : ""),
        ...this.#repeated(flow, what, numbers, length),
      ];
      const flight: Flight = {
        from: host,
        to: this.#owners.get(destination),
        sentUs: t,
        label,
        tone: toneOf(flow, what, length),
      };
      this.flights.push(flight);
      if (verb === "lost") flight.lost = why ?? "";
      else queue.push(flight);
      return;
    }
    this.#owners.set(destination, host);
    const next = queue.shift();
    const first = next ?? this.#arrived.get(key);
    // What a host sends itself, and loses, was never under way.
    if (first === undefined) return;
    this.#arrived.set(key, first);
    const flight = next ?? { ...first, again: true };
    if (next === undefined) this.flights.push(flight);
    flight.to = host;
    flight.arrivedUs = t;
    if (verb === "lost") flight.lost = why ?? "";
  }

  #repeated(flow: string, what: string, numbers: string, length: number): readonly string[] {
    if (!flow.startsWith("tcp ") || (length === 0 && !/[SF]/.test(what))) return [];
    const stretch = `${flow} ${numbers.split("/")[0]} ${length}`;
    if (this.#sent.has(stretch)) return ["sent again"];
    this.#sent.add(stretch);
    return [];
  }

  /** Two directions that are cut at a time are one partition. */
  #way(atUs: number, from: string, to: string, event: "cut" | "heal"): void {
    this.#hosts.add(from).add(to);
    if (event === "heal") this.#end(atUs, ["partition"], [from, to]);
    else this.#begin({ name: "partition", hosts: [from, to], beginsUs: atUs });
  }

  #fault(atUs: number, fault: string, event: string): void {
    if (TOLD_ELSEWHERE.test(fault)) return;
    if (event === "fault begins") this.#begin({ name: fault, hosts: [], beginsUs: atUs });
    else if (event === "fault ends") this.#end(atUs, [fault], []);
  }

  #life(atUs: number, host: string, event: string): void {
    this.#hosts.add(host);
    const begins = BEGINNINGS[event];
    if (begins !== undefined) this.#begin({ name: begins, hosts: [host], beginsUs: atUs });
    else if (ENDINGS[event] === undefined) this.moments.push({ host, atUs, name: event });
    else this.#end(atUs, ENDINGS[event], [host]);
  }

  #begin(band: Band): void {
    this.bands.push(band);
    this.#begun.add(band);
  }

  #end(atUs: number, names: readonly string[], hosts: readonly string[]): void {
    for (const band of this.#begun) {
      if (!names.includes(band.name) || String(band.hosts) !== String(hosts)) continue;
      band.endsUs = atUs;
      this.#begun.delete(band);
      return;
    }
  }
}

/** The IP addresses of a flow: `tcp 192.0.2.1:49152>192.0.2.2:80`. */
function endsOf(flow: string): readonly [source: string, destination: string] {
  const [source = "", destination = ""] = flow.slice(flow.indexOf(" ") + 1).split(">");
  return [source.slice(0, source.lastIndexOf(":")), destination.slice(0, destination.lastIndexOf(":"))];
}

function labelOf(flow: string, what: string, length: number, numbers: string): readonly string[] {
  const bytes = length === 1 ? "1 byte" : `${length} bytes`;
  if (flow.startsWith("udp ")) return [bytes];
  if (flow.startsWith("refusal ")) return ["ICMP", what];
  const flags = Array.from(what).flatMap((letter) => FLAGS[letter] ?? []);
  const ack = what.endsWith(".") && (length === 0 || flags.length > 0) ? ["ACK"] : [];
  return [[...flags, ...ack].join(" "), length > 0 ? bytes : "", numbers].filter((part) => part !== "");
}

function toneOf(flow: string, what: string, length: number): Tone {
  if (flow.startsWith("udp ")) return "violet";
  if (flow.startsWith("refusal ") || what.includes("R")) return "red";
  return length > 0 ? "green" : what === "." ? "quiet" : "blue";
}
