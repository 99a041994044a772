import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBlocks, parseDocComments } from "./markdown-blocks.ts";

test("blocks are found with language, line, code and mark", () => {
  const text = `# Title

\`\`\`ts
const a = 1;
\`\`\`

<!-- not run: it needs
-->
<!-- not run: needs a second machine -->

\`\`\`sh
zocalo listen
\`\`\`

<!-- run -->
~~~sh
echo '\`\`\`'
~~~

1. In a list:

   <!-- continues -->
   \`\`\`\`ts title="x"
   if (a) {
     b();
   }
   \`\`\`
   \`\`\`\`

<!-- run -->
Words between.
\`\`\`
no language
\`\`\`

<!-- file: examples/a.ts -->
\`\`\`ts
a();
\`\`\`

<!-- terminal 1: examples/a -->
\`\`\`console
$ node a.ts
\`\`\`

<!-- then terminal 2 -->
\`\`\`console
$
\`\`\`

<!-- project -->
\`\`\`sh
npm init -y
\`\`\`
`;
  assert.deepEqual(parseBlocks("x.md", text), [
    { file: "x.md", line: 4, language: "ts", code: "const a = 1;", mark: undefined },
    {
      file: "x.md",
      line: 12,
      language: "sh",
      code: "zocalo listen",
      mark: { kind: "not-run", reason: "needs a second machine" },
    },
    { file: "x.md", line: 17, language: "sh", code: "echo '```'", mark: { kind: "run" } },
    { file: "x.md", line: 24, language: "ts", code: "if (a) {\n  b();\n}\n```", mark: { kind: "continues" } },
    { file: "x.md", line: 33, language: "", code: "no language", mark: undefined },
    { file: "x.md", line: 38, language: "ts", code: "a();", mark: { kind: "file", path: "examples/a.ts" } },
    {
      file: "x.md",
      line: 43,
      language: "console",
      code: "$ node a.ts",
      mark: { kind: "terminal", terminal: 1, folder: "examples/a", later: false },
    },
    {
      file: "x.md",
      line: 48,
      language: "console",
      code: "$",
      mark: { kind: "terminal", terminal: 2, folder: undefined, later: true },
    },
    { file: "x.md", line: 53, language: "sh", code: "npm init -y", mark: { kind: "project" } },
  ]);
});

test("a block without an end is an error that names its line", () => {
  assert.throws(() => parseBlocks("x.md", "a\n```ts\nb"), /^Error: x\.md:2: the code block has no end$/);
});

test("blocks in doc comments have the lines of the source", () => {
  const source = `import a from "a";

/**
 * Text.
 *
 * @example
 * \`\`\`ts
 * if (a) {
 *   b();
 * }
 * \`\`\`
 */
export const c = 1;

// \`\`\`ts
class D {
  /** One line. */
  e = 1;
  /**
   * \`\`\`ts
   * f();
   * \`\`\`
   */
  f = 2;
}
`;
  assert.deepEqual(
    parseDocComments("x.ts", source).map((block) => [block.line, block.language, block.code]),
    [
      [8, "ts", "if (a) {\n  b();\n}"],
      [21, "ts", "f();"],
    ],
  );
});
