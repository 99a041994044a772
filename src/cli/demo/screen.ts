/** The screen of the demo: two columns, 79 characters wide, readable without colours. */

import type { Colours } from "../terminal/output.ts";
import type { LineResult, SeriesResult } from "./experiment.ts";
import type { ServerAddresses } from "./roles.ts";
import type { TallyReport } from "./tally.ts";

const INDENT = "   ";
const COLUMN = 36;
const GAP = "    ";

/** Text of one column, and how to colour it once it is padded. */
type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/** Title, and what the first part shows. */
export function opening(colours: Colours, seed: number): string {
  return [`${colours.bold("zocalo demo")}: the two kinds of socket (seed ${seed}, Node ${process.version})`, ""].join(
    "\n",
  );
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
    bold(`1  A line in, capitals out: a server (process ${serverPid}), a client for each kind`),
    row({ text: "TCP, the telephone", paint: bold }, { text: "UDP, the mailbox", paint: bold }),
    row({ text: addresses.tcp, paint: dim }, { text: addresses.udp, paint: dim }),
    row(`> ${line}`, `> ${line}`),
    row(answer(result.tcp.line, result.tcp.rttMs, green), answer(result.udp.line, result.udp.rttMs, green)),
    "",
  ].join("\n");
}

/** What the second part does. */
export function seriesOpening(colours: Colours, total: number): string {
  return [
    colours.bold(`2  ${grouped(total)} numbered messages, each through a bad network (a seeded relay)`),
    row("It cuts, merges and stalls. It never", "It drops 5 %, doubles 1 %, reorders"),
    row("removes bytes: what a network loses,", "2 % of the datagrams. Nobody sends"),
    row("TCP sends again.", "them again, and nobody is told."),
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
  const { cuts, merges, stalls } = tcp.faults;
  const { dropped, doubled, reordered } = udp.faults;
  const elsewhere = udp.tally.lost - dropped;
  return [
    row(`${cuts} cuts, ${merges} merges, ${stalls} stalls`, `${dropped} drops, ${doubled} doubles, ${reordered} late`),
    "",
    row({ text: sum("sent", total), paint: bold }, { text: sum("sent", total), paint: bold }),
    row(
      { text: sum("arrived", tcp.tally.distinct), paint: bold },
      { text: sum("arrived", udp.tally.distinct), paint: bold },
    ),
    sums("lost", (tally) => tally.lost),
    sums("twice", (tally) => tally.twice),
    sums("out of order", (tally) => tally.outOfOrder),
    "",
    ...(elsewhere > 0 ? [row("", `${elsewhere} more were lost by this machine`)] : []),
    row({ text: "All, in order, none twice,", paint: bold }, { text: "Each one whole or not at all;", paint: bold }),
    row(
      { text: "until the connection ends.", paint: bold },
      { text: "lost, twice or late as it happens.", paint: bold },
    ),
    "",
  ].join("\n");
}

/** What to try while the servers are up. `zocalo`: how the command is called here. */
export function keptScreen(colours: Colours, addresses: ServerAddresses, zocalo: string): string {
  const { tcp, udp } = addresses;
  const [tcpPort, udpPort] = [tcp, udp].map((address) => address.slice(address.lastIndexOf(":") + 1));
  const commands: readonly (readonly [string, string])[] = [
    [`${zocalo} connect ${tcp}`, "type; Ctrl-D ends"],
    [`${zocalo} send ${tcp} hola`, "one line each way"],
    [`${zocalo} send ${udp} hola`, "one datagram each way"],
    [`nc 127.0.0.1 ${tcpPort}`, "with other programs"],
    [`nc -u 127.0.0.1 ${udpPort}`, ""],
    [`telnet 127.0.0.1 ${tcpPort}`, "Ctrl-] and quit ends"],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    colours.bold("The servers stay up. Try in another terminal:"),
    "",
    ...commands.map(([command, what]) => `${INDENT}${colours.cyan(command.padEnd(width))}  ${what}`.trimEnd()),
    "",
    "Ctrl-C ends them.",
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
  return { text: `< ${line}`.padEnd(COLUMN - 10) + `${rttMs.toFixed(1)} ms`.padStart(10), paint };
}

function sum(title: string, value: number): string {
  return title.padEnd(COLUMN - 10) + grouped(value).padStart(10);
}

/** `10,000`. */
function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
