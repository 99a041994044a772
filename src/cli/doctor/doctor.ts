/** `zocalo doctor`: what this machine offers to programs with sockets. */

import type { Command } from "commander";
import { newCommand } from "../terminal/command.ts";
import { type Colours, coloursFor } from "../terminal/colours.ts";
import { EXIT } from "../terminal/exit-codes.ts";
import { type Finding, lookAtMachine } from "./machine.ts";
import { type CommandContext, runCommand } from "../terminal/run-command.ts";

const DESCRIPTION = [
  "Tries out what this machine offers and prints it as a table. `ok` is as it should be, `no` is not there, `low` is a " +
    "limit that a busy server may reach.",
  "Fails only when something is missing that every program here needs: a new enough Node, and IPv4 on loopback.",
];

/** The command. */
export function doctorCommand(): Command {
  return newCommand("doctor", "show what this machine offers", DESCRIPTION, [
    "zocalo doctor",
    'zocalo doctor --json | grep \'"name":"reusePort"\'',
  ])
    .option("--json", "print one line of JSON for each line of the table, on stdout")
    .action(async (flags: { readonly json?: boolean }) => {
      await runCommand({}, (context) => doctor(flags.json === true, context));
    });
}

async function doctor(json: boolean, { stdout }: CommandContext): Promise<number> {
  const findings = await lookAtMachine();
  const colours = coloursFor(process.stdout);
  const lines = json ? findings.map((finding) => JSON.stringify(finding)) : tableOf(findings, colours);
  await stdout.write(`${lines.join("\n")}\n`);
  return findings.some((finding) => finding.needed && finding.state !== "ok") ? EXIT.failed : EXIT.done;
}

function tableOf(findings: readonly Finding[], colours: Colours): readonly string[] {
  const width = (text: (finding: Finding) => string): number => Math.max(...findings.map((one) => text(one).length));
  const titleWidth = width((finding) => finding.title);
  const valueWidth = width((finding) => finding.value);
  return findings.map(({ state, title, value, note }) => {
    const mark = { ok: colours.green, no: colours.yellow, low: colours.yellow }[state](state.padEnd(3));
    return `${mark}  ${title.padEnd(titleWidth)}  ${colours.bold(value.padEnd(valueWidth))}  ${note}`.trimEnd();
  });
}
