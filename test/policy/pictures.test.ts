import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { elementsOf } from "../cli/svg-elements.ts";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/* The drawings are what tools/pictures.mjs makes; tools/screenshots.mjs takes the others. Each is shown by a page. */

const tool = (await import(pathToFileURL(join(repositoryRoot, "tools/pictures.mjs")).href)) as {
  readonly pictures: () => Promise<readonly (readonly [path: string, text: string])[]>;
  readonly recordDemo: (language: string) => string;
};

function read(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}

const made = await tool.pictures();
const [drawings, screenshots] = [".svg", ".png"].map((ending) =>
  readdirSync(join(repositoryRoot, "docs/pictures"))
    .filter((name) => name.endsWith(ending))
    .map((name) => `docs/pictures/${name}`)
    .toSorted(),
) as [string[], string[]];

test("docs/pictures has what `node tools/pictures.mjs` makes", () => {
  assert.deepEqual(drawings, made.map(([path]) => path).toSorted());
  for (const [path, text] of made) assert.equal(read(path), text, `${path}: run node tools/pictures.mjs`);
});

test("each picture is well-formed, static and without anything from elsewhere, and has colours for light and dark", () => {
  for (const [path, text] of made) {
    const elements = new Set(elementsOf(text));
    for (const name of elements) assert.match(name, /^(?:svg|title|desc|style|rect|path|text|g|circle)$/, path);
    assert.doesNotMatch(
      text.replace(' xmlns="http://www.w3.org/2000/svg"', ""),
      /https?:|url\(|@import|\bon\w+=/,
      path,
    );
    assert.match(text, /prefers-color-scheme:dark/);
  }
});

test("each picture of a page has a palette, so that the package stays small", () => {
  // The type of colour stands behind the size (IHDR of PNG).
  for (const path of screenshots) assert.equal(readFileSync(join(repositoryRoot, path))[25], 3, path);
});

test("each picture is on a page of its language, with words for who does not see it", () => {
  const pages = ["README.md", "README.es.md", "ARCHITECTURE.md"];
  for (const folder of ["docs/guide", "docs/es/guia"])
    for (const page of readdirSync(join(repositoryRoot, folder))) pages.push(`${folder}/${page}`);
  const shown = pages.flatMap((page) =>
    [...read(page).matchAll(/!\[([^\]]{20,})\]\([./]*(docs\/)?(pictures\/[\w.-]+)\)/g)].map(([, , , path = ""]) => {
      assert.equal(/\.es\.(?:svg|png)$/.test(path), page.includes(".es.") || page.includes("/es/"), `${page}: ${path}`);
      return `docs/${path}`;
    }),
  );
  assert.deepEqual([...new Set(shown)].toSorted(), [...drawings, ...screenshots].toSorted());
});

test("the demo still prints what its picture shows", () => {
  // Processes, ports, times, versions and what this machine loses by itself are another matter each time.
  const masked = (printed: string): string =>
    printed
      .replaceAll(/.*(?:were lost by this machine|esta máquina).*\n/g, "")
      .replaceAll(/(?:[\d,.]+|v[\d.]+)/g, "0")
      .replaceAll(/ +/g, " ");
  assert.equal(masked(tool.recordDemo("en")), masked(read("tools/pictures/demo.txt")));
  assert.equal(masked(tool.recordDemo("es")), masked(read("tools/pictures/demo.es.txt")));
});
