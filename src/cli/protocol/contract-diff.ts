/** `zocalo contract diff`: whether a new contract breaks anybody. */

import type { Command } from "commander";
import { type Contract, type ContractDiff, diffContracts } from "../../protocol.ts";
import { newCommand } from "../terminal/command.ts";
import { CommandFailure, EXIT } from "../terminal/exit-codes.ts";
import { quantity } from "../terminal/quantity.ts";
import { type CommandContext, runCommand } from "../terminal/run-command.ts";
import { type ContractFlags, EXPORT_HELP, loadContract } from "./load-contract.ts";

interface Flags extends ContractFlags {
  readonly json?: boolean;
}

const DESCRIPTION = [
  "Compares two versions of a contract: can clients of OLD talk to a server of NEW? Servers come first in an upgrade. " +
    "Prints what changed and why it matters; the exit code is 0 when nothing breaks and 1 when something does.",
  "Values are compared where the library of their schemas offers JSON Schema.",
];

/** The command. */
export function contractDiffCommand(): Command {
  return newCommand("diff", "tell whether a new contract breaks old clients", DESCRIPTION, [
    "zocalo contract diff old/chat.js chat.js",
    "zocalo contract diff --json old/chat.js chat.js > changes.json",
  ])
    .argument("<old>", "a module that exports the contract as it was")
    .argument("<new>", "a module that exports the contract as it is now")
    .option("--export <name>", EXPORT_HELP)
    .option("--json", "print the changes as JSON; what goes wrong as well")
    .action(async (older: string, newer: string, flags: Flags) => {
      await runCommand({ json: flags.json }, (context) => diff([older, newer], flags, context));
    });
}

async function diff(files: readonly [string, string], flags: Flags, { stdout }: CommandContext): Promise<number> {
  const older = loadContract(files[0], flags.export, "contract");
  const newer = loadContract(files[1], flags.export, "contract");
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
