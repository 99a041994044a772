#!/usr/bin/env node
/** The command `zocalo`. */

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { callCommand } from "./protocol/call.ts";
import { clusterCommand } from "./demo/cluster.ts";
import { connectCommand } from "./sockets/connect.ts";
import { contractCommand } from "./protocol/contract.ts";
import { demoCommand, demoRoleCommand } from "./demo/demo.ts";
import { doctorCommand } from "./doctor/doctor.ts";
import { eventsCommand } from "./protocol/events.ts";
import { inspectCommand } from "./inspect/inspect.ts";
import { addHelp, addHelpCommand } from "./terminal/command.ts";
import { EXIT, wrongUsage } from "./terminal/exit-codes.ts";
import { newProjectCommand } from "./new-project.ts";
import { listenCommand } from "./sockets/listen.ts";
import { inLanguage, spanishComplaint } from "./terminal/language.ts";
import { Output } from "./terminal/output.ts";
import { proxyCommand } from "./proxy/proxy.ts";
import { sendCommand } from "./sockets/send.ts";
import { simCommand } from "./sim/sim.ts";

const TEXTS = inLanguage({
  en: {
    description: "Talk over TCP, TLS, Unix sockets and UDP, as a client or as a server.",
    version: "print the version",
    notes: `Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed
(one line says "zocalo: CODE address: what to do"), 2 wrong usage. Ctrl-C ends
a server with 0, and every other command by the signal (130 in a shell).`,
    examples: [
      "zocalo demo                                          what TCP and UDP promise",
      "zocalo new chat                                      write a small project",
      "zocalo listen tcp://127.0.0.1:7000 --reply upper     start a server",
      "zocalo connect tcp://127.0.0.1:7000                  talk to it",
      "zocalo send udp://127.0.0.1:7001 hola                send a datagram",
    ],
    more: "Help for one command: zocalo listen --help",
    see: (command: string) => `see ${command}`,
  },
  es: {
    description: "Habla por TCP, TLS, sockets Unix y UDP, como cliente o como servidor.",
    version: "escribe la versión",
    notes: `Los datos van a stdout; todo lo demás, a stderr. Termina con 0: hecho; con 1:
falló (una línea dice «zocalo: CÓDIGO dirección: qué hacer»); con 2: la orden
está mal escrita. Ctrl-C termina un servidor con 0, y las demás órdenes por la
señal (130 en un shell).`,
    examples: [
      "zocalo demo                                          qué prometen TCP y UDP",
      "zocalo new chat                                      escribe un proyecto",
      "zocalo listen tcp://127.0.0.1:7000 --reply upper     arranca un servidor",
      "zocalo connect tcp://127.0.0.1:7000                  habla con él",
      "zocalo send udp://127.0.0.1:7001 hola                envía un datagrama",
    ],
    more: "La ayuda de una orden: zocalo listen --help",
    see: (command: string) => `mira ${command}`,
  },
});

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function program(): Command {
  const { description, examples, notes, more } = TEXTS;
  const zocalo = addHelpCommand(new Command("zocalo"))
    .description(description)
    .version(version(), "-V, --version", TEXTS.version)
    .addHelpText("after", `\n${notes}`);
  addHelp(zocalo, examples)
    .configureHelp({ ...zocalo.configureHelp(), subcommandTerm: (command) => command.name() })
    .addHelpText("after", `\n${more}`);
  for (const command of [
    listenCommand(),
    connectCommand(),
    sendCommand(),
    demoCommand(),
    clusterCommand(),
    doctorCommand(),
    newProjectCommand(),
    simCommand(),
    contractCommand(),
    callCommand(),
    eventsCommand(),
    inspectCommand(),
    proxyCommand(),
  ]) {
    zocalo.addCommand(command);
  }
  zocalo.addCommand(demoRoleCommand(), { hidden: true });
  for (const command of [zocalo, ...zocalo.commands, ...zocalo.commands.flatMap((one) => one.commands)]) {
    command.exitOverride().configureOutput({ outputError: () => undefined });
  }
  return zocalo;
}

/** A command line that is wrong ends with one line and exit code 2; help and version are no errors. */
function endOfParsing(error: unknown, args: readonly string[]): void {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error.exitCode === 0 || error.code === "commander.help") return;
  const which = [
    "listen",
    "connect",
    "send",
    "demo",
    "cluster",
    "doctor",
    "new",
    "sim",
    "contract",
    "call",
    "events",
    "inspect",
    "proxy",
  ].find((name) => name === args[0]);
  const help = TEXTS.see(`zocalo ${which === undefined ? "" : `${which} `}--help`);
  const complaint = error.message.replace(/^error: |\.$/g, "");
  const detail = `${inLanguage({ en: complaint, es: spanishComplaint(complaint) })}; ${help}`;
  new Output({ json: args.includes("--json") }).error(wrongUsage(detail));
}

const args = process.argv.slice(2);
process.stdout.on("error", () => undefined);
try {
  await program().parseAsync(args, { from: "user" });
} catch (error) {
  endOfParsing(error, args);
}
