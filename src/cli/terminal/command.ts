/** What all commands look like. */

import { Command, Help, type HelpConfiguration, InvalidArgumentError } from "commander";
import { Address } from "../../index.ts";
import { CommandError } from "./exit-codes.ts";
import { inLanguage, spanishArgument, spanishUsage } from "./language.ts";

const TEXTS = inLanguage({
  en: {
    help: "print this help",
    helpCommand: "print help for a command",
    examples: "Examples:",
    output: "Output (data goes to stdout, all of this to stderr):",
    verbose: "print addresses, IP family, TLS, and how each connection ended",
    json: "print each event as one line of JSON",
    give: "Give",
    milliseconds: "a number of milliseconds",
    number: "a number",
    range: (least: number, most: number) => `from ${least} to ${most}`,
    onlyPort: (port: string) => `"${port}" is only a port; write tcp://127.0.0.1:${port} for this machine`,
  },
  es: {
    help: "escribe esta ayuda",
    helpCommand: "escribe la ayuda de una orden",
    examples: "Ejemplos:",
    output: "Salida (los datos van a stdout; todo esto, a stderr):",
    verbose: "escribe las direcciones, la familia IP, el TLS y cómo terminó cada conexión",
    json: "escribe cada suceso como una línea de JSON",
    give: "Da",
    milliseconds: "un número de milisegundos",
    number: "un número",
    range: (least: number, most: number) => `de ${least} a ${most}`,
    onlyPort: (port: string) => `"${port}" es solo un puerto; para esta máquina escribe tcp://127.0.0.1:${port}`,
  },
});

/** What commander writes itself in a help. */
const HELP: HelpConfiguration = inLanguage<HelpConfiguration>({
  en: {},
  es: {
    styleTitle: (title) =>
      ({ "Usage:": "Uso:", "Arguments:": "Argumentos:", "Options:": "Opciones:", "Commands:": "Órdenes:" })[title] ??
      title,
    commandUsage: (command) => spanishUsage(new Help().commandUsage(command)),
    subcommandTerm: (command) => spanishUsage(new Help().subcommandTerm(command)),
    argumentTerm: (argument) => spanishArgument(argument.name()),
    argumentDescription: (argument) => spanishFacts(new Help().argumentDescription(argument)),
    optionTerm: (option) => spanishUsage(option.flags),
    optionDescription: (option) => spanishFacts(new Help().optionDescription(option)),
  },
});

/** What commander puts behind the description of an option or an argument. */
function spanishFacts(description: string): string {
  return description
    .replace(/\(choices: /, "(puede ser: ")
    .replace(/[(,] ?default: /, (text) => text.replace("default", "por omisión"));
}

/** What a command says about itself: one line for the list of commands, paragraphs for its own help, and examples below. */
export interface CommandTexts {
  readonly summary: string;
  readonly paragraphs: readonly string[];
  readonly examples: readonly string[];
}

/** A command with its help. */
export function newCommand(name: string, { summary, paragraphs, examples }: CommandTexts): Command {
  return addHelp(new Command(name).summary(summary).description(paragraphs.join("\n\n")), examples);
}

/** Adds the option for help, with examples below it. */
export function addHelp(command: Command, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  ${example}`).join("\n");
  return command
    .configureHelp(HELP)
    .helpOption("-h, --help", TEXTS.help)
    .addHelpText("after", `\n${TEXTS.examples}\n${lines}`);
}

/** Adds `help` to a command that has others below it. */
export function addHelpCommand(command: Command): Command {
  return command.helpCommand("help [command]", TEXTS.helpCommand);
}

/** Adds the options for what the command tells about itself. */
export function addOutputOptions(command: Command): Command {
  return command.optionsGroup(TEXTS.output).option("-v, --verbose", TEXTS.verbose).option("--json", TEXTS.json);
}

/** Reads the address of a command; without a scheme it is TCP. */
export function parseAddress(text: string, op: string): Address {
  if (/^\d{1,5}$/.test(text)) {
    throw new CommandError("ADDRESS_INVALID", { op, detail: TEXTS.onlyPort(text) });
  }
  return Address.parse(text, { transport: "tcp", op });
}

/** Timers of the system take no more: 24.8 days. */
const MAX_MS = 2_147_483_647;

/** Whole milliseconds, from 0 on. */
export function milliseconds(text: string): number {
  return wholeNumber(text, 0, MAX_MS, TEXTS.milliseconds);
}

/** How often: a whole number, from 1 on. */
export function count(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER, TEXTS.number);
}

/** How many of what takes memory or threads: a whole number, from 1 to `most`. */
export function countUpTo(most: number): (text: string) => number {
  return (text) => wholeNumber(text, 1, most, TEXTS.number);
}

/** Whole units of `unitMs` milliseconds, from 1 on, as long as timers of the system can be. */
export function units(unitMs: number): (text: string) => number {
  return countUpTo(Math.floor(MAX_MS / unitMs));
}

/** A seed: a whole number, from 0 on. */
export function seed(text: string): number {
  return wholeNumber(text, 0, Number.MAX_SAFE_INTEGER, TEXTS.number);
}

function wholeNumber(text: string, least: number, most: number, what: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`${TEXTS.give} ${what} ${TEXTS.range(least, most)}.`);
}
