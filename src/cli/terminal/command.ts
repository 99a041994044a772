/** What all commands look like. */

import { Command, InvalidArgumentError } from "commander";
import { Address, UsageError } from "../../index.ts";

/** A command: one line for the list of commands, paragraphs for its own help, and examples below. */
export function newCommand(
  name: string,
  summary: string,
  paragraphs: readonly string[],
  examples: readonly string[],
): Command {
  const lines = examples.map((example) => `  ${example}`).join("\n");
  return new Command(name)
    .summary(summary)
    .description(paragraphs.join("\n\n"))
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", `\nExamples:\n${lines}`);
}

/** Adds the options for what the command tells about itself. */
export function addOutputOptions(command: Command): Command {
  return command
    .optionsGroup("Output (data goes to stdout, all of this to stderr):")
    .option("-v, --verbose", "print addresses, IP family, TLS, and how each connection ended")
    .option("--json", "print each event as one line of JSON");
}

/** Reads the address of a command; without a scheme it is TCP. */
export function parseAddress(text: string, op: string): Address {
  if (/^\d{1,5}$/.test(text)) {
    const detail = `"${text}" is only a port; write tcp://127.0.0.1:${text} for this machine`;
    throw new UsageError("ADDRESS_INVALID", { op, detail });
  }
  return Address.parse(text, { transport: "tcp", op });
}

/** Timers of the system take no more: 24.8 days. */
const MAX_MS = 2_147_483_647;

/** Whole milliseconds, from 0 on. */
export function milliseconds(text: string): number {
  return wholeNumber(text, 0, MAX_MS, "a number of milliseconds");
}

/** How often: a whole number, from 1 on. */
export function count(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER, "a number");
}

/** How many of what takes memory or threads: a whole number, from 1 to `most`. */
export function countUpTo(most: number): (text: string) => number {
  return (text) => wholeNumber(text, 1, most, "a number");
}

/** Whole units of `unitMs` milliseconds, from 1 on, as long as timers of the system can be. */
export function units(unitMs: number): (text: string) => number {
  return countUpTo(Math.floor(MAX_MS / unitMs));
}

/** A seed: a whole number, from 0 on. */
export function seed(text: string): number {
  return wholeNumber(text, 0, Number.MAX_SAFE_INTEGER, "a number");
}

function wholeNumber(text: string, least: number, most: number, what: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Give ${what} from ${least} to ${most}.`);
}
