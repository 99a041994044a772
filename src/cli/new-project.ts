/** `zocalo new`: a small project to begin with. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Argument, type Command } from "commander";
import { shellWord } from "./sim/sim-flags.ts";
import { newCommand } from "./terminal/command.ts";
import { CommandFailure, EXIT, wrongUsage } from "./terminal/exit-codes.ts";
import { inLanguage } from "./terminal/language.ts";
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

const TEXTS = inLanguage({
  en: {
    help: {
      summary: "write a small project to begin with",
      paragraphs: [
        "Writes a small project in TypeScript into a new or empty folder: package.json, tsconfig.json, a program, and its " +
          "test in a simulated network. KIND is chat (a contract, a server and clients), server, client, or sim (a program " +
          "to hunt faults in). FOLDER is the name of the kind where there is none.",
      ],
      examples: ["zocalo new chat", "zocalo new server my-server"],
    },
    kind: "what to write",
    unknown: (kind: string, kinds: string) => `there is no project "${kind}"; name one of ${kinds}`,
    folder: "where; a new folder, or an empty one",
    done: (folder: string, files: string) => `${folder} has ${files}\nnow:`,
    notMade: (folder: string, code: string | undefined) => `${folder} cannot be made (${code}); name another folder`,
    notEmpty: (folder: string) => `${folder} is not empty; name a new folder, or an empty one`,
  },
  es: {
    help: {
      summary: "escribe un proyecto pequeño para empezar",
      paragraphs: [
        "Escribe un proyecto pequeño en TypeScript en una carpeta nueva o vacía: package.json, tsconfig.json, un programa y " +
          "su prueba en una red simulada. CLASE es chat (un contrato, un servidor y clientes), server (un servidor), client " +
          "(un cliente) o sim (un programa en el que buscar fallos). Sin CARPETA, se llama como la clase.",
      ],
      examples: ["zocalo new chat", "zocalo new server mi-servidor"],
    },
    kind: "lo que escribe",
    unknown: (kind, kinds) => `no hay un proyecto «${kind}»; da uno de ${kinds}`,
    folder: "dónde; una carpeta nueva, o una vacía",
    done: (folder, files) => `${folder} tiene ${files}\nahora:`,
    notMade: (folder, code) => `no se puede hacer ${folder} (${code}); da otra carpeta`,
    notEmpty: (folder) => `${folder} no está vacía; da una carpeta nueva, o una vacía`,
  },
});

/** The command. */
export function newProjectCommand(): Command {
  return newCommand("new", TEXTS.help)
    .addArgument(new Argument("<kind>", TEXTS.kind).choices(Object.keys(SCRIPTS)).argParser((kind) => kind))
    .argument("[folder]", TEXTS.folder)
    .action(running(newProject));
}

async function newProject(
  kind: string,
  folder: string | undefined,
  _flags: object,
  { stdout }: CommandContext,
): Promise<number> {
  if (!Object.hasOwn(SCRIPTS, kind)) throw wrongUsage(TEXTS.unknown(kind, Object.keys(SCRIPTS).join(", ")));
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
    `${TEXTS.done(target, written)}\n  cd ${shellWord(target)} && npm install && npm test\n  npm start\n`,
  );
  return EXIT.done;
}

function makeEmptyFolder(folder: string): void {
  const refuse = (detail: string): never => {
    throw new CommandFailure("FOLDER_UNUSABLE", detail);
  };
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    refuse(TEXTS.notMade(folder, (error as NodeJS.ErrnoException).code));
  }
  if (readdirSync(folder).length > 0) refuse(TEXTS.notEmpty(folder));
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
