/** Loads a module of the user by its path. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, resolve } from "node:path";
import { CommandError, CommandFailure } from "./exit-codes.ts";
import { inLanguage } from "./language.ts";

type Load = (path: string) => unknown;

/** What is used of tsx. */
interface Tsx {
  readonly register: () => unknown;
}

const JAVASCRIPT: readonly string[] = [".js", ".mjs"];
const TYPESCRIPT: readonly string[] = [".ts", ".mts"];
/** The entry points of this package that such a file may import. */
const ENTRIES: readonly string[] = ["index", "framing", "protocol", "sim"];

const TEXTS = inLanguage({
  en: {
    install: "install tsx: npm install --save-dev tsx",
    noFile: "there is no such file",
    broken: (file: string, reason: string) => `${file} cannot be loaded: ${reason}`,
    awaits: "it awaits at its top level; move that into a function",
    untranslated: (node: string) =>
      `this Node (${node}) leaves the types out and translates nothing, as \`using\` before Node 24`,
    noModule: "name a module: a .js, .mjs or .ts file",
    noTypescript: (node: string) => `this Node (${node}) cannot run TypeScript by itself`,
  },
  es: {
    install: "instala tsx: npm install --save-dev tsx",
    noFile: "no existe ese archivo",
    broken: (file, reason) => `no se puede cargar ${file}: ${reason}`,
    awaits: "espera con await fuera de una función; mételo en una",
    untranslated: (node) => `este Node (${node}) quita los tipos y no traduce nada, como \`using\` antes de Node 24`,
    noModule: "da un módulo: un archivo .js, .mjs o .ts",
    noTypescript: (node) => `este Node (${node}) no ejecuta TypeScript por sí mismo`,
  },
});
const INSTALL_TSX = TEXTS.install;

/** Loads a file and answers all its exports. Throws `PATH_NOT_FOUND`, `FILE_UNSUPPORTED`, or why it cannot run. */
export function loadModule(file: string, op: string): Readonly<Record<string, unknown>> {
  if (!existsSync(file)) {
    throw new CommandError("PATH_NOT_FOUND", { op, local: file, detail: TEXTS.noFile });
  }
  const path = resolve(file);
  const load = loaderOf(file, path, op);
  try {
    return load(path) as Record<string, unknown>;
  } catch (error) {
    throw new CommandFailure("FILE_UNSUPPORTED", TEXTS.broken(file, reasonOf(error, file)), error);
  }
}

function reasonOf(error: unknown, file: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const waits = (error as { readonly code?: unknown } | null | undefined)?.code === "ERR_REQUIRE_ASYNC_MODULE";
  if (waits || message.includes("Top-level await")) return TEXTS.awaits;
  if (!(error instanceof SyntaxError) || !TYPESCRIPT.includes(extname(file))) return message;
  return `${message}; ${TEXTS.untranslated(process.version)}: ${INSTALL_TSX}`;
}

function loaderOf(file: string, path: string, op: string): Load {
  const kind = extname(file);
  // A module that is named when the command runs is no import of this package. `require` takes ES modules too.
  if (JAVASCRIPT.includes(kind)) return createRequire(import.meta.url);
  if (!TYPESCRIPT.includes(kind)) {
    throw new CommandError("FILE_UNSUPPORTED", { op, local: file, detail: TEXTS.noModule });
  }
  const byTsx = loaderOfTsx(path);
  if (byTsx !== undefined) return byTsx;
  // From 22.18 on Node leaves the types out itself.
  const { typescript } = process.features as { readonly typescript?: unknown };
  if (typescript !== undefined && typescript !== false) return createRequire(import.meta.url);
  const detail = `${TEXTS.noTypescript(process.version)}; ${INSTALL_TSX}`;
  throw new CommandError("FILE_UNSUPPORTED", { op, local: file, detail });
}

/** Of the project to which the file belongs, or of the one that has this package. */
function loaderOfTsx(path: string): Load | undefined {
  for (const place of [path, import.meta.url]) {
    try {
      const tsx = createRequire(place)("tsx/cjs/api") as Tsx;
      return (id) => loadBy(tsx, id);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

function loadBy(tsx: Tsx, id: string): unknown {
  const require = createRequire(import.meta.url);
  // Or else tsx translates this package too, and the program has another copy of it than the command.
  for (const entry of ENTRIES) require(`../../${entry}.js`);
  // It stays: stacks then have the lines of the file.
  tsx.register();
  return require(id);
}
