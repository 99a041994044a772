/** `zocalo cluster demo`: servers are killed while one watches, and their sessions go on. */

import { type Command, Option } from "commander";
import { addHelpCommand, addOutputOptions, newCommand, units } from "../terminal/command.ts";
import { CommandFailure, EXIT } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { coloursFor, type OutputOptions } from "../terminal/output.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { ClusterRun, type NodeEvent, plazaIn } from "./cluster-run.ts";
import {
  awayOf,
  besideOpening,
  besideSums,
  clusterOpening,
  clusterSums,
  eventLine,
  faultsText,
} from "./cluster-screen.ts";
import type { CrowdReport } from "./crowd.ts";
import { startRedis } from "./demo-redis.ts";
import { DemoStore, type StoreKind } from "./demo-store.ts";
import { loadOther, otherProgram, type OtherModule } from "./other-program.ts";

interface Flags extends OutputOptions {
  readonly for: number;
  readonly journal?: StoreKind;
  readonly beside?: string;
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
        "With --beside the same work is done afterwards by another program, with a redis-server: a module that exports serve " +
          "and open as bench/peers/socket.io-cluster.mjs in the repository of Zócalo does, beside its packages.",
        "Fails when anything is lost, doubled, out of order or counted wrong by Zócalo.",
      ],
      examples: [
        "zocalo cluster demo",
        "zocalo cluster demo --for 60             a minute of it",
        "zocalo cluster demo --journal file       keep the sessions in a file",
        "zocalo cluster demo --beside bench/peers/socket.io-cluster.mjs",
      ],
    },
    beside: "a module with another program that does the same work",
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
        "Con --beside hace después el mismo trabajo otro programa, con un redis-server: un módulo que exporta serve y open, " +
          "como bench/peers/socket.io-cluster.mjs en el repositorio de Zócalo, junto a sus paquetes.",
        "Falla si con Zócalo algo se pierde, llega dos veces o en desorden, o se cuenta mal.",
      ],
      examples: [
        "zocalo cluster demo",
        "zocalo cluster demo --for 60             un minuto entero",
        "zocalo cluster demo --journal file       guarda las sesiones en un archivo",
        "zocalo cluster demo --beside bench/peers/socket.io-cluster.mjs",
      ],
    },
    beside: "un módulo con otro programa que hace el mismo trabajo",
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
    .addOption(new Option("--journal <kind>", TEXTS.journal).choices(Object.keys(SERVERS)))
    .option("--beside <module>", TEXTS.beside);
  return addOutputOptions(command).action(running(demo));
}

async function demo({ for: seconds, journal, beside }: Flags, context: CommandContext): Promise<number> {
  const { stop } = context;
  stop.throwIfAborted();
  const stopped = new Promise<never>((_resolve, reject) => {
    stop.addEventListener("abort", () => reject(stop.reason as Error), { once: true });
  });
  stopped.catch(() => undefined);
  const forMs = seconds * SECOND_MS;
  // What is wrong with it is said at once.
  const other = beside === undefined ? undefined : loadOther(beside);
  const store = await DemoStore.open(journal, stop);
  const run = new ClusterRun(plazaIn(store));
  try {
    await Promise.race([perform(run, store.kind, forMs, context), stopped]);
  } finally {
    await run.stop();
    store.close();
  }
  if (beside !== undefined && other !== undefined) {
    const comparison = { module: beside, other, servers: SERVERS[store.kind], forMs };
    await compare(comparison, context, stopped);
  }
  return EXIT.done;
}

async function perform(run: ClusterRun, kind: StoreKind, forMs: number, context: CommandContext): Promise<void> {
  const { output, stdout } = context;
  const colours = coloursFor(process.stdout);
  await run.start(SERVERS[kind]);
  const { servers } = run;
  output.detail({ event: "open", journal: kind, servers }, `servers: ${JSON.stringify(servers)}`);
  await stdout.write(`${clusterOpening(colours, kind, servers)}\n`);
  const report = await run.play(forMs, (event) => tell(event, context));
  sumUp("result", report, context);
  await stdout.write(`${clusterSums(colours, report)}\n`);
  const faults = faultsText(report);
  if (faults !== "") throw new CommandFailure("DEMO_FAILED", TEXTS.broken(faults));
}

/** Another program, and how much it is to do. */
interface Comparison {
  readonly module: string;
  readonly other: OtherModule;
  readonly servers: number;
  readonly forMs: number;
}

/** Lets it do that. */
async function compare(
  { module, other, servers, forMs }: Comparison,
  context: CommandContext,
  stopped: Promise<never>,
): Promise<void> {
  const colours = coloursFor(process.stdout);
  const redis = await startRedis(context.stop);
  const run = new ClusterRun(otherProgram(module, other, redis.place));
  const play = async (): Promise<void> => {
    await run.start(servers);
    await context.stdout.write(`${besideOpening(colours, module)}\n`);
    const report = await run.play(forMs, (event) => tell(event, context));
    sumUp("beside", report, context);
    await context.stdout.write(`${besideSums(colours, report)}\n`);
  };
  try {
    await Promise.race([play(), stopped]);
  } finally {
    await run.stop();
    redis.close();
  }
}

async function tell(event: NodeEvent, { output, stdout }: CommandContext): Promise<void> {
  const { what, ...facts } = event;
  output.detail({ event: what, ...facts }, `${what}: ${JSON.stringify(facts)}`);
  await stdout.write(`${eventLine(coloursFor(process.stdout), event)}\n`);
}

function sumUp(event: "result" | "beside", report: CrowdReport, { output }: CommandContext): void {
  const { heardMs: _heard, awayMs: _away, ...counts } = report;
  const facts = { ...counts, ...awayOf(report) };
  output.detail({ event, ...facts }, `${event}: ${JSON.stringify(facts)}`);
}
