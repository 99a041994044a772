import assert from "node:assert/strict";
import { test } from "node:test";
import { fileGraph, findCycle, importViolations, layerGraph, layerOf, type LayerTable } from "./import-rules.ts";
import type { SourceFile } from "./read-sources.ts";

const table: LayerTable = {
  core: { layers: [] },
  "core/a": { layers: ["core"], packages: ["ipaddr.js", "@scope/name"] },
  io: { layers: ["core", "core/a"], builtins: ["node:stream"] },
  cli: { layers: ["entries"], builtins: ["*"] },
  entries: { layers: ["core", "io"] },
};

function file(path: string, ...specifiers: readonly string[]): SourceFile {
  const imports = specifiers.map((specifier, index) => ({ specifier, line: index + 1 }));
  return { path, imports, lines: 1, logicLines: 0, onlyReExports: false, asyncUses: [] };
}

function violations(...files: readonly SourceFile[]): readonly string[] {
  return importViolations(files, table, new Set(["node:net"]));
}

test("a file belongs to the layer of its folder", () => {
  assert.equal(layerOf("src/index.ts"), "entries");
  assert.equal(layerOf("src/core/errors.ts"), "core");
  assert.equal(layerOf("src/core/framing/boundaries/lines.ts"), "core/framing/boundaries");
});

test("what the table allows passes", () => {
  const clean = [
    file("src/core/a/x.ts", "../errors.ts", "./y.ts", "ipaddr.js", "ipaddr.js/sub", "@scope/name/sub"),
    file("src/io/x.ts", "../core/a/x.ts", "node:stream"),
    file("src/cli/main.ts", "../index.ts", "node:fs"),
    file("src/index.ts", "./io/x.ts"),
    file("src/core/a/x.test.ts", "../../io/x.ts", "node:net"),
  ];
  assert.deepEqual(violations(...clean), []);
});

test("everything else is named with its line", () => {
  const wrong: readonly (readonly [string, string, string])[] = [
    ["src/core/errors.ts", "./a/x.ts", `"core" must not import "core/a" (./a/x.ts)`],
    ["src/core/a/x.ts", "node:stream", `"core/a" must not import node:stream`],
    ["src/core/a/x.ts", "@scope/other", `"core/a" must not import the package @scope/other`],
    ["src/io/x.ts", "../cli/main.ts", `"io" must not import "cli" (../cli/main.ts)`],
    ["src/io/x.ts", "./x.test.ts", "./x.test.ts is a test"],
    ["src/io/x.ts", "../../test/x.ts", "../../test/x.ts lies outside src"],
    ["src/io/x.ts", "", "an import must name its module as text"],
    ["src/cli/main.ts", "node:net", `"cli" must not import node:net`],
    ["src/cli/main.ts", "zocalo", `"cli" must not import the package zocalo`],
  ];
  for (const [path, specifier, problem] of wrong) {
    assert.deepEqual(violations(file(path, specifier)), [`${path}:1: ${problem}`]);
  }
  assert.deepEqual(violations(file("src/new/x.ts")), [`src/new/x.ts: the folder "new" has no row in the table`]);
});

test("a cycle is found and shown from its start to its start", () => {
  const files = [
    file("src/io/a.ts", "./b.ts"),
    file("src/io/b.ts", "./c.ts"),
    file("src/io/c.ts", "./b.ts", "node:net"),
  ];
  assert.deepEqual(findCycle(fileGraph(files)), ["src/io/b.ts", "src/io/c.ts", "src/io/b.ts"]);
  assert.equal(findCycle(fileGraph(files.slice(0, 2))), undefined);
  assert.deepEqual(findCycle(layerGraph([file("src/io/a.ts", "../node/b.ts"), file("src/node/b.ts", "../io/c.ts")])), [
    "io",
    "node",
    "io",
  ]);
});
