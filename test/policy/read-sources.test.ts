import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualFileSystem } from "typescript/unstable/fs";
import { readSources, type SourceFile } from "./read-sources.ts";

function read(text: string): SourceFile {
  const fs = createVirtualFileSystem({
    "/project/tsconfig.json": `{ "compilerOptions": { "module": "nodenext", "noLib": true }, "include": ["src"] }`,
    "/project/src/a.ts": text,
    "/project/other/b.ts": "export const outside = 1;",
  });
  const files = readSources("/project", "src/", fs);
  assert.deepEqual(
    files.map((file) => file.path),
    ["src/a.ts"],
  );
  return files[0]!;
}

test("every form of import is found, and nothing that only looks like one", () => {
  const file = read(`import "./side-effect.ts";
import a from "./default.ts";
import type { B } from "./type.ts";
import {
  c,
  type D,
} from "node:net";
export * from "./star.ts";
export type { E } from "./exported-type.ts";
export { a, c };
const text = 'import x from "./in-a-string.ts"';
// import x from "./in-a-comment.ts";
const template = \`import("./in-a-template.ts") \${await import("./dynamic.ts")}\`;
type F = import("./import-type.ts").F<import("./nested.ts").G>;
export const computed = import(text);
`);
  assert.deepEqual(
    file.imports.map((entry) => [entry.specifier, entry.line]),
    [
      ["./side-effect.ts", 1],
      ["./default.ts", 2],
      ["./type.ts", 3],
      ["node:net", 4],
      ["./star.ts", 8],
      ["./exported-type.ts", 9],
      ["./dynamic.ts", 13],
      ["./import-type.ts", 14],
      ["./nested.ts", 14],
      ["", 15],
    ],
  );
});

test("asynchronous words are found in values and types, not in comments and names", () => {
  const file = read(`// async await Promise
export const awaited = "Promise";
export async function f(): Promise<void> {
  await 1;
  for await (const x of []) queueMicrotask(() => x);
}
`);
  assert.deepEqual(
    file.asyncUses.map((use) => `${use.line} ${use.word}`),
    ["3 async", "3 Promise", "4 await", "5 await", "5 queueMicrotask"],
  );
});

test("lines of logic leave out blank lines, comments, imports and pure types", () => {
  const file = read(`import a from "./a.ts";
export type { B } from "./b.ts";
/** Documented. */
export interface C {
  d: string;
}
export type E = string | number;

/** Three lines. */
export function f(): number {
  // comment

  return a * 2; // not this one
}
`);
  assert.equal(file.logicLines, 3);
  assert.equal(file.lines, 14);
  assert.equal(file.onlyReExports, false);
});

test("an entry point is re-exports and nothing else", () => {
  assert.equal(read(`/** Text. */\nexport * from "./a.ts";\nexport { b } from "./b.ts";\n`).onlyReExports, true);
  assert.equal(read(`import { b } from "./b.ts";\nexport { b };\n`).onlyReExports, false);
});
