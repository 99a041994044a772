/** `zocalo new`: a small project to begin with. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Argument, type Command } from "commander";
import { shellWord } from "./sim/sim-flags.ts";
import { newCommand } from "./terminal/command.ts";
import { CommandFailure, EXIT } from "./terminal/exit-codes.ts";
import { type CommandContext, running } from "./terminal/run-command.ts";

/** The package: its manifest, and the folder with the templates. */
const PACKAGE = new URL("../../", import.meta.url);
const TEMPLATES = new URL("templates/", PACKAGE);

/** What `npm start` and others run, in the project of each kind. */
const SCRIPTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  chat: { start: "node --import tsx server.ts", client: "node --import tsx client.ts" },
  server: { start: "node --import tsx server.ts" },
  client: { start: "node --import tsx client.ts" },
  sim: { start: "zocalo sim run counter.ts", hunt: "zocalo sim hunt counter.ts" },
};

const DESCRIPTION = [
  "Writes a small project in TypeScript into a new or empty folder: package.json, tsconfig.json, a program, and its test in a " +
    "simulated network. KIND is chat (a contract, a server and clients), server, client, or sim (a program to hunt faults in). " +
    "FOLDER is the name of the kind where there is none.",
];

/** The command. */
export function newProjectCommand(): Command {
  return newCommand("new", "write a small project to begin with", DESCRIPTION, [
    "zocalo new chat",
    "zocalo new server my-server",
  ])
    .addArgument(new Argument("<kind>", "what to write").choices(Object.keys(SCRIPTS)))
    .argument("[folder]", "where; a new folder, or an empty one")
    .action(running(newProject));
}

async function newProject(
  kind: string,
  folder: string | undefined,
  _flags: object,
  { stdout }: CommandContext,
): Promise<number> {
  const target = folder ?? kind;
  makeEmptyFolder(target);
  const template = new URL(`${kind}/`, TEMPLATES);
  const files = readdirSync(template).sort();
  const test = files.find((file) => file.endsWith(".test.ts")) ?? "";
  write(target, "package.json", `${JSON.stringify(manifestOf(kind, target, test), null, 2)}\n`);
  write(target, "tsconfig.json", readFileSync(new URL("tsconfig.json", TEMPLATES)));
  write(target, ".gitignore", "node_modules/\n");
  for (const file of files) write(target, file, readFileSync(new URL(file, template)));
  const written = ["package.json", "tsconfig.json", ".gitignore", ...files].join(", ");
  await stdout.write(
    `${target} has ${written}\nnow:\n  cd ${shellWord(target)} && npm install && npm test\n  npm start\n`,
  );
  return EXIT.done;
}

function makeEmptyFolder(folder: string): void {
  const refuse = (detail: string): never => {
    throw new CommandFailure("FOLDER_UNUSABLE", `${folder} ${detail}`);
  };
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    refuse(`cannot be made (${(error as NodeJS.ErrnoException).code}); name another folder`);
  }
  if (readdirSync(folder).length > 0) refuse("is not empty; name a new folder, or an empty one");
}

/** Never over a file that is there. */
function write(folder: string, file: string, text: string | Uint8Array): void {
  writeFileSync(resolve(folder, file), text, { flag: "wx" });
}

/** The versions are those with which the templates are tested. */
function manifestOf(kind: string, folder: string, test: string): object {
  const own = JSON.parse(readFileSync(new URL("package.json", PACKAGE), "utf8")) as {
    readonly version: string;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const tools = ["@types/node", "tsx", "typescript"].map((name) => [name, own.devDependencies[name]] as const);
  return {
    name: nameOf(folder) || kind,
    private: true,
    type: "module",
    scripts: { ...SCRIPTS[kind], test: `node --import tsx --test ${test}`, check: "tsc" },
    dependencies: { zocalo: `^${own.version}` },
    devDependencies: Object.fromEntries<string | undefined>(tools),
    // Of tsx; it works without, and npm 11 warns of a script about which the project says nothing.
    allowScripts: { esbuild: false },
  };
}

/** A name that npm takes: of small letters, digits and hyphens. */
function nameOf(folder: string): string {
  return basename(resolve(folder))
    .normalize("NFD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "")
    .replaceAll(/^-+|-+$/g, "");
}
