/** What all commands look like. */

import { Command } from "commander";
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
