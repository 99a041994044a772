/** The screen of the demo: two columns, 79 characters wide, readable without colours. */

import { inLanguage } from "../terminal/language.ts";
import type { Colours } from "../terminal/output.ts";
import type { FaultSums, LineResult, SeriesResult } from "./experiment.ts";
import type { ServerAddresses } from "./roles.ts";
import type { TallyReport } from "./tally.ts";

const INDENT = "   ";
const COLUMN = 36;
const GAP = "    ";

const TEXTS = inLanguage({
  en: {
    title: "the two kinds of socket",
    seed: "seed",
    line: (pid: number) => `A line in, capitals out: a server (process ${pid}), a client for each kind`,
    telephone: "TCP, the telephone",
    mailbox: "UDP, the mailbox",
    series: (total: string) => `${total} numbered messages, each through a bad network (zocalo proxy)`,
    streams: [
      "It loses 5 % of the packets and cuts",
      "the bytes into slices. TCP sends",
      "again what was lost: late, but all.",
    ],
    datagrams: [
      "It loses 5 %, doubles 1 %, reorders",
      "2 % of the datagrams. Nobody sends",
      "them again, and nobody is told.",
    ],
    streamFaults: ({ loss = 0, slicing = 0 }: FaultSums) => `${loss} losses, ${slicing} slices`,
    datagramFaults: ({ loss = 0, duplication = 0, reordering = 0 }: FaultSums) =>
      `${loss} losses, ${duplication} doubles, ${reordering} late`,
    sent: "sent",
    arrived: "arrived",
    lost: "lost",
    twice: "twice",
    outOfOrder: "out of order",
    elsewhere: (count: number) => `${count} more were lost by this machine`,
    tcpPromise: ["All, in order, none twice,", "until the connection ends."],
    udpPromise: ["Each one whole or not at all;", "lost, twice or late as it happens."],
    stay: "The servers stay up. Try in another terminal:",
    type: "type; Ctrl-D ends",
    lines: "one line each way",
    oneDatagram: "one datagram each way",
    others: "with other programs",
    telnet: "Ctrl-] and quit ends",
    end: "Ctrl-C ends them.",
    thousands: ",",
    decimal: (value: number) => value.toFixed(1),
  },
  es: {
    title: "las dos clases de socket",
    seed: "semilla",
    line: (pid: number) => `Una línea vuelve en mayúsculas: un servidor (proceso ${pid}), dos clientes`,
    telephone: "TCP, el teléfono",
    mailbox: "UDP, el buzón",
    series: (total: string) => `${total} mensajes numerados, por una mala red (zocalo proxy)`,
    streams: [
      "Pierde el 5 % de los paquetes; corta",
      "los bytes en trozos. TCP envía otra",
      "vez lo perdido: tarde, pero todo.",
    ],
    datagrams: [
      "Pierde el 5 %, dobla el 1 %, retrasa",
      "el 2 % de los datagramas. Nadie los",
      "repite, y nadie se entera.",
    ],
    streamFaults: ({ loss = 0, slicing = 0 }) => `${loss} pérdidas, ${slicing} trozos`,
    datagramFaults: ({ loss = 0, duplication = 0, reordering = 0 }) =>
      `${loss} caídos, ${duplication} dobles, ${reordering} tarde`,
    sent: "enviados",
    arrived: "llegaron",
    lost: "perdidos",
    twice: "dos veces",
    outOfOrder: "en desorden",
    elsewhere: (count: number) => `esta máquina perdió ${count} más`,
    tcpPromise: ["Todos, en orden, ninguno dos veces,", "hasta que termina la conexión."],
    udpPromise: ["Cada uno llega entero o no llega;", "perdido, doble o tarde, según caiga."],
    stay: "Los servidores siguen en marcha. Prueba en otro terminal:",
    type: "escribe; Ctrl-D acaba",
    lines: "una línea por lado",
    oneDatagram: "un datagrama por lado",
    others: "con otros programas",
    telnet: "Ctrl-] y quit terminan",
    end: "Ctrl-C los termina.",
    thousands: ".",
    decimal: (value: number) => value.toFixed(1).replace(".", ","),
  },
});

/** Text of one column, and how to colour it once it is padded. */
type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/** Title, and what the first part shows. */
export function opening(colours: Colours, seed: number): string {
  const facts = `(${TEXTS.seed} ${seed}, Node ${process.version})`;
  return `${colours.bold("zocalo demo")}: ${TEXTS.title} ${facts}\n`;
}

/** A line in, capitals out. */
export function lineScreen(
  colours: Colours,
  addresses: ServerAddresses,
  serverPid: number,
  line: string,
  result: LineResult,
): string {
  const { bold, dim, green } = colours;
  return [
    bold(`1  ${TEXTS.line(serverPid)}`),
    row({ text: TEXTS.telephone, paint: bold }, { text: TEXTS.mailbox, paint: bold }),
    row({ text: addresses.tcp, paint: dim }, { text: addresses.udp, paint: dim }),
    row(`> ${line}`, `> ${line}`),
    row(answer(result.tcp.line, result.tcp.rttMs, green), answer(result.udp.line, result.udp.rttMs, green)),
    "",
  ].join("\n");
}

/** What the second part does. */
export function seriesOpening(colours: Colours, total: number): string {
  return [
    colours.bold(`2  ${TEXTS.series(grouped(total))}`),
    ...TEXTS.streams.map((text, index) => row(text, TEXTS.datagrams[index] ?? "")),
  ].join("\n");
}

/** What came through. */
export function seriesScreen(colours: Colours, total: number, { tcp, udp }: SeriesResult): string {
  const { bold, green, yellow } = colours;
  const paint = (value: number): ((text: string) => string) => (value === 0 ? green : yellow);
  const sums = (title: string, pick: (tally: TallyReport) => number): string =>
    row(
      { text: sum(title, pick(tcp.tally)), paint: paint(pick(tcp.tally)) },
      { text: sum(title, pick(udp.tally)), paint: paint(pick(udp.tally)) },
    );
  const elsewhere = udp.tally.lost - (udp.faults["loss"] ?? 0);
  return [
    row(TEXTS.streamFaults(tcp.faults), TEXTS.datagramFaults(udp.faults)),
    "",
    row({ text: sum(TEXTS.sent, total), paint: bold }, { text: sum(TEXTS.sent, total), paint: bold }),
    row(
      { text: sum(TEXTS.arrived, tcp.tally.distinct), paint: bold },
      { text: sum(TEXTS.arrived, udp.tally.distinct), paint: bold },
    ),
    sums(TEXTS.lost, (tally) => tally.lost),
    sums(TEXTS.twice, (tally) => tally.twice),
    sums(TEXTS.outOfOrder, (tally) => tally.outOfOrder),
    "",
    ...(elsewhere > 0 ? [row("", TEXTS.elsewhere(elsewhere))] : []),
    ...TEXTS.tcpPromise.map((text, index) =>
      row({ text, paint: bold }, { text: TEXTS.udpPromise[index] ?? "", paint: bold }),
    ),
    "",
  ].join("\n");
}

/** What to try while the servers are up. `zocalo`: how the command is called here. */
export function keptScreen(colours: Colours, addresses: ServerAddresses, zocalo: string): string {
  const { tcp, udp } = addresses;
  const [tcpPort, udpPort] = [tcp, udp].map((address) => address.slice(address.lastIndexOf(":") + 1));
  const commands: readonly (readonly [string, string])[] = [
    [`${zocalo} connect ${tcp}`, TEXTS.type],
    [`${zocalo} send ${tcp} hola`, TEXTS.lines],
    [`${zocalo} send ${udp} hola`, TEXTS.oneDatagram],
    [`nc 127.0.0.1 ${tcpPort}`, TEXTS.others],
    [`nc -u 127.0.0.1 ${udpPort}`, ""],
    [`telnet 127.0.0.1 ${tcpPort}`, TEXTS.telnet],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    colours.bold(TEXTS.stay),
    "",
    ...commands.map(([command, what]) => `${INDENT}${colours.cyan(command.padEnd(width))}  ${what}`.trimEnd()),
    "",
    TEXTS.end,
    "",
  ].join("\n");
}

function row(left: Cell, right: Cell): string {
  return `${INDENT}${cell(left)}${GAP}${cell(right)}`.trimEnd();
}

function cell(content: Cell): string {
  return typeof content === "string" ? content.padEnd(COLUMN) : content.paint(content.text.padEnd(COLUMN));
}

function answer(line: string, rttMs: number, paint: (text: string) => string): Cell {
  return { text: `< ${line}`.padEnd(COLUMN - 10) + `${TEXTS.decimal(rttMs)} ms`.padStart(10), paint };
}

function sum(title: string, value: number): string {
  return title.padEnd(COLUMN - 10) + grouped(value).padStart(10);
}

/** `10,000`, or `10.000` in Spanish. */
function grouped(value: number): string {
  return value.toLocaleString("en-US").replaceAll(",", TEXTS.thousands);
}
