import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/* The rules of behaviour: what comments and tests cite stands in docs/semantics.md, and a test cites each rule of that page. */

const PAGE = "docs/semantics.md";
/** Rules that no test can cite, each with the reason. */
const UNCITED: Readonly<Record<string, string>> = {};

const rules = [...readFileSync(join(repositoryRoot, PAGE), "utf8").matchAll(/^### ([A-E]\d+)\. /gm)].map(
  ([, id = ""]) => id,
);

const files = ["src", "test"]
  .flatMap((folder) => {
    const paths = readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" });
    return paths.filter((path) => path.endsWith(".ts")).map((path) => `${folder}/${path.replaceAll("\\", "/")}`);
  })
  .filter((path) => path !== "test/policy/semantics.test.ts")
  .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), "utf8") }));

/** What a text cites: `rule A1`, or `rules A1, B2 and C3`. A line of a comment may end in between. */
function citedIn(text: string): readonly string[] {
  const citations = text.replaceAll(/\n\s*(?:\*|\/\/) /g, " ").matchAll(/\brules? [A-E]\d+(?:(?:, | and )[A-E]\d+)*/gi);
  return [...citations].flatMap(([citation]) => citation.match(/[A-E]\d+/g) ?? []);
}

test("the rules of each letter are numbered from 1 on, in order", () => {
  const letters = [...new Set(rules.map((id) => id.charAt(0)))];
  assert.deepEqual(letters, ["A", "B", "C", "D", "E"]);
  const numbered = letters.flatMap((letter) =>
    rules.filter((id) => id.startsWith(letter)).map((_id, index) => `${letter}${index + 1}`),
  );
  assert.deepEqual(rules, numbered);
});

test("each rule that is cited stands in the page", () => {
  const unknown = files.flatMap(({ path, text }) =>
    citedIn(text)
      .filter((id) => !rules.includes(id))
      .map((id) => `${path}: rule ${id}`),
  );
  assert.deepEqual(unknown, []);
});

test("a file that cites a rule names the page, and cites in no other form", () => {
  const pageless = files.filter(({ text }) => citedIn(text).length > 0 && !text.includes(PAGE)).map(({ path }) => path);
  assert.deepEqual(pageless, []);
  // `D.10` and `(D10)` were the old forms; RFCs number their appendices like the former.
  const otherForm = /\bSEMANTICS\b|"[A-E]\.?\d+:? |\([A-E](?:\.\d+|[1-9]\d*)\)/;
  assert.deepEqual(
    files.filter(({ text }) => otherForm.test(text)).map(({ path }) => path),
    [],
  );
});

test("a test cites each rule of the page", () => {
  const tests = files.filter(({ path }) => path.endsWith(".test.ts") || path.startsWith("src/testing/"));
  const cited = new Set(tests.flatMap(({ text }) => citedIn(text)));
  assert.deepEqual(
    rules.filter((id) => !cited.has(id)),
    Object.keys(UNCITED),
  );
});
