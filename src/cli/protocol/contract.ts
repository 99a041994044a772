/** `zocalo contract`: what two programs agree on, as a file. */

import type { Command } from "commander";
import { newCommand } from "../terminal/command.ts";
import { contractDiffCommand } from "./contract-diff.ts";
import { contractShowCommand } from "./contract-show.ts";

const DESCRIPTION = [
  'Reads contracts from files. FILE is a module that exports a contract, from "zocalo/protocol": a .js or .mjs file, or a ' +
    ".ts file where Node runs TypeScript (22.18 or newer).",
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
