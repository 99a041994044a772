import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { describeCode, errorCodes } from "../../../src/core/errors.ts";
import { SPANISH_SENTENCES } from "../../../src/cli/terminal/language.ts";
import { repositoryRoot } from "../../fixtures/repository-root.ts";

/*
 * The tables of codes in the guide and the one in src/core/errors.ts say the same. A new code needs a row in both pages, at
 * the place that it has in the source. The English sentence is the one of the source, the Spanish one that of the command.
 */

interface Row {
  readonly code: string;
  readonly side: string;
  readonly text: string;
}

function rowsOf(page: string): readonly Row[] {
  const text = readFileSync(join(repositoryRoot, page), "utf8");
  return [...text.matchAll(/^\| `([A-Z][A-Z_]+)` \| (local|remote|system) \| (.+) \|$/gm)].map(
    ([, code = "", side = "", sentence = ""]) => ({ code, side, text: sentence }),
  );
}

const ENGLISH = "docs/guide/errors.md";
const SPANISH = "docs/es/guia/errores.md";

test("the English page has every code, with its side and its sentence", () => {
  const rows = errorCodes.map((code) => {
    const { side, detail } = describeCode(code);
    return { code, side, text: detail };
  });
  assert.deepEqual(rowsOf(ENGLISH), rows, `${ENGLISH} differs from src/core/errors.ts`);
});

test("the Spanish page has every code, with its side and the sentence that the command prints", () => {
  const rows = errorCodes.map((code) => ({ code, side: describeCode(code).side, text: SPANISH_SENTENCES[code] }));
  assert.deepEqual(rowsOf(SPANISH), rows, `${SPANISH} differs from src/cli/terminal/language.ts`);
});
