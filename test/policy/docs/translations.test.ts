import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../fixtures/repository-root.ts";
import { parseBlocks } from "./markdown-blocks.ts";

/*
 * The Spanish pages are as complete as the English ones: the same pages, with the same outline, the same programs and figures. Words
 * are free, also those in strings, comments and names of files of the programs. So is the name of a page: the link below its
 * title says of which page it is the translation.
 */

const ENGLISH = "docs/guide";
const SPANISH = "docs/es/guia";

function pagesIn(folder: string): readonly string[] {
  return readdirSync(join(repositoryRoot, folder))
    .map((page) => `${folder}/${page}`)
    .sort();
}

function read(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}

/** The page in the other language that a page names below its title. */
function translationOf(path: string): string | undefined {
  const target = /^\*\[(?:In English|En español)\]\((.+)\)\*$/m.exec(read(path))?.[1];
  return target === undefined ? undefined : join(path, "..", target);
}
/** The text without its code blocks. */
function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** Levels of headings, and how many items of lists and rows of tables follow each. */
function outlineOf(path: string): readonly string[] {
  const outline: { level: string; items: number; rows: number }[] = [];
  for (const line of prose(read(path)).split("\n")) {
    const level = /^#+(?= )/.exec(line)?.[0];
    if (level !== undefined) outline.push({ level, items: 0, rows: 0 });
    const section = outline.at(-1);
    if (section !== undefined && /^(?:-|\d+\.) /.test(line)) section.items += 1;
    if (section !== undefined && line.startsWith("|")) section.rows += 1;
  }
  return outline.map(({ level, items, rows }) => `${level} ${items} items, ${rows} rows`);
}

/** The figures of each section, such as limits and what was measured, as one writes them in that language. */
function figuresOf(path: string, marks: { readonly thousands: string; readonly decimals: string }): readonly string[] {
  const thousands = new RegExp(`(?<=\\d)[${marks.thousands}](?=\\d{3}(?!\\d))`, "g");
  const plain = prose(read(path)).replaceAll(/<!--[^]*?-->|\]\([^)]*\)|`[^`]*`/g, "");
  return plain.split(/^(?=#+ )/m).map((section) => {
    const figures = Array.from(section.matchAll(/(?<![\w-])\d+(?:[.,]\d+)*/g), ([figure]) =>
      figure.replaceAll(thousands, "").replace(marks.decimals, "."),
    );
    return figures.sort().join(" ");
  });
}

/** A program without what a translation changes. Strings go first: they may hold what looks like a comment. */
function bareCode(code: string): string {
  return code
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, '""')
    .replaceAll(/\/\*[^]*?\*\/|(?:\/\/|#).*$/gm, "")
    .replaceAll(/[\w-]+\.(?:[cm]?js|ts|json|pcapng|svg|sock)\b/g, "")
    .replaceAll(/\s+/g, " ");
}

function programsOf(path: string): readonly string[] {
  const programs = parseBlocks(path, read(path)).filter(({ language }) => language !== "text");
  // What is typed and shown in a terminal is words.
  const compared = (language: string, code: string): string => (language === "console" ? "" : bareCode(code));
  return programs.map(({ language, mark, code }) => `${mark?.kind ?? ""} ${language}: ${compared(language, code)}`);
}

const englishPages = ["README.md", ...pagesIn(ENGLISH)];
const spanishPages = ["README.es.md", ...pagesIn(SPANISH)];

test("each page of the guide is there in both languages, and each names the other", () => {
  const namedBySpanish = spanishPages.map((page) => translationOf(page) ?? `${page} names no page`);
  assert.deepEqual(namedBySpanish.toSorted(), englishPages.toSorted());
  const namedByEnglish = englishPages.map((page) => translationOf(page) ?? `${page} names no page`);
  assert.deepEqual(namedByEnglish.toSorted(), spanishPages.toSorted());
});

for (const spanish of spanishPages) {
  const english = translationOf(spanish) ?? "";
  test(`${spanish} has what ${english} has`, () => {
    assert.equal(translationOf(english), spanish);
    assert.deepEqual(outlineOf(spanish), outlineOf(english));
    assert.deepEqual(programsOf(spanish), programsOf(english));
    const written = figuresOf(english, { thousands: ",", decimals: "." });
    assert.deepEqual(figuresOf(spanish, { thousands: ".", decimals: "," }), written);
  });
}

/** The figures in each row of the table below a heading. */
function rowsOf(path: string, heading: string): readonly (readonly string[])[] {
  const section = read(path).split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) => row.match(/\d+(?:[.,]\d+)*/g) ?? []);
}

test('what "why not" says was measured is a row of the README', () => {
  const measured = rowsOf("README.md", "Speed");
  const told = rowsOf("docs/guide/why-not.md", "What was measured");
  assert.notEqual(told.length, 0);
  for (const figures of told) {
    const row = measured.find((known) => figures.every((figure) => known.includes(figure)));
    assert.ok(figures.length > 0 && row !== undefined, `no row of the README has ${figures.join(", ") || "it"}`);
  }
});
