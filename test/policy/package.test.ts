import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "../fixtures/repository-root.ts";
import { pack, Project } from "../fixtures/project.ts";

/* The package as users get it: what is in it, what its pages link to, and what `npm install` does. */

interface LockedPackage {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const { packedReadme } = (await import(pathToFileURL(join(repositoryRoot, "tools/readme.mjs")).href)) as {
  readonly packedReadme: (text: string) => string;
};
const outside = mkdtempSync(join(tmpdir(), "zocalo-package-"));
after(() => rmSync(outside, { recursive: true, force: true }));
const project = new Project(await pack(outside));
after(() => project.remove());
await project.type("npm init -y\nnpm install zocalo");
const installed = join(project.folder, "node_modules/zocalo");
const files = (await project.shell("cd node_modules/zocalo && find . -type f")).trim().split("\n").toSorted();

/** What the links of a text lead to, without those to the web and within the page. */
function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\((?![a-z]+:|#)([^)#]+)/g)].map(([, target = ""]) => target);
}

test("the guide, the examples and the licences are in the package", () => {
  for (const path of [
    "./README.md",
    "./CHANGELOG.md",
    "./LICENSE",
    "./docs/guide/getting-started.md",
    "./docs/es/guia/primeros-pasos.md",
    "./docs/pictures/demo.svg",
    "./docs/semantics.md",
    "./examples/chat/server.ts",
    "./dist/msgpackr/LICENSE",
    "./dist/page/LICENSES",
    "./dist/page/inspect.js",
    "./dist/page/proxy.css",
    "./dist/page/proxy.js",
  ])
    assert.ok(files.includes(path), path);
  assert.deepEqual(
    files.filter((path) => /^\.\/(?:dist\/.*\.test\.|(?:src|test|tools|bench|etc|build)\/)/.test(path)),
    [],
  );
});

test("no page of the package has a link that leads out of it", () => {
  const dead = files
    .filter((path) => path.endsWith(".md") && path !== "./CHANGELOG.md" && !path.startsWith("./docs/decisions/"))
    .flatMap((page) =>
      linksOf(readFileSync(join(installed, page), "utf8"))
        .filter((target) => !existsSync(join(installed, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
  assert.deepEqual(dead, []);
});

for (const readme of ["README.md", "README.es.md"]) {
  test(`${readme} as the registry shows it has no link to a file, and its paths exist`, () => {
    const text = readFileSync(join(repositoryRoot, readme), "utf8");
    const shown = packedReadme(text);
    assert.deepEqual(linksOf(shown), []);
    assert.doesNotMatch(shown, /<img|<picture|<source/);
    // Of pictures only the words are left.
    for (const target of new Set(linksOf(text.replaceAll(/!\[[^\]]*\]\([^)]*\)/g, "")))) {
      assert.ok(shown.includes(`\`${target}\``), target);
      assert.ok(existsSync(join(installed, target)), target);
    }
  });
}

test("a link is its words and the path; a picture its words; other links stay", () => {
  const picture = '<picture>\n<source srcset="a.svg">\n<img alt="a demo" src="b.svg">\n</picture>';
  assert.equal(
    packedReadme(`[x](docs/x.md#y) [a.md](a.md) ![z](docs/z.svg) [w](https://example.org/a) [v](#v)\n${picture}`),
    "x (`docs/x.md`) `a.md` *z* [w](https://example.org/a) [v](#v)\n*a demo*",
  );
});

test("no package that comes along has a script which npm would run, or warn of", () => {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const come = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  assert.deepEqual(
    come.map(([path]) => path),
    ["node_modules/commander", "node_modules/ipaddr.js"],
  );
  assert.deepEqual(
    come.filter(([, { hasInstallScript }]) => hasInstallScript === true),
    [],
  );
});

test("what is installed works from ES modules and from CommonJS, without a word of its own", async () => {
  const entries = ["zocalo", "zocalo/framing", "zocalo/protocol", "zocalo/proxy", "zocalo/sim", "zocalo/testing"];
  for (const entry of entries) {
    const shown = await project.shell(`node -e 'console.log(typeof require("${entry}"))' 2>&1`);
    assert.equal(shown, "object\n");
  }
  const program = 'import { msgpack } from "zocalo/framing"; console.log(typeof msgpack);';
  assert.equal(await project.shell(`node --input-type=module -e '${program}' 2>&1`), "function\n");
  assert.match(await project.shell("npx zocalo --version"), /^\d+\.\d+\.\d+\n$/);
});
