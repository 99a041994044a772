/** What a run of a simulation came to, as text. */

import { writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import { type Exploration, type FaultList, faultText, InvariantError } from "../../sim.ts";
import { CommandFailure, wrongUsage } from "../terminal/exit-codes.ts";
import { inLanguage } from "../terminal/language.ts";
import { quantity } from "../terminal/visible-text.ts";

const TEXTS = inLanguage({
  en: {
    noFolder: "there is no such folder",
    unwritable: (code: string | undefined) => `cannot be written (${code})`,
  },
  es: {
    noFolder: "no existe esa carpeta",
    unwritable: (code) => `no se puede escribir (${code})`,
  },
});

/** Calls of a stack that are shown. */
const MOST_PLACES = 5;
/** Where the package itself is, for calls that say nothing about the program. */
const PACKAGE = new URL("../..", import.meta.url).href;

/** A line for a run that passed. */
export function passedText({ seed, durationMs, events, digest, list }: Exploration): string {
  return `seed ${seed}: passed after ${durationMs} ms of virtual time, ${events} events, ${quantity(list.faults.length, "fault")}, digest ${digest}\n`;
}

/** All about a run that failed. */
export function failedText({ seed, durationMs, failure, list }: Exploration): string {
  const { error, identity } = failure ?? { error: undefined, identity: "" };
  return `seed ${seed}: failed at ${durationMs} ms: ${identity}\n${indented(messageOf(error))}\n${placesOf(error)}${listText(list)}`;
}

/** What an error says; of a condition that does not hold what its identity, which has the name, does not say. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  return error instanceof InvariantError
    ? error.detail.replace(JSON.stringify(error.invariant), "").trimStart()
    : error.message;
}

/** A list of faults. */
export function listText({ faults, choices }: FaultList): string {
  const lines = faults.map((fault) => `  at ${fault.atMs} ms for ${fault.lastsMs} ms: ${faultText(fault)}\n`);
  const chosen = Object.entries(choices).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${quantity(faults.length, "fault")}:\n${lines.join("")}choices: ${chosen.join(" ")}\n`;
}

/** The end of a command whose simulation fails: one line with the command that replays it. */
export function simFailure(identity: string, replay: string): CommandFailure {
  return new CommandFailure("SIM_FAILED", `${identity}; replay: ${replay}`);
}

/** Where in the program it failed: the calls of its own, the last first. */
function placesOf(error: unknown): string {
  const calls = error instanceof Error ? (error.stack ?? "").split("\n") : [];
  const own = calls.filter(
    (call) => /^ +at .*:\d+:\d+\)?$/.test(call) && !/\bnode:/.test(call) && !call.includes(PACKAGE),
  );
  return own
    .slice(0, MOST_PLACES)
    .map((call) => `${call}\n`)
    .join("");
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

/** Writes the file of a flag, and says what is wrong with a path that cannot be written. */
export async function writeResult(flag: string, path: string, pieces: readonly (string | Uint8Array)[]): Promise<void> {
  try {
    await writeFile(path, pieces);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw wrongUsage(`${flag} ${path}: ${code === "ENOENT" ? TEXTS.noFolder : TEXTS.unwritable(code)}`);
  }
}
