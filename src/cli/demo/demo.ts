/** `zocalo demo`: both kinds of socket on one screen. */

import { basename, relative } from "node:path";
import { Command } from "commander";
import { addOutputOptions, countUpTo, newCommand, seed } from "../terminal/command.ts";
import { CommandFailure, EXIT } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { type Colours, coloursFor, type OutputOptions } from "../terminal/output.ts";
import { type CommandContext, running, until } from "../terminal/run-command.ts";
import { Experiment, type SeriesResult } from "./experiment.ts";
import { playRole } from "./process.ts";
import type { ServerAddresses } from "./roles.ts";
import { keptScreen, lineScreen, opening, seriesOpening, seriesScreen } from "./screen.ts";
import type { TallyReport } from "./tally.ts";

interface Flags extends OutputOptions {
  readonly seed: number;
  readonly messages: number;
  readonly keep?: boolean;
}

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "show on one screen what TCP and UDP promise",
      paragraphs: [
        "Starts a server process and two client processes on this machine, sends a line over TCP and over UDP, and then a " +
          "long series of numbered messages through fault proxies, which behave like bad networks. Needs no network and no " +
          "settings. The same seed hits the same datagrams.",
        "Fails when TCP did not deliver all messages, in order, none twice.",
      ],
      examples: [
        "zocalo demo",
        "zocalo demo --seed 42",
        "zocalo demo --keep       leave the servers up, and print what to try",
      ],
    },
    seed: "decides what the proxy does to each message",
    messages: "how many numbered messages",
    keep: "leave the servers up until Ctrl-C",
    hangs: "the demo hangs; please report it",
    broken: ({ distinct, twice, outOfOrder, damaged }: TallyReport, total: number) =>
      `TCP broke its promise (${distinct} of ${total} arrived, ${twice} twice, ${outOfOrder} out of order, ${damaged} ` +
      "damaged); please report this",
    cut: "a datagram arrives whole or not at all; please report this",
  },
  es: {
    help: {
      summary: "enseña en una pantalla lo que prometen TCP y UDP",
      paragraphs: [
        "Arranca en esta máquina un proceso que es el servidor y dos que son clientes, envía una línea por TCP y por UDP, y " +
          "después una larga serie de mensajes numerados, a través de proxies de fallos, que se portan como malas redes. No " +
          "necesita red ni configuración. La misma semilla alcanza a los mismos datagramas.",
        "Falla si TCP no entregó todos los mensajes, en orden y ninguno dos veces.",
      ],
      examples: [
        "zocalo demo",
        "zocalo demo --seed 42",
        "zocalo demo --keep       deja los servidores en marcha, y dice qué probar",
      ],
    },
    seed: "decide lo que el proxy le hace a cada mensaje",
    messages: "cuántos mensajes numerados",
    keep: "deja los servidores en marcha hasta Ctrl-C",
    hangs: "la demostración no avanza; comunícalo, por favor",
    broken: ({ distinct, twice, outOfOrder, damaged }: TallyReport, total: number) =>
      `TCP no cumplió su promesa (llegaron ${distinct} de ${total}, ${twice} dos veces, ${outOfOrder} en desorden, ` +
      `${damaged} con daños); comunícalo, por favor`,
    cut: "un datagrama llega entero o no llega; comunícalo, por favor",
  },
});

const LINE = "hola, plaza";

/** Whether each has arrived is remembered. */
const MOST_MESSAGES = 1_000_000;
/** Something hangs if it takes so long: the demo takes one or two seconds. */
const DEMO_MS = 60_000;

/** The command. */
export function demoCommand(): Command {
  const command = newCommand("demo", TEXTS.help)
    .option("--seed <number>", TEXTS.seed, seed, 1)
    .option("--messages <n>", TEXTS.messages, countUpTo(MOST_MESSAGES), 10_000)
    .option("--keep", TEXTS.keep);
  return addOutputOptions(command).action(running(demo));
}

/** The hidden command of the demo's child processes. */
export function demoRoleCommand(): Command {
  return new Command("demo-role")
    .argument("<role>")
    .action(running((role: string, _flags: object, _context: CommandContext) => playRole(role)));
}

async function demo(flags: Flags, context: CommandContext): Promise<number> {
  const experiment = new Experiment(flags.messages, flags.seed);
  let timer: NodeJS.Timeout | undefined;
  const endings = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new CommandFailure("TIMEOUT", TEXTS.hangs)), DEMO_MS);
    context.stop.addEventListener("abort", () => reject(context.stop.reason as Error), { once: true });
  });
  try {
    const addresses = await Promise.race([perform(experiment, flags, context), endings]);
    clearTimeout(timer);
    if (flags.keep === true) await keep(experiment, addresses, context);
    return EXIT.done;
  } finally {
    clearTimeout(timer);
    experiment.stop("everything");
  }
}

async function perform(experiment: Experiment, flags: Flags, context: CommandContext): Promise<ServerAddresses> {
  const { output, stdout } = context;
  const { messages, seed: number } = flags;
  const colours = coloursFor(process.stdout);
  const show = (screen: string): Promise<void> => stdout.write(`${screen}\n`);
  await show(opening(colours, number));
  const addresses = await experiment.open();
  output.detail({ event: "open", ...addresses }, `server: ${JSON.stringify(addresses)}`);
  const line = await experiment.askLine(addresses, LINE);
  output.detail({ event: "line", ...line }, `answers: ${JSON.stringify(line)}`);
  await show(lineScreen(colours, addresses, experiment.server.pid, LINE, line));
  await show(seriesOpening(colours, messages));
  const series = await experiment.sendSeries(addresses);
  output.detail({ event: "series", ...series }, `series: ${JSON.stringify(series)}`);
  checkPromises(series, messages);
  await show(seriesScreen(colours, messages, series));
  return addresses;
}

/** What must hold, whatever the proxy did. */
function checkPromises({ tcp, udp }: SeriesResult, total: number): void {
  const { distinct, twice, outOfOrder, damaged } = tcp.tally;
  if (distinct !== total || twice > 0 || outOfOrder > 0 || damaged > 0) {
    throw new CommandFailure("DEMO_FAILED", TEXTS.broken(tcp.tally, total));
  }
  if (udp.tally.damaged > 0) {
    throw new CommandFailure("DEMO_FAILED", TEXTS.cut);
  }
}

async function keep(experiment: Experiment, addresses: ServerAddresses, context: CommandContext): Promise<void> {
  experiment.stop("clients");
  const colours: Colours = coloursFor(process.stdout);
  await context.stdout.write(`${keptScreen(colours, addresses, commandName())}\n`);
  await until(context.stop);
}

/** How this command was called: `zocalo`, or in a clone by the path of its file. */
function commandName(): string {
  const called = process.argv[1] ?? "";
  return basename(called) === "main.js" ? `node ${relative(process.cwd(), called)}` : "zocalo";
}
