import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../fixtures/repository-root.ts";

/*
 * The public surface is a list that is kept in three places, and they agree: the exports map of package.json, the files
 * src/*.ts, and the reports in etc/api (written by `npm run api`; `npm run check` compares them with what is built).
 */

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const manifest = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as Manifest;
const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== "./package.json");
const names = subpaths.map((subpath) => (subpath === "." ? "index" : subpath.slice("./".length))).sort();

/** The names of the files in a folder that end with `ending`, without it. */
function namesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(repositoryRoot, folder))
    .filter((file) => file.endsWith(ending) && !file.endsWith(".test.ts"))
    .map((file) => file.slice(0, -ending.length))
    .sort();
}

const reports = new Map(
  namesIn("etc/api", ".api.md").map((name) => [
    name,
    readFileSync(join(repositoryRoot, "etc/api", `${name}.api.md`), "utf8").split("\n"),
  ]),
);

test("each subpath of package.json leads to the output of its entry file", () => {
  for (const name of names) {
    const target = manifest.exports[name === "index" ? "." : `./${name}`];
    assert.deepEqual(target, { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
  }
});

test("exports map = entry files src/*.ts", () => {
  assert.deepEqual(namesIn("src", ".ts"), names);
});

test("exports map = reports in etc/api", () => {
  assert.deepEqual([...reports.keys()], names, "run npm run api");
});

test("every exported symbol has a doc comment, and so has each of its members", () => {
  const undocumented = [...reports].flatMap(([name, lines]) =>
    lines.flatMap((line, index) =>
      /^ *\/\/ .*\(undocumented\)/.test(line) ? [`${name}: ${lines[index + 1] ?? ""}`] : [],
    ),
  );
  assert.deepEqual(undocumented, []);
});

/**
 * A type has one home, the entry point that exports it; these may mention what lives in others. To export it from each of them
 * as well would take all that it mentions along: five times as many exports of types.
 */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  framing: [],
  index: ["framing"],
  "journal-file": ["protocol"],
  "journal-nats": ["protocol"],
  "journal-redis": ["protocol"],
  protocol: ["index"],
  proxy: ["index", "sim"],
  sim: ["index"],
  testing: ["index", "framing", "protocol"],
};

test("every type that a public symbol mentions is exported, from its own entry point or from its home", () => {
  const exported = new Set(
    [...reports].flatMap(([name, lines]) =>
      lines.flatMap((line) => {
        const symbol = /^export .*?\b(?:class|interface|type|const|function) (\w+)/.exec(line)?.[1];
        return symbol === undefined ? [] : `${name}: ${symbol}`;
      }),
    ),
  );
  const forgotten = [...reports].flatMap(([name, lines]) =>
    lines.flatMap((line) => {
      const symbol = /\(ae-forgotten-export\) The symbol "(\w+)"/.exec(line)?.[1];
      const known = HOMES[name]?.some((home) => exported.has(`${home}: ${symbol}`));
      return symbol === undefined || known === true ? [] : [`${name}: ${symbol}`];
    }),
  );
  assert.deepEqual(forgotten, []);
});
