import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseSchedule, type ProxyDefinition, startProxy } from "zocalo/proxy";
import { run } from "../../cli/program.ts";
import { repositoryRoot } from "../../fixtures/repository-root.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { readYaml } from "../../fixtures/yaml.ts";
import { parseBlocks } from "./markdown-blocks.ts";

/* What the page about breaking programs gives to copy is taken by the command: lists of proxies, schedules, lines of CI files. */

const PAGES = ["docs/guide/break-your-program.md", "docs/es/guia/rompe-tu-programa.md"];
const read = (path: string): string => readFileSync(join(repositoryRoot, path), "utf8");
const blocks = PAGES.flatMap((page) => parseBlocks(page, read(page)));

/** The same proxies on free ports of loopback. */
const onLoopback = (list: readonly ProxyDefinition[]): readonly ProxyDefinition[] =>
  list.map(({ listen: _listen, ...definition }) => definition);

for (const { file, line, code, language } of blocks.filter((block) => block.language === "json")) {
  test(`the ${language} of ${file}:${line} is taken`, async () => {
    const value: unknown = JSON.parse(code);
    if (!Array.isArray(value)) {
      parseSchedule(code);
      return;
    }
    const list = value as readonly ProxyDefinition[];
    const exposed = code.includes("0.0.0.0:");
    await using running = await startProxy({ expose: exposed, proxies: onLoopback(list) });
    assert.equal(running.proxies.size, list.length);
  });
}

test("the command starts the proxies of the example, each in a variable of its own", async (t) => {
  const program =
    "console.log(Object.keys(process.env).filter((name) => name.startsWith('ZOCALO_PROXY_')).sort().join())";
  const file = join(repositoryRoot, "examples/break/proxies.json");
  const { code, stdout } = await run(t, ["proxy", "--config", file, "--", process.execPath, "-e", program]);
  assert.deepEqual([code, stdout.split("\n").includes("ZOCALO_PROXY_CACHE,ZOCALO_PROXY_DB")], [0, true]);
});

test("proxies for other machines need --expose", async (t) => {
  const file = join(temporaryFolder(t), "proxies.json");
  writeFileSync(
    file,
    JSON.stringify(onLoopback(JSON.parse(read("examples/break/proxies-compose.json")) as ProxyDefinition[])),
  );
  const refused = await run(t, ["proxy", "--config", file, "--", process.execPath, "-e", ""]);
  assert.match(refused.stderr, /ADDRESS_INVALID/);
  assert.equal((await run(t, ["proxy", "--config", file, "--expose", "--", process.execPath, "-e", ""])).code, 0);
});

for (const [name, key, keys] of [
  ["workflow.yml", "jobs", ["test"]],
  ["compose.yaml", "services", ["db", "network", "shop"]],
] as const) {
  test(`${name} is YAML`, (t) => {
    const value = readYaml(join(repositoryRoot, "examples/break", name)) as
      | Readonly<Record<string, object>>
      | undefined;
    if (value === undefined) return t.skip("no python3 with yaml");
    assert.deepEqual(Object.keys(value[key] ?? {}), keys);
  });
}

test("every option that the page gives to the command is one of its own", async (t) => {
  const lines = blocks.flatMap(({ file, line, code, language }) =>
    ["sh", "yaml"].includes(language) ? code.split("\n").map((text) => ({ text, place: `${file}:${line}` })) : [],
  );
  const commands = lines.filter(({ text }) => text.includes("zocalo proxy "));
  assert.ok(commands.length >= 10, `${commands.length} commands`);
  const { stdout: help } = await run(t, ["proxy", "--help"]);
  const known = new Set(help.match(/--[a-z]+/g));
  for (const { text, place } of commands) {
    const [, words = ""] = /zocalo proxy (.*?)(?: -- .*)?$/.exec(text) ?? [];
    for (const option of words.match(/--[a-z-]+/g) ?? []) assert.ok(known.has(option), `${place}: ${option}`);
  }
});
