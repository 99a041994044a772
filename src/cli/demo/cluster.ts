/** `zocalo cluster demo`: servers are killed while one watches, and their sessions go on. */

import { type Command, Option } from "commander";
import { addHelpCommand, addOutputOptions, newCommand, units } from "../terminal/command.ts";
import { CommandFailure, EXIT } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { coloursFor, type OutputOptions } from "../terminal/output.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { ClusterRun } from "./cluster-run.ts";
import { awayOf, clusterOpening, clusterSums, eventLine, faultsText } from "./cluster-screen.ts";
import { DemoStore, type StoreKind } from "./demo-store.ts";

interface Flags extends OutputOptions {
  readonly for: number;
  readonly journal?: StoreKind;
}

const TEXTS = inLanguage({
  en: {
    cluster: {
      summary: "show sessions that outlive their server",
      paragraphs: ["Several servers with one journal: a session goes on at another server when its own dies."],
      examples: ["zocalo cluster demo                   three servers, of which one dies now and then"],
    },
    demo: {
      summary: "kill servers while clients talk, and count what is lost",
      paragraphs: [
        "Starts a nats-server and three servers on this machine, each a process, and 30 clients that talk in groups of ten " +
          "and count. Kills one server after the other, and starts it again. Prints what was lost, what came twice, how many " +
          "sessions have moved, and for how long their clients were away.",
        "Where nats-server or the packages of its journal are not here, sessions are kept in a file, by two servers; that " +
          "needs the package lmdb. Everything stays on this machine, and nothing is left behind.",
        "Fails when anything is lost, doubled, out of order or counted wrong.",
      ],
      examples: [
        "zocalo cluster demo",
        "zocalo cluster demo --for 60             a minute of it",
        "zocalo cluster demo --journal file       keep the sessions in a file",
      ],
    },
    for: "how long the clients talk, in seconds",
    journal: "what keeps the sessions (default: nats where it is here)",
    broken: (faults: string) => `the cluster broke its promise (${faults}); please report this`,
  },
  es: {
    cluster: {
      summary: "enseña sesiones que sobreviven a su servidor",
      paragraphs: ["Varios servidores con un diario: si muere su servidor, una sesión sigue en otro."],
      examples: ["zocalo cluster demo                   tres servidores; a veces muere uno"],
    },
    demo: {
      summary: "mata servidores mientras hablan los clientes, y cuenta lo perdido",
      paragraphs: [
        "Arranca en esta máquina un nats-server y tres servidores, cada uno un proceso, y 30 clientes que hablan en grupos de " +
          "diez y cuentan. Mata un servidor tras otro, y los arranca otra vez. Escribe qué se perdió, qué llegó dos veces, " +
          "cuántas sesiones se mudaron y cuánto tiempo estuvieron fuera sus clientes.",
        "Donde falta nats-server, o faltan los paquetes de su diario, dos servidores guardan las sesiones en un archivo; para " +
          "eso hace falta el paquete lmdb. Todo queda en esta máquina, y al final no queda nada.",
        "Falla si algo se pierde, llega dos veces o en desorden, o se cuenta mal.",
      ],
      examples: [
        "zocalo cluster demo",
        "zocalo cluster demo --for 60             un minuto entero",
        "zocalo cluster demo --journal file       guarda las sesiones en un archivo",
      ],
    },
    for: "cuánto tiempo hablan los clientes, en segundos",
    journal: "qué guarda las sesiones (por omisión: nats donde lo hay)",
    broken: (faults) => `los servidores no cumplieron su promesa (${faults}); comunícalo, por favor`,
  },
});

const SECOND_MS = 1_000;
const DEFAULT_SECONDS = 10;
/** A file has one machine; with two servers one is left. */
const SERVERS: Readonly<Record<StoreKind, number>> = { nats: 3, file: 2 };

/** The command. */
export function clusterCommand(): Command {
  return addHelpCommand(newCommand("cluster", TEXTS.cluster)).addCommand(clusterDemoCommand());
}

function clusterDemoCommand(): Command {
  const command = newCommand("demo", TEXTS.demo)
    .option("--for <seconds>", TEXTS.for, units(SECOND_MS), DEFAULT_SECONDS)
    .addOption(new Option("--journal <kind>", TEXTS.journal).choices(Object.keys(SERVERS)));
  return addOutputOptions(command).action(running(demo));
}

async function demo({ for: seconds, journal }: Flags, context: CommandContext): Promise<number> {
  const { stop } = context;
  stop.throwIfAborted();
  const stopped = new Promise<never>((_resolve, reject) => {
    stop.addEventListener("abort", () => reject(stop.reason as Error), { once: true });
  });
  stopped.catch(() => undefined);
  const store = await DemoStore.open(journal, stop);
  const run = new ClusterRun(store);
  try {
    await Promise.race([perform(run, store.kind, seconds * SECOND_MS, context), stopped]);
    return EXIT.done;
  } finally {
    await run.stop();
    store.close();
  }
}

async function perform(run: ClusterRun, kind: StoreKind, forMs: number, context: CommandContext): Promise<void> {
  const { output, stdout } = context;
  const colours = coloursFor(process.stdout);
  await run.start(SERVERS[kind]);
  const { servers } = run;
  output.detail({ event: "open", journal: kind, servers }, `servers: ${JSON.stringify(servers)}`);
  await stdout.write(`${clusterOpening(colours, kind, servers)}\n`);
  const report = await run.play(forMs, async (event) => {
    const { what, ...facts } = event;
    output.detail({ event: what, ...facts }, `${what}: ${JSON.stringify(facts)}`);
    await stdout.write(`${eventLine(colours, event)}\n`);
  });
  const { heardMs: _heard, awayMs: _away, ...counts } = report;
  const facts = { ...counts, ...awayOf(report) };
  output.detail({ event: "result", ...facts }, `result: ${JSON.stringify(facts)}`);
  await stdout.write(`${clusterSums(colours, report)}\n`);
  const faults = faultsText(report);
  if (faults !== "") throw new CommandFailure("DEMO_FAILED", TEXTS.broken(faults));
}
