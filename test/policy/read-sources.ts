import { type Node, type SourceFile as ParsedFile, SyntaxKind } from "typescript/unstable/ast";
import {
  isCallExpression,
  isExportDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isStringLiteral,
} from "typescript/unstable/ast/is";
import type { FileSystem } from "typescript/unstable/fs";
import { API } from "typescript/unstable/sync";

/** What the rules of the architecture need to know about one source file. */
export interface SourceFile {
  /** From the root of the repository, with slashes: `src/core/errors.ts`. */
  readonly path: string;
  readonly lines: number;
  /** Every import, re-export, dynamic import and `import("...")` type, in the order of the text. */
  readonly imports: readonly Import[];
  /** Lines that are neither blank nor comment, in statements that are neither imports, re-exports nor pure types. */
  readonly logicLines: number;
  /** Whether every statement is `export ... from "..."`. */
  readonly onlyReExports: boolean;
  /** Uses of what only asynchronous code needs: `async`, `await`, `Promise`, `queueMicrotask`. */
  readonly asyncUses: readonly AsyncUse[];
}

/** One module that a file names. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** One word of asynchronous code. */
export interface AsyncUse {
  readonly word: string;
  readonly line: number;
}

const ASYNC_NAMES: ReadonlySet<string> = new Set(["Promise", "PromiseLike", "queueMicrotask"]);

/** The projects of the repository. That of the pages, which know the document of a browser, may be missing. */
const PROJECTS = ["tsconfig.json", "src/page/tsconfig.json"];

/**
 * Parses the files of the projects in `root` whose path begins with `prefix`.
 *
 * @param fs replaces the file system; default: the real one
 */
export function readSources(root: string, prefix: string, fs?: FileSystem): readonly SourceFile[] {
  const api = new API(fs === undefined ? { cwd: root } : { cwd: root, fs });
  try {
    const configs = PROJECTS.map((name) => `${root}/${name}`);
    using snapshot = api.updateSnapshot({ openProjects: configs });
    const files: SourceFile[] = [];
    for (const config of configs) {
      const project = snapshot.getProject(config);
      if (project === undefined && config === configs[0]) throw new Error(`no project at ${config}`);
      for (const name of project?.rootFiles ?? []) {
        const path = name.slice(root.length + 1);
        if (!path.startsWith(prefix)) continue;
        const parsed = project?.program.getSourceFile(name);
        if (parsed === undefined) throw new Error(`not parsed: ${name}`);
        files.push(describe(path, parsed));
      }
    }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  } finally {
    api.close();
  }
}

function describe(path: string, file: ParsedFile): SourceFile {
  const imports: Import[] = [];
  const asyncUses: AsyncUse[] = [];
  const lineOf = (node: Node): number => file.text.slice(0, node.getStart(file)).split("\n").length;

  const visit = (node: Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.push({ specifier, line: lineOf(node) });
    const word = asyncWordOf(node);
    if (word !== undefined) asyncUses.push({ word, line: lineOf(node) });
    node.forEachChild((child) => {
      visit(child);
      return undefined;
    });
  };
  visit(file);

  const statements = [...file.statements];
  return {
    path,
    lines: file.text.replace(/\n$/, "").split("\n").length,
    imports,
    logicLines: statements.reduce((sum, statement) => sum + logicLinesOf(statement, file), 0),
    onlyReExports: statements.every((node) => isExportDeclaration(node) && node.moduleSpecifier !== undefined),
    asyncUses,
  };
}

/** The module that a node names, if it is an import of any form; empty where it is computed. */
function specifierOf(node: Node): string | undefined {
  if (isImportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (isExportDeclaration(node)) return node.moduleSpecifier === undefined ? undefined : textOf(node.moduleSpecifier);
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) return textOf(node.arguments[0]);
  if (isImportTypeNode(node)) return textOf(isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
  return undefined;
}

function textOf(node: Node | undefined): string {
  return node !== undefined && isStringLiteral(node) ? node.text : "";
}

function asyncWordOf(node: Node): string | undefined {
  if (node.kind === SyntaxKind.AsyncKeyword) return "async";
  if (node.kind === SyntaxKind.AwaitExpression || node.kind === SyntaxKind.AwaitKeyword) return "await";
  return isIdentifier(node) && ASYNC_NAMES.has(node.text) ? node.text : undefined;
}

function logicLinesOf(statement: Node, file: ParsedFile): number {
  switch (statement.kind) {
    case SyntaxKind.ImportDeclaration:
    case SyntaxKind.ExportDeclaration:
    case SyntaxKind.InterfaceDeclaration:
    case SyntaxKind.TypeAliasDeclaration:
      return 0;
    default: {
      // The formatter puts each comment on lines of its own, so that a line tells what it is by its first characters.
      const lines = file.text.slice(statement.getStart(file), statement.end).split("\n");
      return lines.filter((line) => !/^\s*($|\/\/|\/\*|\*)/.test(line)).length;
    }
  }
}
