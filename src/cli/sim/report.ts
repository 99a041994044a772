/** What a run of a simulation came to, as text. */

import { type Exploration, type FaultList, faultText } from "../../sim.ts";
import { CommandFailure } from "../exit-codes.ts";

/** A line for a run that passed. */
export function passedText({ seed, durationMs, events, digest, list }: Exploration): string {
  return `seed ${seed}: passed after ${durationMs} ms of virtual time, ${events} events, ${list.faults.length} faults, digest ${digest}\n`;
}

/** All about a run that failed. */
export function failedText({ seed, durationMs, failure, list }: Exploration): string {
  const { error, identity } = failure ?? { error: undefined, identity: "" };
  const message = error instanceof Error ? error.message : String(error);
  return `seed ${seed}: failed at ${durationMs} ms: ${identity}\n${indented(message)}\n${listText(list)}`;
}

/** A list of faults. */
export function listText({ faults, choices }: FaultList): string {
  const lines = faults.map((fault) => `  at ${fault.atMs} ms for ${fault.lastsMs} ms: ${faultText(fault)}\n`);
  const chosen = Object.entries(choices).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${faults.length} faults:\n${lines.join("")}choices: ${chosen.join(" ")}\n`;
}

/** The end of a command whose simulation fails: one line with the command that replays it. */
export function simFailure(identity: string, replay: string): CommandFailure {
  return new CommandFailure("SIM_FAILED", `${identity}; replay: ${replay}`);
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
