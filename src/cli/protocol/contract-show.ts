/** `zocalo contract show`: the documentation of a contract. */

import type { Command } from "commander";
import { describeContract } from "../../protocol.ts";
import { newCommand } from "../terminal/command.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import { runCommand } from "../terminal/run-command.ts";
import { type ContractFlags, EXPORT_HELP, loadContract } from "./load-contract.ts";

const DESCRIPTION = [
  "Prints what the two sides offer to each other, as Markdown, with the JSON Schema of each value where the library of the " +
    "schema offers it.",
];

/** The command. */
export function contractShowCommand(): Command {
  return newCommand("show", "print the documentation of a contract", DESCRIPTION, [
    "zocalo contract show chat.js",
    "zocalo contract show protocols.js --export chat > chat.md",
  ])
    .argument("<file>", "a module that exports a contract")
    .option("--export <name>", EXPORT_HELP)
    .action(async (file: string, flags: ContractFlags) => {
      await runCommand({}, async ({ stdout }) => {
        await stdout.write(describeContract(loadContract(file, flags.export, "contract")));
        return EXIT.done;
      });
    });
}
