/** What the cluster demo shows: lines while it goes on, and the sums. 79 characters wide, readable without colours. */

import { basename } from "node:path";
import { inLanguage } from "../terminal/language.ts";
import { timeText } from "../terminal/figures.ts";
import type { Colours } from "../terminal/output.ts";
import type { NodeEvent } from "./cluster-run.ts";
import type { CrowdReport } from "./crowd.ts";
import type { StoreKind } from "./demo-store.ts";

const INDENT = "   ";
const TITLE_WIDTH = 26;
const VALUE_WIDTH = 9;

const TEXTS = inLanguage({
  en: {
    title: "servers die, their sessions go on",
    journals: { nats: "in NATS", file: "in a file" },
    servers: "Servers, each a process; 30 clients in groups of ten talk and count",
    server: (name: string, pid: number) => `server ${name}, process ${pid}`,
    deaths: "Servers are killed (SIGKILL) and started again",
    killed: (name: string, pid: number, clients: number) =>
      `server ${name} is killed: process ${pid}, with ${clients} clients`,
    back: (name: string, pid: number) => `server ${name} is back: process ${pid}`,
    sums: "What became of it",
    beside: (name: string) => `The same work with ${name}`,
    wanted: "messages to be heard",
    lost: "lost",
    doubled: "heard twice",
    outOfOrder: "out of order",
    counted: "calls that count",
    wrong: "wrong counts",
    failed: "calls that failed",
    moved: "sessions that moved",
    fresh: "sessions that were lost",
    away: "time away, median",
    awayMost: "longest time away",
    promise:
      "A message is acknowledged when the journal has what it did. So it has its\neffect once, whichever server dies.",
    thousands: ",",
  },
  es: {
    title: "mueren servidores, sus sesiones siguen",
    journals: { nats: "en NATS", file: "en un archivo" },
    servers: "Cada servidor es un proceso; 30 clientes en grupos hablan y cuentan",
    server: (name, pid) => `servidor ${name}, proceso ${pid}`,
    deaths: "Se mata a los servidores (SIGKILL), y arrancan otra vez",
    killed: (name, pid, clients) => `muere el servidor ${name}: proceso ${pid}, con ${clients} clientes`,
    back: (name, pid) => `vuelve el servidor ${name}: proceso ${pid}`,
    sums: "Qué fue de todo",
    beside: (name) => `El mismo trabajo con ${name}`,
    wanted: "mensajes por oír",
    lost: "perdidos",
    doubled: "oídos dos veces",
    outOfOrder: "en desorden",
    counted: "llamadas que cuentan",
    wrong: "cuentas falsas",
    failed: "llamadas que fallaron",
    moved: "sesiones que se mudaron",
    fresh: "sesiones perdidas",
    away: "tiempo fuera, mediana",
    awayMost: "tiempo fuera, el más largo",
    promise:
      "Un mensaje tiene su acuse de recibo cuando el diario tiene lo que hizo. Así\nhace su efecto una vez, muera el servidor que muera.",
    thousands: ".",
  },
});

/** Title, servers, and what follows. */
export function clusterOpening(
  colours: Colours,
  kind: StoreKind,
  servers: readonly { readonly address: string; readonly pid: number }[],
): string {
  const { bold, dim } = colours;
  return [
    `${bold("zocalo cluster demo")}: ${TEXTS.title} (${TEXTS.journals[kind]})`,
    "",
    bold(`1  ${TEXTS.servers}`),
    ...servers.map(({ address, pid }, node) => `${INDENT}${TEXTS.server(nameOf(node), pid).padEnd(32)}${dim(address)}`),
    "",
    bold(`2  ${TEXTS.deaths}`),
  ].join("\n");
}

/** One line for what happens to a server. */
export function eventLine({ green, yellow }: Colours, { atMs, node, pid, what, clients = 0 }: NodeEvent): string {
  const time = timeText(atMs).padStart(6);
  const text = what === "killed" ? TEXTS.killed(nameOf(node), pid, clients) : TEXTS.back(nameOf(node), pid);
  return `${INDENT}${time}  ${(what === "killed" ? yellow : green)(text)}`;
}

/** The median and the longest time for which a client was away; empty when nobody was. */
export function awayOf({ awayMs }: CrowdReport): { readonly awayMs?: number; readonly longestAwayMs?: number } {
  const longestAwayMs = awayMs.at(-1);
  return longestAwayMs === undefined ? {} : { awayMs: awayMs[(awayMs.length - 1) >> 1] as number, longestAwayMs };
}

/** What must be 0, in the order of the screen. */
const FAULTS = ["lost", "doubled", "outOfOrder", "wrong", "failed", "fresh"] as const;

/** What is not 0 and must be, in one line; empty when all is well. */
export function faultsText(report: CrowdReport): string {
  const wrong = FAULTS.filter((name) => report[name] > 0);
  return wrong.map((name) => `${TEXTS[name]}: ${grouped(report[name])}`).join(", ");
}

/** The sums. */
export function clusterSums(colours: Colours, report: CrowdReport): string {
  const { bold } = colours;
  const promise = TEXTS.promise.split("\n").map((line) => INDENT + bold(line));
  return ["", bold(`3  ${TEXTS.sums}`), ...sums(colours, report), "", ...promise, ""].join("\n");
}

/** The title of what another program does. */
export function besideOpening({ bold }: Colours, module: string): string {
  return bold(`4  ${TEXTS.beside(basename(module))}`);
}

/** What became of that. */
export function besideSums(colours: Colours, report: CrowdReport): string {
  return ["", ...sums(colours, report), ""].join("\n");
}

function sums({ green, red }: Colours, report: CrowdReport): readonly string[] {
  const plain = (title: string, value: string): string =>
    `${INDENT}${title.padEnd(TITLE_WIDTH)}${value.padStart(VALUE_WIDTH)}`;
  const { awayMs, longestAwayMs } = awayOf(report);
  return [
    plain(TEXTS.wanted, grouped(report.wanted)),
    plain(TEXTS.counted, grouped(report.calls)),
    plain(TEXTS.moved, grouped(report.continued)),
    ...FAULTS.map((name) => (report[name] === 0 ? green : red)(plain(TEXTS[name], grouped(report[name])))),
    ...(awayMs === undefined
      ? []
      : [plain(TEXTS.away, timeText(awayMs)), plain(TEXTS.awayMost, timeText(longestAwayMs ?? 0))]),
  ];
}

/** A, B, C. */
function nameOf(node: number): string {
  return String.fromCharCode(65 + node);
}

function grouped(value: number): string {
  return value.toLocaleString("en-US").replaceAll(",", TEXTS.thousands);
}
