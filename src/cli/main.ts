#!/usr/bin/env node
/** The command `zocalo`. */

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { callCommand } from "./protocol/call.ts";
import { connectCommand } from "./sockets/connect.ts";
import { contractCommand } from "./protocol/contract.ts";
import { demoCommand, demoRoleCommand } from "./demo/demo.ts";
import { doctorCommand } from "./doctor/doctor.ts";
import { eventsCommand } from "./protocol/events.ts";
import { EXIT, wrongUsage } from "./terminal/exit-codes.ts";
import { newProjectCommand } from "./new-project.ts";
import { listenCommand } from "./sockets/listen.ts";
import { Output } from "./terminal/output.ts";
import { sendCommand } from "./sockets/send.ts";
import { simCommand } from "./sim/sim.ts";

const HELP = `
Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed
(one line says "zocalo: CODE address: what to do"), 2 wrong usage. Ctrl-C ends
a server with 0, and every other command by the signal (130 in a shell).

Examples:
  zocalo demo                                          what TCP and UDP promise
  zocalo new chat                                      write a small project
  zocalo listen tcp://127.0.0.1:7000 --reply upper     start a server
  zocalo connect tcp://127.0.0.1:7000                  talk to it
  zocalo send udp://127.0.0.1:7001 hola                send a datagram

Help for one command: zocalo listen --help`;

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function program(): Command {
  const zocalo = new Command("zocalo")
    .description("Talk over TCP, TLS, Unix sockets and UDP, as a client or as a server.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print help for a command")
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText("after", HELP);
  for (const command of [
    listenCommand(),
    connectCommand(),
    sendCommand(),
    demoCommand(),
    doctorCommand(),
    newProjectCommand(),
    simCommand(),
    contractCommand(),
    callCommand(),
    eventsCommand(),
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
  const which = ["listen", "connect", "send", "demo", "doctor", "new", "sim", "contract", "call", "events"].find(
    (name) => name === args[0],
  );
  const help = `see zocalo ${which === undefined ? "" : `${which} `}--help`;
  const detail = `${error.message.replace(/^error: |\.$/g, "")}; ${help}`;
  new Output({ json: args.includes("--json") }).error(wrongUsage(detail));
}

const args = process.argv.slice(2);
process.stdout.on("error", () => undefined);
try {
  await program().parseAsync(args, { from: "user" });
} catch (error) {
  endOfParsing(error, args);
}
