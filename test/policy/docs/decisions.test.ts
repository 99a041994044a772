import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../fixtures/repository-root.ts";

/* Each decision has a number of its own, the same in its name and in its heading. */

const FOLDER = "docs/decisions";
const files = readdirSync(join(repositoryRoot, FOLDER)).sort();

test("no two decisions have one number", () => {
  const numbers = files.map((file) => file.slice(0, 4));
  assert.deepEqual(
    files.filter((_, index) => numbers.indexOf(numbers[index] ?? "") !== index),
    [],
  );
});

test("the heading of a decision begins with the number of its file", () => {
  const wrong = files.filter((file) => {
    const text = readFileSync(join(repositoryRoot, FOLDER, file), "utf8");
    return !/^\d{4}-[\d.a-z-]+\.md$/.test(file) || !text.startsWith(`# ${file.slice(0, 4)}: `);
  });
  assert.deepEqual(wrong, []);
});
