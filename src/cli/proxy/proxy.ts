/** `zocalo proxy`: puts a network with faults between any two programs. */

import { type Command, InvalidArgumentError } from "commander";
import type { Address } from "../../index.ts";
import {
  type FaultProxies,
  type ProxyDefinition,
  type ProxyFault,
  type ServedApi,
  serveApi,
  type ServedPage,
  servePage,
  startProxy,
} from "../../proxy.ts";
import { addOutputOptions, count, milliseconds, newCommand, seed } from "../terminal/command.ts";
import { EXIT, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import type { OutputOptions } from "../terminal/output.ts";
import { type CommandContext, running, until } from "../terminal/run-command.ts";
import { visibleText } from "../terminal/visible-text.ts";
import { limited, runProgram } from "./program.ts";
import { addRecordFlags, beginRecords, type RecordFlags } from "./record-flags.ts";
import { addScheduleFlags, readJson, type ScheduleFlags, scheduleOf } from "./schedule-flags.ts";

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "put a network with faults between any two programs",
      paragraphs: [
        "Listens at LISTEN and passes everything on to UPSTREAM, with the faults that you ask for, in both directions. " +
          "Programs connect to LISTEN instead of to their server. TCP loses no byte: loss is delay there, as on a real network.",
        "With --config it starts the proxies of a file instead: a list in JSON of { name, listen, upstream, enabled, faults }. " +
          "With --api the client libraries of Toxiproxy control them. A page in the browser shows what passes and breaks it; its " +
          "address is printed, for you alone.",
        "Behind -- stands a program that runs with the proxies and ends them; zocalo ends with its exit code, or 128 and the " +
          "number of the signal that ended it. It finds the address of a proxy in ZOCALO_PROXY_NAME. Ctrl-C and the end of --for " +
          "send it SIGTERM, and SIGKILL 5 seconds later; Ctrl-C once more sends SIGKILL at once. Without a program, the proxies " +
          "run until Ctrl-C. At the end a report says what each fault has done; the same seed and the same traffic give the " +
          "same digest.",
        "With --faults it plays a schedule: the list of faults that zocalo sim shrink writes, with the hosts client and server.",
      ],
    },
    words: "LISTEN and UPSTREAM (tcp://, unix: or udp://), then -- and a program",
    config: "start the proxies of this file",
    api: "answer the HTTP calls of Toxiproxy here, such as 127.0.0.1:8474",
    page: "serve a page that shows what passes and breaks it, also with a program behind --",
    noPage: "serve no page",
    seed: "decides what the faults hit (default: that of the schedule, or 1)",
    for: "end after so long, and the program too (milliseconds)",
    expose: "allow addresses that are not this machine's loopback",
    latency: "delay everything by so long (milliseconds)",
    jitter: "make the delay longer or shorter by up to so long (milliseconds)",
    loss: "lose this share of packets, from 0 to 1",
    bandwidth: "pass on at most so many kilobytes a second",
    slice: "cut connections' bytes into pieces of about so many",
    cut: "close a connection behind so many bytes",
    share: "Give a number from 0 to 1.",
    faults: "Faults:",
    noAddresses: "give LISTEN and UPSTREAM, or --config FILE",
    both: "the addresses stand in the file of --config; leave LISTEN and UPSTREAM out",
    faultsInFile: "the faults stand in the file of --config; leave the options for faults out",
    noJitter: "--jitter changes --latency; give both",
    noList: (file: string) => `${file} must be a list of proxies`,
    sameVariable: (one: string, other: string, variable: string) =>
      `the proxies ${JSON.stringify(one)} and ${JSON.stringify(other)} would both be ${variable}; rename one`,
    passes: (name: string, from: string, to: string) => `${name}: ${from} -> ${to}`,
    look: (url: string) => `look at it: ${url}`,
    controls: (url: string) => `Toxiproxy's calls: ${url}`,
    connections: (number: number) => (number === 1 ? "1 connection" : `${number} connections`),
    digest: (seedUsed: number, digest: string) => `seed ${seedUsed}, digest ${digest}`,
    noFault: "no fault",
  },
  es: {
    help: {
      summary: "pone una red con fallos entre dos programas cualesquiera",
      paragraphs: [
        "Escucha en ESCUCHA y pasa todo a DESTINO, con los fallos que pidas, en los dos sentidos. Los programas se conectan a " +
          "ESCUCHA en vez de a su servidor. TCP no pierde ningún byte: allí la pérdida es retraso, como en una red de verdad.",
        "Con --config arranca los proxies de un archivo: una lista en JSON de { name, listen, upstream, enabled, faults }. Con " +
          "--api los controlan las bibliotecas de los clientes de Toxiproxy. Una página en el navegador enseña lo que pasa y lo " +
          "rompe; se escribe su dirección, solo para ti.",
        "Detrás de -- va un programa que corre con los proxies y los termina; zocalo termina con su código, o con 128 más el " +
          "número de la señal que lo terminó. La dirección de un proxy está en ZOCALO_PROXY_NOMBRE. Ctrl-C y el fin de --for le " +
          "mandan SIGTERM, y SIGKILL 5 segundos después; otro Ctrl-C manda SIGKILL en el acto. Sin programa, los proxies corren " +
          "hasta Ctrl-C. Al final un informe dice qué hizo cada fallo; con la misma semilla y el mismo tráfico, el resumen " +
          "(digest) es el mismo.",
        "Con --faults sigue un guion: la lista de fallos que escribe zocalo sim shrink, con las máquinas client y server.",
      ],
    },
    words: "ESCUCHA y DESTINO (tcp://, unix: o udp://); después -- y un programa",
    config: "arranca los proxies de este archivo",
    api: "responde aquí a las llamadas HTTP de Toxiproxy, por ejemplo 127.0.0.1:8474",
    page: "sirve una página que enseña lo que pasa y lo rompe, también con un programa detrás de --",
    noPage: "no sirve ninguna página",
    seed: "decide a qué alcanzan los fallos (por omisión: la del guion, o 1)",
    for: "termina después de este tiempo, y el programa también (milisegundos)",
    expose: "permite direcciones que no son de esta máquina",
    latency: "retrasa todo este tiempo (milisegundos)",
    jitter: "alarga o acorta el retraso hasta este tiempo (milisegundos)",
    loss: "pierde esta parte de los paquetes, de 0 a 1",
    bandwidth: "pasa como mucho estos kilobytes por segundo",
    slice: "corta los bytes de las conexiones en trozos de más o menos este tamaño",
    cut: "cierra una conexión después de estos bytes",
    share: "Da un número de 0 a 1.",
    faults: "Fallos:",
    noAddresses: "da ESCUCHA y DESTINO, o --config ARCHIVO",
    both: "las direcciones están en el archivo de --config; quita ESCUCHA y DESTINO",
    faultsInFile: "los fallos están en el archivo de --config; quita las opciones de los fallos",
    noJitter: "--jitter cambia --latency; da las dos",
    noList: (file) => `${file} tiene que ser una lista de proxies`,
    sameVariable: (one, other, variable) =>
      `los proxies ${JSON.stringify(one)} y ${JSON.stringify(other)} estarían los dos en ${variable}; cambia un nombre`,
    passes: (name, from, to) => `${name}: ${from} -> ${to}`,
    look: (url) => `míralo: ${url}`,
    controls: (url) => `las llamadas de Toxiproxy: ${url}`,
    connections: (number) => (number === 1 ? "1 conexión" : `${number} conexiones`),
    digest: (seedUsed, digest) => `semilla ${seedUsed}, resumen ${digest}`,
    noFault: "ningún fallo",
  },
});

const EXAMPLES = [
  "zocalo proxy tcp://127.0.0.1:7001 tcp://127.0.0.1:7000 --latency 100",
  "zocalo proxy udp://127.0.0.1:5301 udp://127.0.0.1:53 --loss 0.1 --seed 7",
  "zocalo proxy tcp://127.0.0.1:0 tcp://127.0.0.1:5432 --bandwidth 64 -- npm test",
  "zocalo proxy --config toxiproxy.json --api 127.0.0.1:8474",
  "zocalo proxy --config proxies.json --faults storm.json --for 60000 -- npm test",
];

const BITS_A_KILOBYTE = 8000;
const NAME = "main";
const WAYS = { from: "*", to: "*" } as const;

interface Flags extends OutputOptions, ScheduleFlags, RecordFlags {
  readonly config?: string;
  readonly api?: string;
  /** Undefined unless one of the two flags is given. */
  readonly page?: boolean;
  readonly seed?: number;
  readonly for?: number;
  readonly expose?: boolean;
  readonly latency?: number;
  readonly jitter?: number;
  readonly loss?: number;
  readonly bandwidth?: number;
  readonly slice?: number;
  readonly cut?: number;
}

/** The command. */
export function proxyCommand(): Command {
  const command = newCommand("proxy", { ...TEXTS.help, examples: EXAMPLES });
  command
    .argument("[words...]", TEXTS.words)
    .option("--config <file>", TEXTS.config)
    .option("--api <address>", TEXTS.api)
    .option("--page", TEXTS.page)
    .option("--no-page", TEXTS.noPage)
    .option("--seed <number>", TEXTS.seed, seed)
    .option("--for <ms>", TEXTS.for, milliseconds)
    .option("--expose", TEXTS.expose)
    .optionsGroup(TEXTS.faults)
    .option("--latency <ms>", TEXTS.latency, milliseconds)
    .option("--jitter <ms>", TEXTS.jitter, milliseconds)
    .option("--loss <share>", TEXTS.loss, share)
    .option("--bandwidth <number>", TEXTS.bandwidth, count)
    .option("--slice <bytes>", TEXTS.slice, count)
    .option("--cut <bytes>", TEXTS.cut, count);
  addScheduleFlags(command);
  addRecordFlags(command);
  return addOutputOptions(command).action(running(proxy));
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError(TEXTS.share);
}

async function proxy(words: readonly string[], flags: Flags, context: CommandContext): Promise<number> {
  const dashes = process.argv.indexOf("--");
  const program = dashes < 0 ? [] : process.argv.slice(dashes + 1);
  const faults = faultsOf(flags);
  if (flags.config !== undefined && faults.length > 0) throw wrongUsage(TEXTS.faultsInFile);
  const proxies = definitions(words.slice(0, words.length - program.length), flags);
  const proxied = await startProxy({ seed: flags.seed, expose: flags.expose, proxies, schedule: scheduleOf(flags) });
  let api: ServedApi | undefined;
  let endRecords = (): void => undefined;
  let page: ServedPage | undefined;
  try {
    if (flags.api !== undefined) api = await serveApi(proxied, flags.api);
    // A program, such as a test, runs by itself; whoever starts proxies alone wants to see them.
    if (flags.page ?? program.length === 0) page = await servePage(proxied);
    // Behind all that may be refused, so that a file from before stays as it is then.
    endRecords = beginRecords(flags, proxied, context.output);
    // Behind it, so that they are in the list that is saved.
    for (const fault of faults) proxied.inflict(fault);
    tellStart(proxied, api, page, context);
    const stop = limited(context.stop, flags.for);
    const code = program.length === 0 ? EXIT.done : await run(program, proxied, stop);
    if (program.length === 0) await until(stop);
    tellReport(proxied, context);
    return code;
  } finally {
    await api?.close();
    endRecords();
    await page?.close();
    await proxied.close({ timeoutMs: 0 });
  }
}

/** The program finds the addresses in its environment. */
function run(program: readonly string[], proxied: FaultProxies, stop: AbortSignal): Promise<number> {
  const named = new Map<string, string>();
  const variables: Record<string, string> = {};
  for (const { name, listen } of proxied.proxies.values()) {
    const variable = variableOf(name);
    const other = named.get(variable);
    if (other !== undefined) throw wrongUsage(visibleText(TEXTS.sameVariable(other, name, variable)));
    named.set(variable, name);
    variables[variable] = placeOf(listen);
  }
  return runProgram(program, variables, stop);
}

function variableOf(name: string): string {
  return `ZOCALO_PROXY_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}

/** Host and port, or a path: what programs are configured with. */
function placeOf(address: Address): string {
  return address.transport === "unix" ? String(address).replace(/^unix:/, "") : address.hostPort;
}

function definitions(addresses: readonly string[], flags: Flags): readonly ProxyDefinition[] {
  const { config } = flags;
  if (config === undefined) {
    const [listen, upstream, more] = addresses;
    if (listen === undefined || upstream === undefined || more !== undefined) throw wrongUsage(TEXTS.noAddresses);
    return [{ name: NAME, listen, upstream }];
  }
  if (addresses.length > 0) throw wrongUsage(TEXTS.both);
  const list = readJson(config);
  if (!Array.isArray(list)) throw wrongUsage(TEXTS.noList(config));
  return list as readonly ProxyDefinition[];
}

function faultsOf({ latency, jitter = 0, loss, bandwidth, slice, cut }: Flags): readonly ProxyFault[] {
  const faults: ProxyFault[] = [];
  if (latency !== undefined) {
    const spread = { kind: "uniform", fromMs: Math.max(0, latency - jitter), toMs: latency + jitter } as const;
    faults.push({ kind: "latency", ...WAYS, latency: jitter === 0 ? latency : spread });
  } else if (jitter > 0) throw wrongUsage(TEXTS.noJitter);
  if (loss !== undefined) faults.push({ kind: "loss", ...WAYS, chance: loss });
  if (bandwidth !== undefined) {
    faults.push({ kind: "bandwidth", ...WAYS, bitsPerSecond: bandwidth * BITS_A_KILOBYTE });
  }
  if (slice !== undefined) {
    faults.push({ kind: "slicing", ...WAYS, averageBytes: slice, variationBytes: Math.floor(slice / 2) });
  }
  if (cut !== undefined) faults.push({ kind: "cut", ...WAYS, bytes: cut });
  return faults;
}

function tellStart(
  proxied: FaultProxies,
  api: ServedApi | undefined,
  page: ServedPage | undefined,
  { output }: CommandContext,
): void {
  for (const { name, listen, upstream } of proxied.proxies.values()) {
    const [from, to] = [String(listen), String(upstream)];
    output.say({ event: "proxy", name, listen: from, upstream: to }, visibleText(TEXTS.passes(name, from, to)));
  }
  if (api !== undefined) output.say({ event: "api", url: api.url }, TEXTS.controls(api.url));
  if (page !== undefined) output.say({ event: "page", url: page.url }, TEXTS.look(page.url));
}

function tellReport(proxied: FaultProxies, { output }: CommandContext): void {
  const { seed: used, connections, faults, digest } = proxied.report();
  const done = Object.entries(faults).map(([kind, times]) => `${kind} ${times}`);
  const what = done.length === 0 ? TEXTS.noFault : done.join(", ");
  const text = `${TEXTS.connections(connections)}: ${what} (${TEXTS.digest(used, digest)})`;
  output.say({ event: "report", seed: used, connections, faults, digest }, text);
}
