/** Loads a module of the user by its path. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, resolve } from "node:path";
import { UsageError, ZocaloError } from "../../index.ts";
import { CommandFailure } from "./exit-codes.ts";

const JAVASCRIPT: readonly string[] = [".js", ".mjs"];
const TYPESCRIPT: readonly string[] = [".ts", ".mts"];

/** Loads a file and answers all its exports. Throws `PATH_NOT_FOUND`, `FILE_UNSUPPORTED`, or why it cannot run. */
export function loadModule(file: string, op: string): Readonly<Record<string, unknown>> {
  if (!existsSync(file)) {
    throw new ZocaloError("PATH_NOT_FOUND", { op, local: file, detail: "there is no such file" });
  }
  checkKind(file, op);
  try {
    // A module that is named when the command runs is no import of this package. `require` takes ES modules too.
    return createRequire(import.meta.url)(resolve(file)) as Record<string, unknown>;
  } catch (error) {
    throw new CommandFailure("FILE_UNSUPPORTED", `${file} cannot be loaded: ${reasonOf(error, file)}`, error);
  }
}

function reasonOf(error: unknown, file: string): string {
  const waits = (error as { readonly code?: unknown }).code === "ERR_REQUIRE_ASYNC_MODULE";
  if (waits) return "it awaits at its top level; move that into a function";
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof SyntaxError) || !TYPESCRIPT.includes(extname(file))) return message;
  const missing = `this Node (${process.version}) leaves the types out and translates nothing, as \`using\` before Node 24`;
  return `${message}; ${missing}: compile the file first and name the .js`;
}

function checkKind(file: string, op: string): void {
  const kind = extname(file);
  if (JAVASCRIPT.includes(kind)) return;
  // Newer versions of Node leave the types out themselves.
  const { typescript } = process.features as { readonly typescript?: unknown };
  if (TYPESCRIPT.includes(kind) && typescript !== undefined && typescript !== false) return;
  const detail = TYPESCRIPT.includes(kind)
    ? `this Node (${process.version}) cannot run TypeScript; compile the file first and name the .js, or use Node 22.18`
    : "name a module: a .js, .mjs or .ts file";
  throw new UsageError("FILE_UNSUPPORTED", { op, local: file, detail });
}
