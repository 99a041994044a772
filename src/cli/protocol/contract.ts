/** `zocalo contract`: what two programs agree on, as a file. */

import type { Command } from "commander";
import { type Contract, type ContractDiff, describeContract, diffContracts } from "../../protocol.ts";
import { addHelpCommand, newCommand } from "../terminal/command.ts";
import { CommandFailure, EXIT } from "../terminal/exit-codes.ts";
import { inLanguage, type Language } from "../terminal/language.ts";
import { quantity } from "../terminal/visible-text.ts";
import { type CommandContext, running } from "../terminal/run-command.ts";
import { CONTRACT_HELP, type ContractFlags, EXPORT_HELP, loadContract } from "./load-contract.ts";

const TEXTS = inLanguage({
  en: {
    contract: {
      summary: "read a contract, or compare two",
      paragraphs: [
        'Reads contracts from files. FILE is a module that exports a contract, from "zocalo/protocol": a .js or .mjs file, ' +
          "or a .ts file, with tsx in the project or where Node runs TypeScript (22.18 or newer).",
      ],
      examples: [
        "zocalo contract show chat.js              its documentation, in Markdown",
        "zocalo contract diff old/chat.js chat.js  does the new one break clients?",
      ],
    },
    diff: {
      summary: "tell whether a new contract breaks old clients",
      paragraphs: [
        "Compares two versions of a contract: can clients of OLD talk to a server of NEW? Servers come first in an upgrade. " +
          "Prints what changed and why it matters; the exit code is 0 when nothing breaks and 1 when something does.",
        "It compares values where the library of their schemas offers JSON Schema.",
      ],
      examples: [
        "zocalo contract diff old/chat.js chat.js",
        "zocalo contract diff --json old/chat.js chat.js > changes.json",
      ],
    },
    old: "a module that exports the contract as it was",
    new: "a module that exports the contract as it is now",
    json: "print the changes, and errors, as JSON",
    breaks: "breaks",
    fine: "fine  ",
    compatible: (from: string, to: string) => `compatible: ${from} to ${to}`,
    notCompatible: (from: string, to: string) => `not compatible: ${from} to ${to}`,
    incompatible: (breaking: number, contract: string) =>
      `${quantity(breaking, "change")} of ${contract}; keep what old clients use, or raise the major version and serve both for a while`,
    show: {
      summary: "print the documentation of a contract",
      paragraphs: [
        "Prints what the two sides offer to each other, as Markdown, with the JSON Schema of each value where the library of " +
          "the schema offers it.",
      ],
      examples: ["zocalo contract show chat.js", "zocalo contract show protocols.js --export chat > chat.md"],
    },
  },
  es: {
    contract: {
      summary: "lee un contrato, o compara dos",
      paragraphs: [
        'Lee contratos de archivos. ARCHIVO es un módulo que exporta un contrato, de "zocalo/protocol": un archivo .js o ' +
          ".mjs, o uno .ts, con tsx en el proyecto o donde Node ejecuta TypeScript (22.18 o más nuevo).",
      ],
      examples: [
        "zocalo contract show chat.js                su documentación, en Markdown",
        "zocalo contract diff viejo/chat.js chat.js  ¿rompe a los clientes?",
      ],
    },
    diff: {
      summary: "dice si un contrato nuevo rompe a los clientes viejos",
      paragraphs: [
        "Compara dos versiones de un contrato: ¿pueden los clientes de VIEJO hablar con un servidor de NUEVO? Al actualizar, " +
          "los servidores van delante. Escribe qué cambió y por qué importa; termina con 0 si nada se rompe, y con 1 si algo " +
          "se rompe.",
        "Compara los valores si la biblioteca de sus esquemas ofrece JSON Schema.",
      ],
      examples: [
        "zocalo contract diff viejo/chat.js chat.js",
        "zocalo contract diff --json viejo/chat.js chat.js > cambios.json",
      ],
    },
    old: "un módulo que exporta el contrato como era",
    new: "un módulo que exporta el contrato como es ahora",
    json: "escribe los cambios, y los errores, como JSON",
    breaks: "rompe",
    fine: "bien ",
    compatible: (from, to) => `compatibles: ${from} y ${to}`,
    notCompatible: (from, to) => `no son compatibles: ${from} y ${to}`,
    incompatible: (breaking, contract) =>
      `${quantity(breaking, "cambio")} de ${contract}; conserva lo que usan los clientes viejos, o sube la versión mayor y ofrece las dos una temporada`,
    show: {
      summary: "escribe la documentación de un contrato",
      paragraphs: [
        "Escribe lo que los dos lados se ofrecen, en Markdown, con el JSON Schema de cada valor si la biblioteca del esquema " +
          "lo ofrece.",
      ],
      examples: ["zocalo contract show chat.js", "zocalo contract show protocolos.js --export chat > chat.md"],
    },
  },
});

const LANGUAGE: Language = inLanguage<Language>({ en: "en", es: "es" });

/** The command. */
export function contractCommand(): Command {
  const command = addHelpCommand(newCommand("contract", TEXTS.contract));
  for (const one of [contractShowCommand(), contractDiffCommand()]) command.addCommand(one);
  return command;
}

interface Flags extends ContractFlags {
  readonly json?: boolean;
}

/** The command. */
function contractDiffCommand(): Command {
  return newCommand("diff", TEXTS.diff)
    .argument("<old>", TEXTS.old)
    .argument("<new>", TEXTS.new)
    .option("--export <name>", EXPORT_HELP)
    .option("--json", TEXTS.json)
    .action(running(diff));
}

async function diff(oldFile: string, newFile: string, flags: Flags, { stdout }: CommandContext): Promise<number> {
  const older = loadContract(oldFile, flags.export, "contract");
  const newer = loadContract(newFile, flags.export, "contract");
  const found = diffContracts(older, newer, { language: LANGUAGE });
  await stdout.write(
    flags.json === true ? `${JSON.stringify(jsonOf(older, newer, found))}\n` : textOf(older, newer, found),
  );
  if (found.compatible) return EXIT.done;
  const breaking = found.changes.filter((change) => change.breaking).length;
  throw new CommandFailure("CONTRACT_INCOMPATIBLE", TEXTS.incompatible(breaking, newer.name));
}

function jsonOf(older: Contract, newer: Contract, { compatible, changes }: ContractDiff): object {
  const side = ({ name, version, hash }: Contract): object => ({ name, version, hash });
  return { compatible, older: side(older), newer: side(newer), changes };
}

/** One line for each change, the ones that break first. */
function textOf(older: Contract, newer: Contract, { compatible, changes }: ContractDiff): string {
  const [from, to] = [older, newer].map(({ name, version }) => `${name} ${version}`) as [string, string];
  const head = compatible ? TEXTS.compatible(from, to) : TEXTS.notCompatible(from, to);
  const lines = changes.map(({ path, breaking, reason }) => {
    return `  ${breaking ? TEXTS.breaks : TEXTS.fine}  ${path}: ${reason}`;
  });
  return [head, ...lines, ""].join("\n");
}

/** The command. */
function contractShowCommand(): Command {
  return newCommand("show", TEXTS.show)
    .argument("<file>", CONTRACT_HELP)
    .option("--export <name>", EXPORT_HELP)
    .action(running(show));
}

async function show(file: string, flags: ContractFlags, { stdout }: CommandContext): Promise<number> {
  await stdout.write(describeContract(loadContract(file, flags.export, "contract"), { language: LANGUAGE }));
  return EXIT.done;
}
