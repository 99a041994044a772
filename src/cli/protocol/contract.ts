/** `zocalo contract`: what two programs agree on, as a file. */

import type { Command } from "commander";
import { type Contract, type ContractDiff, describeContract, diffContracts } from "../../protocol.ts";
import { newCommand } from "../terminal/command.ts";
import { CommandFailure, EXIT } from "../terminal/exit-codes.ts";
import { quantity } from "../terminal/visible-text.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { type ContractFlags, EXPORT_HELP, loadContract } from "./load-contract.ts";

const DESCRIPTION = [
  'Reads contracts from files. FILE is a module that exports a contract, from "zocalo/protocol": a .js or .mjs file, or a ' +
    ".ts file, with tsx in the project or where Node runs TypeScript (22.18 or newer).",
];

/** The command. */
export function contractCommand(): Command {
  const command = newCommand("contract", "read a contract, or compare two", DESCRIPTION, [
    "zocalo contract show chat.js              its documentation, in Markdown",
    "zocalo contract diff old/chat.js chat.js  does the new one break clients?",
  ]).helpCommand("help [command]", "print help for a command");
  for (const one of [contractShowCommand(), contractDiffCommand()]) command.addCommand(one);
  return command;
}

interface Flags extends ContractFlags {
  readonly json?: boolean;
}

const DIFF_DESCRIPTION = [
  "Compares two versions of a contract: can clients of OLD talk to a server of NEW? Servers come first in an upgrade. " +
    "Prints what changed and why it matters; the exit code is 0 when nothing breaks and 1 when something does.",
  "It compares values where the library of their schemas offers JSON Schema.",
];

/** The command. */
function contractDiffCommand(): Command {
  return newCommand("diff", "tell whether a new contract breaks old clients", DIFF_DESCRIPTION, [
    "zocalo contract diff old/chat.js chat.js",
    "zocalo contract diff --json old/chat.js chat.js > changes.json",
  ])
    .argument("<old>", "a module that exports the contract as it was")
    .argument("<new>", "a module that exports the contract as it is now")
    .option("--export <name>", EXPORT_HELP)
    .option("--json", "print the changes, and errors, as JSON")
    .action(running(diff));
}

async function diff(oldFile: string, newFile: string, flags: Flags, { stdout }: CommandContext): Promise<number> {
  const older = loadContract(oldFile, flags.export, "contract");
  const newer = loadContract(newFile, flags.export, "contract");
  const found = diffContracts(older, newer);
  await stdout.write(
    flags.json === true ? `${JSON.stringify(jsonOf(older, newer, found))}\n` : textOf(older, newer, found),
  );
  if (found.compatible) return EXIT.done;
  const breaking = found.changes.filter((change) => change.breaking).length;
  const advice = "keep what old clients use, or raise the major version and serve both for a while";
  throw new CommandFailure("CONTRACT_INCOMPATIBLE", `${quantity(breaking, "change")} of ${newer.name}; ${advice}`);
}

function jsonOf(older: Contract, newer: Contract, { compatible, changes }: ContractDiff): object {
  const side = ({ name, version, hash }: Contract): object => ({ name, version, hash });
  return { compatible, older: side(older), newer: side(newer), changes };
}

/** One line for each change, the ones that break first. */
function textOf(older: Contract, newer: Contract, { compatible, changes }: ContractDiff): string {
  const names = [older, newer].map(({ name, version }) => `${name} ${version}`);
  const lines = changes.map(({ path, breaking, reason }) => `  ${breaking ? "breaks" : "fine  "}  ${path}: ${reason}`);
  return [`${compatible ? "compatible" : "not compatible"}: ${names.join(" to ")}`, ...lines, ""].join("\n");
}

const SHOW_DESCRIPTION = [
  "Prints what the two sides offer to each other, as Markdown, with the JSON Schema of each value where the library of the " +
    "schema offers it.",
];

/** The command. */
function contractShowCommand(): Command {
  return newCommand("show", "print the documentation of a contract", SHOW_DESCRIPTION, [
    "zocalo contract show chat.js",
    "zocalo contract show protocols.js --export chat > chat.md",
  ])
    .argument("<file>", "a module that exports a contract")
    .option("--export <name>", EXPORT_HELP)
    .action(running(show));
}

async function show(file: string, flags: ContractFlags, { stdout }: CommandContext): Promise<number> {
  await stdout.write(describeContract(loadContract(file, flags.export, "contract")));
  return EXIT.done;
}
