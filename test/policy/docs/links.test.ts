import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../fixtures/repository-root.ts";

/*
 * Links between the pages lead somewhere: to a file that exists, and to a heading that it has. So do the paths of the repository that
 * they name; decisions and the changelog speak of their time.
 */

const pages = [
  ...readdirSync(repositoryRoot).filter((file) => file.endsWith(".md")),
  ...readdirSync(join(repositoryRoot, "docs"), { encoding: "utf8", recursive: true })
    .map((path) => join("docs", path))
    .filter((path) => path.endsWith(".md")),
].sort();

/** The text without code, in which brackets mean something else. */
function proseOf(path: string): string {
  const text = readFileSync(join(repositoryRoot, path), "utf8");
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, (code) => code.slice(1, -1));
}

/** The anchor that forges give a heading: lower case, without punctuation, hyphens for spaces. */
function anchorsOf(path: string): readonly string[] {
  return [...proseOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function brokenLinksOf(page: string): readonly string[] {
  const targets = [...proseOf(page).matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(repositoryRoot, file))) return true;
    return anchor !== undefined && !anchorsOf(file).includes(anchor);
  });
}

for (const page of pages) {
  test(`the links of ${page} lead somewhere`, () => {
    assert.deepEqual(brokenLinksOf(page), []);
  });
}

/** Paths in backticks that begin with a folder of the repository, and do not exist. */
function missingPathsOf(page: string): readonly string[] {
  const text = readFileSync(join(repositoryRoot, page), "utf8");
  const paths = [...text.matchAll(/`((?:src|test|tools|docs|examples|bench|etc)\/[\w./-]+)`/g)].map(
    ([, path = ""]) => path,
  );
  return paths.filter((path) => !existsSync(join(repositoryRoot, path)));
}

for (const page of pages.filter((path) => path !== "CHANGELOG.md" && !path.startsWith(join("docs", "decisions")))) {
  test(`the paths that ${page} names exist`, () => {
    assert.deepEqual(missingPathsOf(page), []);
  });
}
