/** `zocalo sim`: programs in a simulated network. */

import type { Command } from "commander";
import { newCommand } from "../terminal/command.ts";
import { simHuntCommand } from "./hunt.ts";
import { simCheckCommand, simRunCommand } from "./run.ts";
import { simShrinkCommand } from "./shrink.ts";
import { simTraceCommand } from "./trace.ts";

const DESCRIPTION = [
  "Runs a program in a simulated network, which a seed lets go wrong: the same seed does the same again. FILE is a module " +
    'whose default export is a simulation, from "zocalo/sim".',
];

/** The command. */
export function simCommand(): Command {
  const command = newCommand("sim", "run a program in a network that goes wrong", DESCRIPTION, [
    "zocalo sim hunt orders.mjs --seeds 1000     look for seeds that fail",
    "zocalo sim run orders.mjs --seed 17         run one of them",
    "zocalo sim check orders.mjs --seed 17       does only the seed decide?",
    "zocalo sim shrink orders.mjs --seed 17      with as few faults as possible",
    "zocalo sim trace orders.mjs --seed 17       what happens, packet by packet",
  ]).helpCommand("help [command]", "print help for a command");
  for (const one of [simRunCommand(), simHuntCommand(), simCheckCommand(), simShrinkCommand(), simTraceCommand()]) {
    command.addCommand(one);
  }
  return command;
}
