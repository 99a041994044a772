/*
 * Code blocks in Markdown, and the comments that say what to do with them.
 *
 *   <!-- run -->                 run the shell block that follows
 *   <!-- project -->             type the shell block that follows in the project of this page, which has the page's files
 *   <!-- not run: the reason --> do not run the block that follows; TypeScript is compiled all the same
 *   <!-- continues -->           the TypeScript block that follows is the rest of the program of the one before
 *   <!-- file: the path -->      the block that follows is this file, from the root of the repository, word for word
 *   <!-- terminal 1: folder -->  the `console` block that follows is the first terminal of a scene, with the programs of this folder
 *   <!-- terminal 2 -->          it is another terminal of the scene, at the same time as the blocks before it
 *   <!-- then terminal 2 -->     it goes on when everything before it has been seen
 *
 * The comment stands on a line of its own, directly before the block or with blank lines between.
 */

/** What the comment before a block says. */
export type Mark =
  | { readonly kind: "run" }
  | { readonly kind: "project" }
  | { readonly kind: "not-run"; readonly reason: string }
  | { readonly kind: "continues" }
  | { readonly kind: "file"; readonly path: string }
  | TerminalMark;

/** Which terminal of a scene a block is; see `terminals.ts`. */
export interface TerminalMark {
  readonly kind: "terminal";
  readonly terminal: number;
  /** The folder with the programs; a scene begins with the block that names it. */
  readonly folder: string | undefined;
  /** Whether everything before it must have been seen. */
  readonly later: boolean;
}

/** One fenced code block. */
export interface Block {
  /** The file it is in, from the root of the repository. */
  readonly file: string;
  /** The line of the first line of code, counted from 1. */
  readonly line: number;
  /** The first word after the fence; empty if there is none. */
  readonly language: string;
  readonly code: string;
  readonly mark: Mark | undefined;
}

/** All fenced code blocks of a text; `firstLine` is the number of its first line in the file. */
export function parseBlocks(file: string, text: string, firstLine = 1): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split(/\r?\n/);
  let mark: Mark | undefined;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const fence = /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)/.exec(line);
    if (fence === null) {
      if (line.trim() !== "") mark = parseMark(line);
      continue;
    }
    const [, indent = "", fenceMark = "", language = ""] = fence;
    const end = findEnd(lines, index + 1, fenceMark);
    if (end === -1) throw new Error(`${file}:${firstLine + index}: the code block has no end`);
    const code = lines.slice(index + 1, end).map((codeLine) => withoutIndent(codeLine, indent.length));
    blocks.push({ file, line: firstLine + index + 1, language, code: code.join("\n"), mark });
    mark = undefined;
    index = end;
  }
  return blocks;
}

/** All fenced code blocks in the doc comments of a TypeScript source. */
export function parseDocComments(file: string, source: string): readonly Block[] {
  const blocks: Block[] = [];
  for (const match of source.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)) {
    const firstLine = source.slice(0, match.index).split("\n").length;
    const text = match[0]
      .replace(/\*\/$/, "")
      .split("\n")
      .map((line) => line.replace(/^\s*(?:\/\*\*|\*) ?/, ""))
      .join("\n");
    blocks.push(...parseBlocks(file, text, firstLine));
  }
  return blocks;
}

/** CommonMark: the closing fence is of the same character and at least as long (spec 0.31, section 4.5). */
function findEnd(lines: readonly string[], from: number, fence: string): number {
  for (let index = from; index < lines.length; index += 1) {
    const line = (lines[index] ?? "").trim();
    if (line.startsWith(fence) && line === fence.charAt(0).repeat(line.length)) return index;
  }
  return -1;
}

function withoutIndent(line: string, width: number): string {
  const indent = line.length - line.trimStart().length;
  return line.slice(Math.min(indent, width));
}

function parseMark(line: string): Mark | undefined {
  const comment = /^\s*<!--\s*(.*?)\s*-->\s*$/.exec(line)?.[1];
  if (comment === undefined) return undefined;
  if (comment === "run" || comment === "project") return { kind: comment };
  if (comment === "continues") return { kind: "continues" };
  const path = /^file: (\S+)$/.exec(comment)?.[1];
  if (path !== undefined) return { kind: "file", path };
  const terminal = /^(then )?terminal (\d+)(?:: (\S+))?$/.exec(comment);
  if (terminal !== null) {
    const [, then, number, folder] = terminal;
    return { kind: "terminal", terminal: Number(number), folder, later: then !== undefined };
  }
  const reason = /^not run\b:?\s*(.*)$/.exec(comment)?.[1];
  return reason === undefined ? undefined : { kind: "not-run", reason };
}
